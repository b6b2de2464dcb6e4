// Proof 19, second part: the settings of the file for the life of a workspace, its seats and its route take effect.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createApi, type Api } from '../../clients/api.ts'
import { asTheGateway, type GatewayLike } from '../../clients/as-the-gateway.ts'
import type { Place } from '../../clients/place.ts'
import { expectProblem } from '../../clients/problems.ts'
import { deploy, type Deployment } from '../../deployment/deployment.ts'
import { lifeFile } from '../../deployment/templates-files.ts'
import { inspect, inspected } from '../../engine/belongings.ts'
import { watchEngine, type EngineEvent, type EngineHistory } from '../../engine/history.ts'
import { selfSigned } from '../../engine/certificate.ts'
import { startRegistry, type Registry } from '../../engine/registry.ts'
import { attempt, run } from '../../run/command.ts'
import { eventually, letPass } from '../../run/deadline.ts'

/** Long enough for a slow machine, and shorter than the defaults of the fields. */
const patienceMs = 45_000
/** Twice the shortest idle time of the file, and the lease: by then an idle workspace has ended. */
const wouldHaveEndedMs = 5_000
/** The same for the templates in which a person types: a slow machine must not take longer between two keys. */
const typedForMs = 12_000

describe('proof 19: the life of workspaces according to the file', { concurrency: 6 }, () => {
  let berth: Deployment
  let registry: Registry
  let history: EngineHistory
  let api: Api
  let director: Place
  let folder: string
  const own = process.pid.toString(36)
  const pulled = ['fresh:1', 'kept:1', 'present:1']

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-e2e-corpora-'))
    await chmod(folder, 0o755)
    await writeFile(join(folder, 'words'), 'of the host')
    registry = await startRegistry()
    for (const image of pulled) await registry.publish('berth/hello', image)
    berth = await deploy({
      name: 'life',
      templates: lifeFile({
        own,
        registry: registry.name,
        folder,
        certificate: await selfSigned(folder),
      }),
      settings: { API_TOKEN: 'a-token-of-the-tests-alone', BINDS_ALLOWED: folder },
    })
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    director = place
    api = await createApi(berth)
    history = await watchEngine(berth.engine)
  })
  after(async () => {
    await history?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
    for (const image of pulled) await attempt('docker', ['rmi', `${registry?.name}/${image}`])
    await registry?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const at = (template: string, user = 'ann'): GatewayLike =>
    asTheGateway(berth, director, user, { host: `${template}.localhost` })
  const nameOf = (template: string, user = 'ann'): string => `${template}${own}-${user}`

  /** @returns the hostname of the container that answers */
  async function use(person: GatewayLike, path = '/whoami'): Promise<string> {
    const answer = await person.ask(path)
    const text = await answer.text()
    assert.equal(answer.status, 200, `${person.user}: ${text}`)
    return String(answer.headers['hello-host'])
  }

  async function echoed(person: GatewayLike, path = '/echo', headers = {}): Promise<Echoed> {
    const answer = await person.ask(path, { headers })
    assert.equal(answer.status, 200)
    const { target, headers: told } = await answer.json<{
      target: string
      headers: [string, string][]
    }>()
    return {
      target,
      headers: Object.fromEntries(told.map(([name, value]) => [name.toLowerCase(), value])),
    }
  }

  /** The first of these that happens to a container, or has happened. */
  const happens = (name: string, action: string): Promise<EngineEvent> =>
    history.first(`${name}: ${action}`, patienceMs, isOf(name, action))

  async function assertRuns(name: string): Promise<void> {
    const { State } = await inspected(berth.engine, name)
    assert.equal(State.Status, 'running', name)
  }

  it('idle: freezes, stops and removes a workspace at the set times after its last use', async () => {
    const usedAt = Date.now()
    const name = await use(at('ladder'))
    for (const [action, step] of [
      ['pause', 2_000],
      ['die', 14_000],
      ['destroy', 17_000],
    ] as const) {
      const event = await happens(name, action)
      assert.ok(event.at - usedAt >= step, `${action} ${event.at - usedAt} ms after the use`)
    }
  })

  it('lifetime: ends a workspace at its maximum plus its extension, even if it is not idle', async () => {
    const name = await use(at('lasting'))
    const endOf = async () =>
      Date.parse((await api.read<Shown>(`/api/v1/workspaces/${name}`)).endsAt ?? '')
    const before = await endOf()
    const extended = await api.call('POST', `/api/v1/workspaces/${name}/extend`)
    assert.ok(extended.status < 300, await extended.text())
    assert.equal((await endOf()) - before, 2_000)
    const end = await happens(name, 'die')
    const lived = end.at - (await happens(name, 'start')).at
    assert.ok(lived >= 17_500, `it lived ${lived} ms`)
  })

  it('lifetime: drains a workspace, and ends it with its last person; a seat that does not persist ends with its connection', async () => {
    const staying = await at('draining').ask('/events')
    assert.equal(staying.status, 200)
    const first = String(staying.headers['hello-host'])
    let newcomers = 0
    await eventually('a new person gets another workspace', patienceMs, async () => {
      newcomers += 1
      return (await use(at('draining', `new${newcomers}`))) !== first
    })
    assert.equal(await use(at('draining')), first, 'a person with a seat stays')
    const leftAt = Date.now()
    staying.leave()
    const end = await happens(first, 'die')
    assert.ok(end.at >= leftAt, `ended ${leftAt - end.at} ms before she had left`)
    await happens(first, 'destroy')
  })

  it('activity: keeps a workspace while its activity path reports that it is busy', async () => {
    const name = await say('busy', { busy: true })
    await letPass(wouldHaveEndedMs)
    await assertRuns(name)
    const doneAt = Date.now()
    await run('docker', ['exec', name, 'sh', '-c', `echo '{"busy":false}' > busy`])
    const end = await happens(name, 'die')
    assert.ok(end.at >= doneAt, `stopped ${doneAt - end.at} ms before it was done`)
  })

  it('activity: keeps a busy workspace no longer than at_most', async () => {
    const usedAt = Date.now()
    const name = await say('stubborn', { busy: true })
    const end = await happens(name, 'die')
    assert.ok(end.at - usedAt >= 6_000, `stopped ${end.at - usedAt} ms after its use`)
  })

  /** Has the application answer so at its activity path. */
  async function say(template: string, words: object): Promise<string> {
    const person = at(template)
    const body = JSON.stringify(words)
    const saved = await person.ask('/files/busy', { method: 'PUT', body })
    assert.equal(saved.status, 201, await saved.text())
    return String(saved.headers['hello-host'])
  }

  it('activity: keeps a workspace that uses more of a processor than the limit', async () => {
    const name = await use(at('computing'))
    await letPass(wouldHaveEndedMs)
    await assertRuns(name)
    const doneAt = Date.now()
    await run('docker', ['exec', name, 'touch', 'done'])
    const end = await happens(name, 'die')
    assert.ok(end.at >= doneAt, `stopped ${doneAt - end.at} ms before it was done`)
  })

  const ofPage = { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' }

  /** Does it again and again until the container of that name has ended, or until this time has passed. */
  async function goOn(name: string, forMs: number | undefined, act: () => Promise<unknown>) {
    const over = new AbortController()
    const ended = forMs === undefined ? happens(name, 'die') : letPass(forMs)
    const going = (async () => {
      while (!over.signal.aborted) {
        await act()
        await letPass(200)
      }
    })()
    try {
      await ended
    } finally {
      over.abort()
      await going
    }
  }

  it('background: ends a workspace despite constant background requests', async () => {
    const name = await use(at('polled'))
    await goOn(name, undefined, async () => {
      const answer = await at('polled').ask('/count/poll', { headers: ofPage })
      answer.leave()
    })
  })

  it('background: tells a poll from what a person typed by the size of the body', async () => {
    const posts = async (user: string, body: string, forMs?: number): Promise<string> => {
      const name = await use(at('polled', user))
      const post = { method: 'POST', body, headers: ofPage }
      await goOn(name, forMs, async () => (await at('polled', user).ask('/echo', post)).leave())
      return name
    }
    await Promise.all([
      posts('ben', 'session=1234&keys=6162', typedForMs).then(assertRuns),
      posts('cleo', 'session=1234'),
    ])
  })

  it('frames: ends a workspace despite heartbeats, and keeps one in which a person types', async () => {
    const says = async (
      user: string,
      path: string,
      message: string,
      { forMs, everyMs = 0 }: { forMs?: number; everyMs?: number } = {},
    ): Promise<string> => {
      const name = await use(at('beating', user))
      const { socket } = await at('beating', user).webSocket(path)
      await goOn(name, forMs, async () => {
        if (socket.readyState === socket.OPEN) socket.send(message)
        await letPass(everyMs)
      })
      return name
    }
    await Promise.all([
      says('ann', '/ws', 'typed', { forMs: typedForMs }).then(assertRuns),
      says('ben', '/ws', 'beat 1'),
      says('cleo', '/ws/slow', 'anything', { everyMs: 1_000 }),
    ])
    const framesOf = async (user: string) => {
      const path = `/api/v1/workspaces/${nameOf('beating', user)}/use`
      const { uses } = await api.read<{ uses: readonly { what: string; path: string }[] }>(path)
      return uses.filter(({ what }) => what === 'frame').map((use) => use.path)
    }
    assert.deepEqual(await framesOf('ann'), ['/ws'], 'the report names what kept it running')
    assert.deepEqual(await framesOf('ben'), [])
    const [spawner] = await berth.services('spawner')
    assert.ok(spawner)
    const report = ['exec', spawner.Id, 'idle-report', nameOf('beating')]
    assert.match(await run('docker', report), /\n {2}WebSocket frame {2}\/ws {2}\d+ times/)
  })

  it('frames: keeps the connection of a page to a frozen workspace by its heartbeat, and wakes it by typing', async () => {
    const name = await use(at('resting'))
    const socket = await at('resting').webSocket('/ws')
    const frozen = await happens(name, 'pause')
    for (let beats = 0; beats < 3; beats += 1) {
      assert.equal(await socket.next(), 'ping')
      socket.send('pong')
    }
    const events = history.events.slice(history.events.indexOf(frozen) + 1)
    assert.equal(events.find(isOf(name, 'unpause')), undefined, 'the heartbeats wake nothing')
    socket.send('typed')
    const heard: string[] = []
    while (!heard.includes('typed')) heard.push(await socket.next())
    assert.ok(history.events.some(isOf(name, 'unpause')))
    socket.close()
  })

  it('frames: closes the connection of an untouched page when its frozen workspace is stopped, which stays stopped', async () => {
    const name = await use(at('resting', 'ben'))
    const socket = await at('resting', 'ben').webSocket('/ws')
    socket.socket.on('message', () => socket.send('pong'))
    await happens(name, 'die')
    const { code } = await socket.ended
    assert.equal(code, 1012)
    const { State } = await inspected(berth.engine, name)
    assert.equal(State.Status, 'exited')
  })

  it('start: request: starts a stopped workspace for a request of an open page, but not for its polls', async () => {
    const name = await use(at('reopened'))
    await happens(name, 'die')
    const page = (path: string, more: object = {}) =>
      at('reopened').ask(path, { headers: ofPage, ...more })
    await expectProblem(await page('/count/poll'), 503, 'workspace_idle')
    const saved = await page('/files/typed', { method: 'PUT', body: 'typed into an open page' })
    assert.equal(saved.status, 201, await saved.text())
    assert.equal(await (await page('/files/typed')).text(), 'typed into an open page')
  })

  it('Berth-Start: starts a stopped workspace for a request that a person asked a page for', async () => {
    const name = await use(at('polled', 'dan'))
    await happens(name, 'die')
    const page = (headers: object) =>
      at('polled', 'dan').ask('/count/poll', { headers: { ...ofPage, ...headers } })
    await expectProblem(await page({}), 503, 'workspace_idle')
    const served = await page({ 'berth-start': 'true' })
    assert.equal(served.status, 200, await served.text())
  })

  it('connection_idle: ends a workspace despite a download that the client no longer reads', async () => {
    const answer = await at('forgotten').ask('/bytes?n=2000000000')
    assert.equal(answer.status, 200)
    answer.stream.pause()
    await happens(String(answer.headers['hello-host']), 'die')
    answer.leave()
  })

  it('seats: admits as many people at once, and in total, as the file allows', async () => {
    const hostsOf = async (template: string) => {
      const hosts: string[] = []
      for (const user of ['ann', 'ben', 'cleo']) hosts.push(await use(at(template, user)))
      return hosts
    }
    for (const template of ['pairs', 'served']) {
      const [ann, ben, cleo] = await hostsOf(template)
      assert.equal(ann, ben, template)
      assert.notEqual(ben, cleo, template)
    }
    const { templates } = await api.read<{ templates: readonly Offered[] }>('/api/v1/templates')
    const pairs = templates.find(({ name }) => name === 'pairs')
    assert.deepEqual(pairs, {
      name: 'pairs',
      title: 'Two at once',
      description: 'Room for two',
      icon: 'https://pairs.example.com/icon.svg',
      kind: 'web',
      url: `${berth.siteAt('pairs.localhost').origin}/`,
      image: 'berth/hello',
      seats: 2,
      startsBy: 'visit',
    })
  })

  it('seats: ends an unused seat, and keeps the workspace', async () => {
    const name = await use(at('brief'))
    await eventually('the seat has ended', patienceMs, async () => {
      const { seats } = await api.read<Shown>(`/api/v1/workspaces/${name}`)
      return seats.length === 0
    })
    await assertRuns(name)
  })

  it('standby: gives the standby container to the next person, and creates another', async () => {
    const ready = await eventually('one stands ready', patienceMs, () => standby())
    const person = at('waiting')
    assert.equal(await use(person), ready.name, 'its hostname stays what it was')
    await eventually('it bears her name', patienceMs, async () => {
      const container = await inspect(berth.engine, nameOf('waiting'))
      return container?.Id === ready.container?.id
    })
    const next = await eventually('another stands ready', patienceMs, () => standby())
    assert.notEqual(next.container?.id, ready.container?.id)
  })

  async function standby(): Promise<Shown | undefined> {
    const { workspaces } = await api.read<{ workspaces: readonly Shown[] }>(
      '/api/v1/workspaces?template=waiting',
    )
    return workspaces.find(({ kind, phase }) => kind === 'standby' && phase === 'ready')
  }

  it('pass: passes the listed headers to the application, and no others', async () => {
    const sent = { authorization: 'Bearer of-ann', 'x-forwarded-access-token': 'of ann' }
    const { headers } = await echoed(at('told'), '/echo', sent)
    assert.equal(headers['authorization'], 'Bearer of-ann')
    assert.equal(headers['x-forwarded-access-token'], undefined)
    assert.equal(headers['x-forwarded-user'], 'u-ann')
    assert.equal(headers['x-forwarded-groups'], 'staff')
    assert.equal(headers['x-forwarded-preferred-username'], undefined)
    const other = await echoed(at('brief', 'ben'), '/echo', sent)
    assert.equal(other.headers['authorization'], undefined, 'it is for the one template alone')
  })

  it('route: leads by a path, which is kept or stripped; command as text, environment as a list', async () => {
    const here = asTheGateway(berth, director, 'ann', { host: 'localhost' })
    assert.equal((await echoed(here, '/echo/what')).target, '/echo/what')
    assert.equal((await echoed(here, '/stripped/echo/what')).target, '/echo/what')
    const { Config } = await inspected(berth.engine, nameOf('below'))
    const address = new URL(berth.siteAt('localhost').origin)
    for (const variable of [
      'BELOW=/echo/',
      'PREFIX=/echo',
      `HOST=${address.host}`,
      `ORIGIN=${address.origin}`,
    ])
      assert.ok(Config.Env.includes(variable), Config.Env.join())
    assert.deepEqual(Config.Cmd, ['node', '/opt/hello/src/main.ts', '--title', 'two words'])
  })

  it('route: an answer names paths and cookies below the path that is stripped', async () => {
    const here = asTheGateway(berth, director, 'ann', { host: 'localhost' })
    const sent = '/headers?Location=%2Fnext&Set-Cookie=a%3D1%3B+Path%3D%2F&Refresh=0%3B+url%3D%2F'
    const answer = await here.ask(`/stripped${sent}`)
    const { location, refresh, 'set-cookie': cookie } = answer.headers
    assert.deepEqual(
      [location, refresh, [cookie].flat()],
      ['/stripped/next', '0; url=/stripped/', ['a=1; Path=/stripped']],
    )
    assert.equal((await echoed(here, '/stripped/echo')).headers['x-forwarded-prefix'], '/stripped')
  })

  it('open: leads a visit to the root of the template to its first page', async () => {
    const here = asTheGateway(berth, director, 'ann', { host: 'localhost' })
    for (const path of ['/stripped', '/stripped/']) {
      const led = await here.navigate(path)
      assert.deepEqual(
        [led.status, led.headers.location],
        [307, '/stripped/echo?from=/stripped'],
        path,
      )
      led.leave()
    }
    assert.equal(
      (await echoed(here, '/stripped/echo?from=/stripped')).target,
      '/echo?from=/stripped',
    )
  })

  it('volumes: mounts volumes and a folder of the host in the long syntax; allow: admits the listed people; egress: reaches the internet', async () => {
    await expectProblem(await at('shelves', 'ben').ask('/'), 403, 'template_forbidden')
    const name = await use(at('shelves'))
    const { Mounts, NetworkSettings } = await inspected(berth.engine, name)
    const mounted = new Map(Mounts.map((mount) => [mount.Destination, mount]))
    const [shelf, corpora] = ['/shelf', '/corpora'].map((path) => mounted.get(path))
    assert.deepEqual(
      [shelf?.Type, shelf?.Name, shelf?.RW],
      ['volume', `${berth.instance}-shelf`, true],
    )
    assert.deepEqual([corpora?.Type, corpora?.Source, corpora?.RW], ['bind', folder, false])
    assert.equal(await run('docker', ['exec', name, 'cat', '/corpora/words']), 'of the host')
    const [network] = Object.keys(NetworkSettings.Networks)
    const { Internal } = await berth.engine.get<{ Internal: boolean }>(`/networks/${network}`)
    assert.equal(Internal, false)
  })

  it('ready: waits until the timeout for a path that never succeeds', async () => {
    await expectProblem(await at('unready').ask('/'), 502, 'start_timeout')
  })

  it('ready: tells what the last probe met', async () => {
    await expectProblem(await at('unready', 'ben').ask('/'), 502, 'start_timeout')
    const { problem } = await api.read<Shown>(`/api/v1/workspaces/${nameOf('unready', 'ben')}`)
    assert.match(problem?.detail ?? '', /\/status\/503 on port 8080 was answered with status 503/)
  })

  it('scheme: reaches an application that speaks only HTTPS', async () => {
    const answer = await at('secure').ask('/a/path?x=1')
    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), { url: '/a/path?x=1', encrypted: true })
  })

  it('pull_policy: pulls before each new container, or only if the image is missing', async () => {
    const pullsOf = async (template: string): Promise<number> => {
      for (const user of ['ann', 'ben']) await use(at(template, user))
      // Once this is known, so is all that was before it.
      await happens(nameOf(template, 'ben'), 'start')
      return history.events.filter(
        ({ type, action, id }) =>
          type === 'image' && action === 'pull' && id === `${registry.name}/${template}:1`,
      ).length
    }
    assert.equal(await pullsOf('fresh'), 2)
    assert.equal(await pullsOf('kept'), 1)
    assert.equal(await pullsOf('present'), 1)
  })
})

const isOf =
  (name: string, action: string) =>
  (event: EngineEvent): boolean =>
    event.type === 'container' && event.name === name && event.action === action

interface Echoed {
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
}

/** What the API tells of a workspace, as far as it is asked here. */
interface Shown {
  readonly name: string
  readonly kind: string
  readonly phase: string
  readonly endsAt?: string
  readonly seats: readonly unknown[]
  readonly container?: { readonly id: string }
  readonly problem?: { readonly detail: string }
}

interface Offered {
  readonly name: string
}
