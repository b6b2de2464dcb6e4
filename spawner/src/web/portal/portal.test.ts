import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { problemCodes } from '@berth/shared/problems'
import { readEvents, type ServerSentEvent } from '@berth/shared/server-sent-events'
import { flush, startTestLoop, userOf } from '../../loop/testing/test-loop.ts'
import type { Template } from '../../templates/template.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { serveWeb, type Ask } from '../testing/server.ts'

const portalUrl = 'http://portal.localhost:4180'
const here = { origin: portalUrl, 'sec-fetch-site': 'same-origin' }
const form = { ...here, 'content-type': 'application/x-www-form-urlencoded' }
const root = '/internal/v1/portal'

const hello = testTemplate('hello', {
  title: 'Hello <b>',
  description: 'A page that says hello',
  origin: 'http://hello.localhost:4180',
  route: { hosts: ['hello.localhost'] },
  policy: { allowedUsers: [userOf('alice').name], idleStopMs: 600_000, maxLifetimeMs: 3_600_000 },
})
const secret = testTemplate('secret', { policy: { allowedGroups: ['admins'] } })
const room = testTemplate('room', { title: 'Room', policy: { seats: 5 } })

async function start(
  templates: readonly Template[] = [hello, secret, room],
  limits: NonNullable<Parameters<typeof startTestLoop>[0]>['limits'] = {},
  sshAddress?: { host: string; port: number },
) {
  await using stack = new AsyncDisposableStack()
  const loop = stack.use(await startTestLoop({ templates, limits }))
  loop.director()
  const { workspaces } = loop
  const web = stack.use(
    await serveWeb({ settings: { portalUrl, sshAddress }, workspaces, clock: loop.time.clock }),
  )
  const headersOf = (user: string) => ({
    'berth-user': user,
    'berth-subject': `u-${user}`,
    'berth-template': '',
    'x-forwarded-host': 'portal.localhost:4180',
  })
  const ask = (path: string, options: Ask = {}, user = 'alice') =>
    web.ask(root + path, { ...options, headers: { ...headersOf(user), ...options.headers } })
  const api = async (method: string, path: string, body?: unknown, user = 'alice') => {
    const answer = await ask(
      `/api/v1${path}`,
      {
        method,
        headers: { ...here, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      user,
    )
    return { status: answer.status, json: JSON.parse(answer.body) as Record<string, unknown> }
  }
  const page = async (user = 'alice') => (await ask('/', {}, user)).body
  const tokenFor = async (user = 'alice') =>
    /name="token" value="([^"]+)"/.exec(await page(user))?.[1] ?? ''
  const press = (path: string, fields: Record<string, string>, user = 'alice', headers = form) =>
    ask(path, { method: 'POST', headers, body: new URLSearchParams(fields).toString() }, user)
  const phaseOf = (name: string) => workspaces.state().workspaces.get(name as never)?.phase
  const run = async (template: string, user = 'alice') => {
    await api('POST', '/workspaces', { template }, user)
    await flush()
  }
  const built = stack.move()
  return {
    loop,
    web,
    ask,
    api,
    page,
    tokenFor,
    press,
    phaseOf,
    run,
    headersOf,
    [Symbol.asyncDispose]: () => built.disposeAsync(),
  }
}

/** The next event of a stream that goes on. */
async function nextOf(events: AsyncGenerator<ServerSentEvent>): Promise<ServerSentEvent> {
  const result = await events.next()
  assert.ok(result.done !== true, 'the stream goes on')
  return result.value
}

