// Proof 19: the templates file takes effect on the engine, and changes under load without disturbing anybody.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createApi } from '../clients/api.ts'
import { arrive } from '../clients/arrival.ts'
import { asTheGateway, type AskingOptions, type GatewayLike } from '../clients/as-the-gateway.ts'
import { signIn } from '../clients/people.ts'
import type { Place } from '../clients/place.ts'
import { expectProblem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { changingFile } from '../deployment/templates-files.ts'
import { inspect, inspected } from '../engine/belongings.ts'
import { createEngine, defaultSocket } from '../engine/engine.ts'
import { run } from '../run/command.ts'
import { eventually, letPass } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

describe('proof 19: the file with templates', () => {
  let berth: Deployment
  let director: Place
  const prefix = process.pid.toString(36)
  const network = `berth-e2e-further-${process.pid}`
  const prefixes = {
    full: `f${prefix}`,
    dock: `k${prefix}`,
    pier: `g${prefix}`,
    rig: `r${prefix}`,
    screen: `s${prefix}`,
    frame: `a${prefix}`,
  }
  const fileWith = (pier: string, more = ''): string =>
    changingFile({ prefixes, network, pier, more })

  const takeDown = takenDownAtTheEnd(async () => {
    await berth?.[Symbol.asyncDispose]()
    await createEngine(defaultSocket).remove(`/networks/${network}`)
  })

  before(async () => {
    berth = await deploy({
      name: 'file',
      templates: fileWith('environment: { GREETING: one }'),
      templateFiles: {
        'licence.key': 'open sesame',
        'full.env': "FROM_FILE='{plain}' # of a file\nWHO=overridden\n",
        'raw.env': "RAW='$x'\n",
      },
      settings: { API_TOKEN: 'a-token-of-the-tests-alone' },
      // A foreign network: one with a label of Berth would be refused.
      beforeUp: (engine) => engine.post('/networks/create', {}, { Name: network }),
    })
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    director = place
  })
  after(takeDown)

  const as = (user: string, host: string, more: AskingOptions = {}): GatewayLike =>
    asTheGateway(berth, director, user, { host, ...more })

  it('creates a container with every setting of a template', async () => {
    const ann = as('ann', 'any.full.localhost')
    const echoed = await ann.ask('/echo')
    const text = await echoed.text()
    assert.equal(echoed.status, 200, text)
    const { headers } = JSON.parse(text) as { headers: [string, string][] }
    const told = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]))
    assert.equal(told['x-forwarded-preferred-username'], 'ann')
    assert.equal(told['x-forwarded-groups'], undefined, 'only what the template passes')
    assert.ok(Date.parse(told['berth-ends-at'] ?? '') > Date.now() + 3_600_000)
    const env = await (await ann.ask('/env')).json<Record<string, string>>()
    const name = `f${prefix}-ann`
    assert.equal(env['WHO'], `ann as ann in ${name} of ${berth.instance}, {plain}`)
    assert.equal(env['WRITTEN'], '1.10')
    assert.equal(env['FILLED'], 'yes $HOME')
    assert.equal(env['ENTERED'], 'by ann')
    assert.equal(env['FROM_FILE'], '{plain}')
    assert.equal(env['RAW'], "'$x'")

    const { Config, HostConfig, Mounts, NetworkSettings } = await inspected(berth.engine, name)
    const host = HostConfig as Record<string, unknown>
    assert.equal(Config.User, '1000:1000')
    const expected = {
      Memory: 64 * 1024 ** 2,
      MemorySwap: 96 * 1024 ** 2,
      NanoCpus: 500_000_000,
      PidsLimit: 77,
      ShmSize: 32 * 1024 ** 2,
      Init: false,
      Runtime: 'runc',
    }
    for (const [field, value] of Object.entries(expected)) assert.equal(host[field], value, field)
    const device = (from: string, to: string) => ({
      PathOnHost: from,
      PathInContainer: to,
      CgroupPermissions: 'r',
    })
    const lists = {
      Devices: [device('/dev/null', '/dev/nought'), device('/dev/zero', '/dev/zeroes')],
      Tmpfs: { '/scratch': 'size=8m', '/cache': 'size=4m,mode=755' },
      Ulimits: [
        { Name: 'nofile', Soft: 2048, Hard: 4096 },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      ExtraHosts: ['db:10.9.8.7', 'two:10.9.8.6'],
      LogConfig: { Type: 'json-file', Config: { 'max-file': '2', 'max-size': '1m' } },
    }
    for (const [field, value] of Object.entries(lists)) assert.deepEqual(host[field], value, field)
    assert.ok((host['CapAdd'] as string[]).some((cap) => cap.endsWith('SYS_PTRACE')))
    assert.ok((host['SecurityOpt'] as string[]).includes('apparmor=unconfined'))
    assert.ok((host['SecurityOpt'] as string[]).some((o) => o.startsWith('no-new-privileges')))
    assert.deepEqual(Config.Cmd, ['node', '/opt/hello/src/main.ts'])
    assert.equal(Config.StopSignal, 'SIGINT')
    assert.equal(Config.StopTimeout, 7)
    assert.deepEqual(Config.Healthcheck, {
      Test: ['CMD', 'true'],
      Interval: 30e9,
      Timeout: 5e9,
      Retries: 3,
      StartPeriod: 20e9,
      StartInterval: 200e6,
    })
    const mounted = new Map(Mounts.map((mount) => [mount.Destination, mount]))
    assert.equal(mounted.get('/home/hello')?.Name, `${berth.instance}-ann-full`)
    assert.equal(mounted.get('/data')?.Name, `${berth.instance}-shelf`)
    assert.equal(mounted.get('/data')?.RW, false)
    assert.ok(mounted.has('/exchange'))
    const networks = Object.keys(NetworkSettings.Networks)
    assert.ok(networks.includes(network), networks.join(', '))
    for (const path of ['/run/secrets/licence', '/opt/licence.key'])
      assert.equal(await readFile(name, path), 'open sesame')
    const own = networks.find((each) => each !== network)
    const { Internal } = await berth.engine.get<{ Internal: boolean }>(`/networks/${own}`)
    assert.equal(Internal, true, 'its network leads nowhere')
  })

  it('creates a container from the other forms of the same settings', async () => {
    const eve = as('eve', 'rig.localhost')
    const env = await (await eve.ask('/env')).json<Record<string, string>>()
    assert.equal(env['ENTERED'], 'by a text')
    assert.deepEqual([env['FROM_FILE'], env['WHO']], ['{plain}', 'overridden'])
    const { HostConfig } = await inspected(berth.engine, `${prefixes.rig}-eve`)
    const { Tmpfs, ExtraHosts } = HostConfig as Record<string, unknown>
    assert.deepEqual([Tmpfs, ExtraHosts], [{ '/scratch': '' }, ['db:10.9.8.7']])
  })

  it('asks the engine for the GPUs of a template, and says that this engine has none', async () => {
    for (const host of ['screen.localhost', 'frame.localhost']) {
      const gus = as('gus', host)
      await expectProblem(await gus.ask('/'), 502, 'start_failed')
    }
    const told = (await berth.logs('spawner'))
      .split('\n')
      .filter((line) => line.includes('workspace failed'))
      .filter((line) => line.includes('could not select device driver'))
    assert.equal(told.length, 2, told.join('\n'))
  })

  it('admits the people that the template allows, within its limits', async () => {
    const stranger = as('zoe', 'any.full.localhost', { groups: 'others' })
    await expectProblem(await stranger.ask('/'), 403, 'template_forbidden')
    const ben = await as('ben', 'any.full.localhost').navigate('/')
    assert.equal(ben.status, 503)
    assert.equal(ben.headers['berth-phase'], 'queued')
    ben.leave()
    await expectProblem(await as('ann', 'nothing.localhost').ask('/'), 404, 'template_unknown')
  })

  it('routes by a port of the director, starts on a click, limits by group and passes a token', async () => {
    assert.ok('host' in director)
    const dock = { host: director.host, port: 8093 }
    const [ann, ben] = ['ann', 'ben'].map((user) => asTheGateway(berth, dock, user))
    assert.ok(ann && ben)
    const page = await ann.navigate('/')
    assert.match(await page.text(), /action="\/\.berth\/start"/, 'a button, and nothing is started')
    assert.equal(await inspect(berth.engine, `k${prefix}-ann`), undefined)
    const pressed = await ann.press('start')
    assert.ok(pressed.status < 400, `start is answered ${pressed.status}`)
    pressed.leave()
    const answer = await ann.ask('/echo', { headers: { 'x-forwarded-access-token': 'a token' } })
    const { headers } = await answer.json<{ headers: [string, string][] }>()
    const told = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]))
    assert.equal(told['x-forwarded-access-token'], 'a token')
    const second = await ben.press('start')
    second.leave()
    const status = await (await ben.ask('/.berth/status')).json<Record<string, unknown>>()
    assert.deepEqual([status['phase'], status['waitsFor']], ['queued', 'limit_template'])
    const left = await ben.press('cancel')
    left.leave()
  })

  it('lets people sign in on each host through the same gateway', async () => {
    const alice = await signIn(berth.siteAt('hello.localhost'), 'alice')
    const answer = await arrive(alice, '/whoami')
    assert.equal((await answer.json<{ hostname: string }>()).hostname, `g${prefix}-alice`)
    const pressed = await alice.press('start')
    assert.equal(pressed.status, 202, 'its own pages may start what is there')
    pressed.leave()
  })

  it('applies changes under load: at once for new people, unnoticed by present ones, and not at all when the file is wrong', async () => {
    const people = ['cleo', 'dan'].flatMap((user) => [
      as(user, 'hello.localhost'),
      as(user, 'localhost'),
    ])
    // Each has a container of the first file. One that is still being made would get the changed template.
    for (const person of people) assert.equal((await person.ask('/whoami')).status, 200)
    const ended = new AbortController()
    let asked = 0
    const load = Promise.all(
      people.map(async (person) => {
        const hosts = new Set<string>()
        while (!ended.signal.aborted) {
          const answer = await person.ask('/whoami')
          const text = await answer.text()
          assert.equal(answer.status, 200, `${person.user}: ${text}`)
          hosts.add((JSON.parse(text) as { hostname: string }).hostname)
          asked += 1
          await letPass(20)
        }
        assert.equal(hosts.size, 1, 'nobody was moved or started again')
      }),
    )
    try {
      const cleo = as('cleo', 'hello.localhost')
      await eventually('everybody asks', 15_000, () => Promise.resolve(asked > people.length))
      await berth.writeTemplates(
        fileWith('environment: { GREETING: two }\n    title: The new pier'),
      )
      await eventually('cleo is told that hers is older', 15_000, async () => {
        const status = await (await cleo.ask('/.berth/status')).text()
        assert.equal((JSON.parse(status) as { outdated?: boolean }).outdated, true, status)
        return true
      })
      assert.equal(await greetingOf(cleo), 'one', 'hers is as it was')
      assert.equal(
        await greetingOf(as('emil', 'hello.localhost')),
        'two',
        'a new person gets the new template',
      )

      const wrong = fileWith('environment: { GREETING: three }\n    portt: 1\n    cpus: many')
      await berth.writeTemplates(wrong)
      for (const word of ['templates.pier.portt', 'templates.pier.cpus'])
        await eventually(`the log names ${word} and where it is`, 15_000, async () =>
          new RegExp(`templates\\.yml:\\d+:\\d+ ${word}`).test(await berth.logs('spawner')),
        )
      assert.equal(await greetingOf(as('fred', 'hello.localhost')), 'two', 'the old template stays')

      const quay = `  quay: { <<: *common, prefix: h${prefix}, route: { path: { prefix: /quay, strip: true } } }`
      await berth.writeTemplates(fileWith('environment: { GREETING: two }', quay))
      const gina = as('gina', 'localhost')
      await eventually('a path leads to a template that was not there', 15_000, async () => {
        const answer = await gina.ask('/quay/echo')
        const { target } = await answer.json<{ target?: string }>()
        return (
          answer.status === 200 &&
          target === '/echo' &&
          String(answer.headers['hello-host']) === `h${prefix}-gina`
        )
      })
    } finally {
      ended.abort()
    }
    await load
    assert.ok(asked > 100, `${asked} requests went well meanwhile`)
    process.stdout.write(`${asked} requests while the file changed\n`)
  })

  it("restarts a workspace from the present template at its owner's request", async () => {
    const api = await createApi(berth)
    const restarted = await api.call('POST', `/api/v1/workspaces/g${prefix}-cleo/restart`)
    assert.ok(restarted.status < 300, `${restarted.status} ${await restarted.text()}`)
    await eventually('it greets in the new way', 30_000, async () => {
      const answer = await as('cleo', 'hello.localhost').ask('/env')
      return (await answer.json<Record<string, string>>())['GREETING'] === 'two'
    })
  })

  it('reads the file again on SIGHUP', async () => {
    const [spawner] = await berth.services('spawner')
    assert.ok(spawner)
    const countReads = async () => (await berth.logs('spawner')).split('templates file read').length
    const before = await countReads()
    await berth.engine.post(`/containers/${spawner.Id}/kill`, { signal: 'SIGHUP' })
    await eventually('it says so', 10_000, async () => (await countReads()) > before)
  })

  async function greetingOf(person: GatewayLike): Promise<string | undefined> {
    const answer = await person.ask('/env')
    assert.equal(answer.status, 200)
    return (await answer.json<Record<string, string>>())['GREETING']
  }

  /** As the processes of the person see the file. */
  function readFile(name: string, path: string): Promise<string> {
    return run('docker', ['exec', name, 'cat', path])
  }
})