describe('the portal’s page', () => {
  it('has a card for each template that the person may use, and for no other', async () => {
    await using portal = await start()
    const body = await portal.page()
    assert.match(body, /<h2[^>]*>Lab<\/h2>/)
    assert.match(body, /<h2[^>]*>Hello &lt;b&gt;<\/h2>/)
    assert.match(body, /A page that says hello/)
    assert.doesNotMatch(body, /secret/)
    assert.doesNotMatch(await portal.page('bob'), /Hello/)
    assert.match(body, /Signed in as <strong>alice<\/strong>/)
    assert.match(body, /<a href="\/\.berth\/sign-out">Sign out<\/a>/)
  })

  it('shows what runs, since when, when it ends, and how long it may be unused', async () => {
    await using portal = await start()
    await portal.run('hello')
    const body = await portal.page()
    assert.equal(portal.phaseOf('hello-alice'), 'ready')
    assert.match(body, /id="card-hello"[^>]* data-phase="ready" data-workspace="hello-alice"/)
    assert.match(body, /href="http:\/\/hello\.localhost:4180\/"/)
    assert.match(body, /Stops if not used<\/dt><dd><time [^>]*data-left>in 10 minutes</)
    for (const act of ['restart', 'stop'])
      assert.match(body, new RegExp(`action="/workspaces/hello-alice/${act}"`))
  })

  it('shows the command for SSH, which is the only way into a template of the kind ssh', async () => {
    const ssh = { method: 'exec', shell: '/bin/sh', user: '' } as const
    const console = testTemplate('console', { kind: 'ssh', ssh, route: { hosts: [] } })
    await using portal = await start(
      [{ ...hello, ssh }, console],
      {},
      { host: 'b.org', port: 2222 },
    )
    const cards = (await portal.page()).split('<section class="tile"')
    const [first = '', second = ''] = ['hello', 'console'].map((id) =>
      cards.find((card) => card.includes(`data-card="${id}"`)),
    )
    assert.match(first, /<code[^>]*>ssh -p 2222 alice\+hello@b\.org<\/code>/)
    assert.match(first, /data-key="open"/)
    assert.match(second, /data-copy="ssh -p 2222 alice\+console@b\.org"/)
    assert.doesNotMatch(second, /data-key="open"/)
    await using unknown = await start([console])
    assert.match(
      await unknown.page(),
      /It is reached by SSH\. Your administrator knows the address/,
    )
  })

  it('shows the position in the queue, and reloads itself without script', async () => {
    await using portal = await start([hello], { maxWorkspaces: 1 })
    await portal.run('hello')
    await portal.run('lab', 'bob')
    await portal.run('lab')
    const body = await portal.page()
    assert.match(body, /Number 2 in the queue/)
    assert.match(body, /All places are taken/)
    assert.match(body, /Leave the queue/)
    assert.match(body, /<noscript><meta http-equiv="refresh" content="5"><\/noscript>/)
    assert.doesNotMatch(await portal.page('carol'), /http-equiv="refresh"/)
  })

  it('says when a workspace is expected to run, by the starts before', async () => {
    await using portal = await start()
    const startSlowly = async (user: string) => {
      const gate = portal.loop.engine.hold('startContainer')
      await portal.run('lab', user)
      return gate
    }
    const gate = await startSlowly('bob')
    assert.doesNotMatch(await portal.page('bob'), /Expected to run/)
    portal.loop.time.advance(20_000)
    gate.letGo()
    await flush()
    await startSlowly('alice')
    const body = await portal.page()
    assert.match(body, /id="card-lab"[^>]* data-phase="starting"/)
    assert.match(body, /Expected to run<\/dt><dd><time [^>]*data-left>/)
  })

  it('explains a failure, with the last lines of the log and a way to try again', async () => {
    await using portal = await start()
    const failure = {
      code: 'start_failed' as const,
      detail: 'It exited with code 127.',
      exitCode: 127,
      log: ['sh: <missing>: not found'],
    }
    portal.loop.engine.fail('createContainer', failure)
    await portal.run('hello')
    const body = await portal.page()
    assert.match(body, /The workspace could not be started\.<\/strong> It exited with code 127/)
    assert.match(body, /sh: &lt;missing&gt;: not found/)
    assert.match(body, /does not exist in its image/)
    assert.match(body, /Try again<span class="hidden"> Hello/)
  })

  it('says why a start would be refused', async () => {
    await using portal = await start([hello], { maxWorkspacesPerUser: 1 })
    await portal.run('hello')
    const body = await portal.page()
    assert.match(body, /Stop one of them first/)
    assert.equal(
      body.match(/as many workspaces as one person/g)?.length,
      1,
      'the card says it once',
    )
  })

  it('says what has changed since the workspace was made', async () => {
    await using portal = await start()
    await portal.run('hello')
    const changed = { specOf: () => 'another', partsOf: () => 'image=1,memory=2,secrets=3' }
    Object.assign(portal.loop.config, changed)
    const body = await portal.page()
    assert.match(body, /Its template has changed since it was made: memory, secrets\. A restart/)
    assert.match(body, /Restart to update/)
  })

  it('computes the size of a home when a person asks for it, with script and without', async () => {
    const spec = { home: { path: '/home/me', volume: '{instance}-{user}-home' } }
    await using portal = await start([testTemplate('files', { spec }), hello])
    const sizes = () => portal.loop.engine.calls.filter((call) => call === 'volumeSizes').length
    assert.doesNotMatch(await portal.page(), /Your home/, 'there is no volume yet')
    portal.loop.engine.homes.push({
      volume: 'alice-home',
      user: userOf('alice').name,
      mounted: false,
    })
    portal.loop.time.advance(60_000)
    await flush()
    assert.match(await portal.page(), /Your home<\/dt><dd>\s*<form[^]*Compute its size/)
    assert.equal(sizes(), 0, 'the engine reads every file for it')

    const gate = portal.loop.engine.hold('volumeSizes')
    const token = await portal.tokenFor()
    assert.equal((await portal.press('/homes/measure', { token })).headers['location'], '/')
    assert.match(await portal.page(), /Your home<\/dt><dd>its size is being computed/)
    gate.letGo()
    await flush()
    const body = await portal.page()
    assert.match(body, /Your home<\/dt><dd>3 MiB, as of <time datetime="[^"]+" data-at>/)
    assert.equal(body.match(/Your home/g)?.length, 1, 'the other template has no home')
    assert.doesNotMatch(body, /Compute/)
    assert.doesNotMatch(await portal.page('bob'), /Your home/)

    assert.equal((await portal.api('POST', '/homes/measure')).status, 202)
    assert.equal(sizes(), 1, 'not again within an hour')
    portal.loop.time.advance(3_600_000)
    assert.match(await portal.page(), /3 MiB[^]*Compute again/)
    assert.equal((await portal.api('POST', '/homes/measure')).status, 202)
    assert.equal(sizes(), 2)
  })

  it('does not let one of several people end a shared workspace', async () => {
    await using portal = await start()
    await portal.run('room')
    const body = await portal.page()
    assert.match(body, /Several people use it/)
    assert.doesNotMatch(body, /action="\/workspaces\/[^"]*\/stop"/)
    const name = /data-card="room"[^>]* data-workspace="([^"]+)"/.exec(body)?.[1]
    const answer = await portal.api('POST', `/workspaces/${name}/stop`)
    assert.equal(answer.status, 409)
    for (const path of ['logs', 'use'])
      assert.equal((await portal.api('GET', `/workspaces/${name}/${path}`)).status, 409, path)
    assert.equal(portal.phaseOf(name ?? ''), 'ready')
  })

  it('refuses with a page of its own, which nobody can frame, without a link to the path of a workspace', async () => {
    await using portal = await start()
    const answer = await portal.ask('/nothing', { headers: { accept: 'text/html' } })
    assert.equal(answer.status, 404)
    assert.match(answer.body, /There is nothing at this address of the portal\./)
    assert.match(answer.body, /<a href="\/">Your workspaces<\/a>/)
    assert.doesNotMatch(answer.body, /href="\/\.berth\/"/)
    assert.match(String(answer.headers['content-security-policy']), /frame-ancestors 'none'/)
    assert.equal(answer.headers['x-frame-options'], 'DENY')
    const json = await portal.ask('/nothing')
    assert.match(String(json.headers['content-type']), /problem\+json/)
  })

  it('is smaller than 40 KiB with all that it loads, and no script holds back its first paint', async () => {
    const many = Array.from({ length: 9 }, (_, index) =>
      testTemplate(`t${index}`, { title: `Template ${index}`, description: 'x'.repeat(80) }),
    )
    await using portal = await start([...many])
    for (const { name } of many) await portal.run(name)
    const page = await portal.ask('/')
    const files = [...page.body.matchAll(/(?:href|src)="(\/\.berth\/assets\/[^"]+)"/g)]
    const paths = [...new Set(files.map(([, path = '']) => path))]
    assert.equal(paths.length, 6)
    const bodies = await Promise.all(paths.map(async (path) => (await portal.ask(path)).body))
    const bytes = [page.body, ...bodies].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    assert.ok(bytes < 40 * 1024, `${bytes} bytes`)
    assert.doesNotMatch(page.body, /<script(?! type="module" src=)/)
    assert.doesNotMatch(page.body, /<style| style=| on\w+=/)
  })
})

describe('a button of the portal without script', () => {
  it('starts a workspace, and leads back to its card', async () => {
    await using portal = await start()
    const token = await portal.tokenFor()
    const answer = await portal.press('/start', { token, template: 'hello' })
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.location, '/#card-hello')
    await flush()
    assert.equal(portal.phaseOf('hello-alice'), 'ready')
  })

  it('stops and restarts it', async () => {
    await using portal = await start()
    await portal.run('hello')
    const token = await portal.tokenFor()
    await portal.press('/workspaces/hello-alice/restart', { token })
    await flush()
    assert.equal(portal.phaseOf('hello-alice'), 'ready')
    assert.deepEqual([...portal.loop.engine.containers.keys()], ['g2'])
    await portal.press('/workspaces/hello-alice/stop', { token })
    await flush()
    assert.equal(portal.phaseOf('hello-alice'), 'stopped')
  })

  it('leaves the queue', async () => {
    await using portal = await start([hello], { maxWorkspaces: 1 })
    await portal.run('hello')
    await portal.run('lab')
    assert.equal(portal.phaseOf('lab-alice'), 'queued')
    await portal.press('/workspaces/lab-alice/stop', { token: await portal.tokenFor() })
    assert.match(await portal.page(), /id="card-lab"[^>]* data-phase="absent"/)
  })

  it('does nothing with the token of another person, or without one, and says so', async () => {
    await using portal = await start()
    for (const token of [await portal.tokenFor('bob'), 'x', '']) {
      const answer = await portal.press('/start', { token, template: 'hello' })
      assert.equal(answer.headers.location, '/?notice=expired')
    }
    await flush()
    assert.equal(portal.phaseOf('hello-alice'), undefined)
    const { body } = await portal.ask('/?notice=expired')
    assert.match(body, /role="alert">Your click had no effect/)
    assert.doesNotMatch((await portal.ask('/?notice=constructor')).body, /role="alert">/)
  })

  it('leads back to the page by GET, as a form whose session had expired arrives after the sign-in', async () => {
    await using portal = await start()
    await portal.run('hello')
    for (const path of ['/start', '/workspaces/hello-alice/stop']) {
      const answer = await portal.ask(path)
      assert.equal(answer.status, 303)
      assert.equal(answer.headers.location, '/?notice=expired')
    }
    assert.equal(portal.phaseOf('hello-alice'), 'ready')
  })

  it('says that something was refused', async () => {
    await using portal = await start()
    const token = await portal.tokenFor()
    const forbidden = await portal.press('/start', { token, template: 'secret' })
    assert.equal(forbidden.headers.location, '/?notice=refused')
    const gone = await portal.press('/workspaces/hello-bob/stop', { token })
    assert.equal(gone.headers.location, '/?notice=gone')
  })

  it('hazard: a form of a workspace with a token that is right: changes nothing', async () => {
    await using portal = await start()
    await portal.run('hello')
    const token = await portal.tokenFor()
    for (const headers of [
      { ...form, origin: 'http://hello.localhost:4180', 'sec-fetch-site': 'same-site' },
      { ...form, origin: 'null', 'sec-fetch-site': 'cross-site' },
    ]) {
      const answer = await portal.press('/workspaces/hello-alice/stop', { token }, 'alice', headers)
      assert.equal(answer.status, 403)
      assert.match(answer.body, /origin_refused/)
    }
    assert.equal(portal.phaseOf('hello-alice'), 'ready')
  })
})

describe('the API on the portal', () => {
  it('shows who is signed in, what they may use and what they have, and nothing of others', async () => {
    await using portal = await start()
    await portal.run('lab')
    await portal.run('lab', 'bob')
    await portal.run('room')
    await portal.run('room', 'bob')
    const names = async (path: string, key: string, user: string) =>
      ((await portal.api('GET', path, undefined, user)).json[key] as { name: string }[]).map(
        ({ name }) => name,
      )
    assert.deepEqual((await portal.api('GET', '/me')).json, { user: 'alice', groups: ['staff'] })
    assert.deepEqual(await names('/templates', 'templates', 'bob'), ['lab', 'room'])
    const [own, shared = ''] = await names('/workspaces', 'workspaces', 'bob')
    assert.equal(own, 'lab-bob')
    const { json } = await portal.api('GET', `/workspaces/${shared}`, undefined, 'bob')
    assert.deepEqual(
      (json['seats'] as { user: string }[]).map(({ user }) => user),
      ['bob'],
    )
  })

  it('does nothing to the workspace of another person', async () => {
    await using portal = await start()
    await portal.run('lab', 'bob')
    for (const [method, path] of [
      ['GET', '/workspaces/lab-bob'],
      ['GET', '/workspaces/lab-bob/logs'],
      ['POST', '/workspaces/lab-bob/stop'],
      ['POST', '/workspaces/lab-bob/restart'],
      ['POST', '/workspaces/lab-bob/extend'],
      ['DELETE', '/workspaces/lab-bob'],
    ] as const)
      assert.equal((await portal.api(method, path)).status, 404, path)
    assert.equal((await portal.ask('/workspaces/lab-bob/log')).status, 404)
    assert.equal(portal.phaseOf('lab-bob'), 'ready')
  })

  it('hazard: the same user name with another subject: sees and ends nothing', async () => {
    await using portal = await start()
    await portal.run('lab')
    const other = { ...here, 'berth-subject': 'u-other', 'content-type': 'application/json' }
    const answer = await portal.ask('/api/v1/workspaces/lab-alice/stop', {
      method: 'POST',
      headers: other,
    })
    assert.equal(answer.status, 404)
    assert.equal(portal.phaseOf('lab-alice'), 'ready')
  })

  it('starts for the person who is signed in only', async () => {
    await using portal = await start()
    const body = { template: 'lab', user: 'bob', subject: 'u-bob' }
    assert.equal((await portal.api('POST', '/workspaces', body)).status, 400)
    assert.equal((await portal.api('POST', '/workspaces', { template: 'secret' })).status, 403)
    const started = await portal.api('POST', '/workspaces', { template: 'lab' })
    assert.equal(started.status, 202)
    assert.equal(started.json['name'], 'lab-alice')
  })

  it('hazard: a form with the right origin: reaches no operation of the API', async () => {
    await using portal = await start()
    await portal.run('lab')
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data'])
      assert.equal(
        (
          await portal.ask('/api/v1/workspaces/lab-alice/stop', {
            method: 'POST',
            headers: { ...here, 'content-type': type },
            body: 'a=b',
          })
        ).status,
        415,
      )
    assert.equal(portal.phaseOf('lab-alice'), 'ready')
  })

  it('describes itself, and refuses what only administrators may do', async () => {
    await using portal = await start()
    const { json } = await portal.api('GET', '/openapi.json')
    const paths = Object.keys(json['paths'] as object)
    assert.ok(paths.includes('/me') && paths.includes('/workspaces/{name}/stop'))
    assert.ok(paths.includes('/admin/workspaces'))
    for (const path of ['/admin/limits', '/admin/history']) {
      assert.ok(paths.includes(path))
      const { status, json: problem } = await portal.api('GET', path)
      assert.deepEqual([status, problem['code']], [403, 'not_admin'])
    }
  })

  it('streams only the workspaces of the person', async () => {
    await using portal = await start()
    await portal.run('lab', 'bob')
    await portal.run('lab')
    const headers = { ...portal.headersOf('alice'), ...here }
    const events = readEvents(await portal.web.open(`${root}/api/v1/events`, { headers }))
    const next = async () => {
      const { name, phase } = (await nextOf(events)).data as { name: string; phase: string }
      return `${name} ${phase}`
    }
    assert.equal(await next(), 'lab-alice ready')
    await portal.api('POST', '/workspaces/lab-bob/stop', undefined, 'bob')
    await portal.api('POST', '/workspaces/lab-alice/stop')
    assert.equal(await next(), 'lab-alice stopping')
  })
})

describe('the log on the portal', () => {
  it('is a page that works without script', async () => {
    await using portal = await start()
    await portal.run('hello')
    const { body } = await portal.ask('/workspaces/hello-alice/log')
    assert.match(body, /<h1>Log of Hello &lt;b&gt;<\/h1>/)
    assert.match(body, />first line\nlast line<\/pre>/)
    assert.equal((await portal.ask('/workspaces/lab-alice/log')).status, 404)
  })

  it('is followed, also into the next container', async () => {
    await using portal = await start()
    await portal.run('lab')
    const headers = { ...portal.headersOf('alice'), ...here }
    const path = `${root}/api/v1/workspaces/lab-alice/logs?follow=1`
    const events = readEvents(await portal.web.open(path, { headers }))
    const next = () => nextOf(events)
    const begin = { lines: ['first line', 'last line'], begins: true }
    assert.deepEqual((await next()).data, begin)
    portal.loop.engine.print('\u001b[31mfurther')
    assert.deepEqual((await next()).data, { lines: ['further'], begins: false })
    await portal.api('POST', '/workspaces/lab-alice/restart')
    assert.equal((await next()).event, 'end')
    assert.deepEqual((await next()).data, begin)
  })

  it('is followed by each person a few times only', async () => {
    await using portal = await start()
    await portal.run('lab')
    const headers = { ...portal.headersOf('alice'), ...here }
    const path = `${root}/api/v1/workspaces/lab-alice/logs?follow=1`
    const answers = []
    for (let round = 0; round < 5; round += 1)
      answers.push(await portal.web.open(path, { headers }))
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode),
      [200, 200, 200, 200, 429],
    )
  })
})

describe('the stream of cards', () => {
  async function follow(portal: Awaited<ReturnType<typeof start>>, user = 'alice') {
    const headers = { ...portal.headersOf(user), ...here }
    const events = readEvents(await portal.web.open(`${root}/events`, { headers }))
    return async () => {
      const { data } = await nextOf(events)
      return {
        data: data as string[] | { id: string; label: string; html: string; version: string },
      }
    }
  }

  it('sends which cards there are and each card, and then each card that has changed', async () => {
    await using portal = await start()
    const next = await follow(portal)
    assert.deepEqual((await next()).data, ['lab', 'hello', 'room'])
    const page = await portal.page()
    for (const id of ['lab', 'hello', 'room']) {
      const { data } = await next()
      assert.ok('version' in data && data.id === id)
      assert.ok(page.includes(data.version), 'the page has it already')
    }
    await portal.run('hello')
    const { data } = await next()
    assert.ok('label' in data && data.id === 'hello')
    assert.equal(data.label, 'Running')
    assert.match(data.html, /^\s*<section class="tile" id="card-hello"/)
  })

  it('keeps the person’s place in the queue', async () => {
    await using portal = await start([hello], { maxWorkspaces: 1 })
    await portal.run('lab', 'bob')
    await portal.run('lab')
    portal.loop.time.advance(29_000)
    const next = await follow(portal)
    await next()
    await flush()
    portal.loop.time.advance(29_000)
    await flush()
    assert.equal(portal.phaseOf('lab-alice'), 'queued')
  })

  it('ends with the page, and follows nothing after that', async () => {
    await using portal = await start()
    const headers = { ...portal.headersOf('alice'), ...here }
    for (let round = 0; round < 25; round += 1) {
      const answer = await portal.web.open(`${root}/events`, { headers })
      assert.equal(answer.statusCode, round < 20 ? 200 : 429)
    }
  })
})

describe('the page about a problem', () => {
  it('is there for every code, under the address that its type names', async () => {
    await using portal = await start()
    for (const code of problemCodes) {
      const { status, body } = await portal.ask(`/problems/${code}`)
      assert.equal(status, 200)
      assert.match(body, new RegExp(`<h1>[^<]+</h1>[^]*<code>${code}</code>`))
    }
    for (const code of ['constructor', 'unknown'])
      assert.equal((await portal.ask(`/problems/${code}`)).status, 404)
  })
})

describe('an answer of the portal', () => {
  it('cannot be framed, embedded, kept or read by another origin', async () => {
    await using portal = await start()
    for (const path of ['/', '/api/v1/me', '/nothing', '/events']) {
      const answer = await portal.web.open(root + path, {
        headers: { ...portal.headersOf('alice'), accept: 'text/html' },
      })
      const { headers } = answer
      answer.destroy()
      assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/, path)
      assert.equal(headers['x-frame-options'], 'DENY')
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
      assert.match(String(headers['cache-control']), /no-store/)
      assert.equal(headers['access-control-allow-origin'], undefined)
    }
  })

  it('hazard: a path that climbs out of the portal: reaches no path of directors', async () => {
    await using portal = await start()
    for (const path of ['/../seats', '/..%2fseats', '/internal/v1/seats', '/.berth/start']) {
      const answer = await portal.ask(path, {
        method: 'POST',
        headers: { ...here, 'content-type': 'application/json' },
        body: '{}',
      })
      assert.equal(answer.status, 404, path)
    }
  })

  it('is not there without PORTAL_URL', async () => {
    await using loop = await startTestLoop()
    await using web = await serveWeb({ workspaces: loop.workspaces })
    assert.equal((await web.ask(`${root}/`)).status, 404)
  })
})
