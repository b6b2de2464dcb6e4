import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { createStandIn } from '../testing/stand-in.ts'
import { startWeb, type Answer, type TestWeb } from '../testing/server.ts'

const here = 'http://localhost:4180'
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const problemType = 'application/problem+json'

let web: TestWeb
before(async () => {
  web = await startWeb({ settings: { problemBase: 'https://portal.example' } })
})
after(() => web[Symbol.asyncDispose]())
beforeEach(() => {
  web.workspaces.calls.length = 0
  web.workspaces.show({ phase: 'queued', position: 2 })
})

const names = (): string[] => web.workspaces.calls.map(({ name }) => name)

function assertProblem(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status)
  assert.equal(answer.headers['content-type'], problemType)
  const problem = JSON.parse(answer.body) as Record<string, unknown>
  assert.equal(problem['code'], code)
  assert.equal(problem['status'], status)
  assert.equal(problem['type'], `https://portal.example/problems/${code}`)
  assert.equal(typeof problem['detail'], 'string')
}

describe('the caller', () => {
  for (const [name, authorization] of [
    ['no secret', ''],
    ['another secret', 'Bearer the internal secret of the test'],
    ['the secret with another scheme', 'Basic the internal secret of the tests'],
  ] as const)
    it(`is refused with ${name} on every path`, async () => {
      for (const path of [
        '/internal/v1/page',
        '/.berth/status',
        '/.berth/assets/page.css',
        '/nothing',
      ]) {
        const answer = await web.ask(path, { headers: { authorization, accept: 'text/html' } })
        assertProblem(answer, 401, 'identity_missing')
      }
      assert.deepEqual(names(), [])
    })

  it('is refused without a name and with an invalid name', async () => {
    const ask = (name: string) => web.ask('/.berth/status', { headers: { 'berth-user': name } })
    assertProblem(await ask(''), 401, 'identity_missing')
    assertProblem(await ask('a%0Ab'), 403, 'identity_invalid')
    assertProblem(await ask('%'), 400, 'bad_request')
    assertProblem(await ask('x'.repeat(257)), 403, 'identity_invalid')
  })

  it('is the person with the exact name that the director sends', async () => {
    await web.ask('/.berth/status', {
      headers: {
        'berth-user': encodeURIComponent("Jäck O'Neil, 100 %"),
        'berth-subject': encodeURIComponent('s:u/b'),
        'berth-groups': 'a%2Cb,c,,%20d',
        'berth-email': 'j%40example.com',
      },
    })
    assert.deepEqual(web.workspaces.calls[0]?.person, {
      name: "Jäck O'Neil, 100 %",
      subject: 's:u/b',
      groups: ['a,b', 'c', ' d'],
      email: 'j@example.com',
    })
  })

  it('is refused for an unknown template', async () => {
    const ask = (template: string) =>
      web.ask('/.berth/status', { headers: { 'berth-template': template } })
    assertProblem(await ask('other'), 404, 'template_unknown')
    assertProblem(await ask('constructor'), 404, 'template_unknown')
  })
})

describe('GET /.berth/status', () => {
  it('answers with the status, starts nothing and reports presence', async () => {
    web.workspaces.show({ phase: 'queued', position: 2, etaMs: 4_000.4, elapsedMs: 1_500.7 })
    const answer = await web.ask('/.berth/status')
    assert.equal(answer.status, 200)
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    assert.equal(answer.headers['cache-control'], 'no-store')
    const { steps, ...status } = JSON.parse(answer.body) as { steps: unknown[] }
    assert.deepEqual(status, {
      template: 'lab',
      workspace: 'lab-alice',
      phase: 'queued',
      elapsedMs: 1_501,
      position: 2,
      etaMs: 4_000,
    })
    assert.equal(steps.length, 5)
    assert.deepEqual(names(), ['reportPresence'])
  })

  it('tells that a person has stopped it, so that no page starts it again by itself', async () => {
    const cancelled = async () => {
      const { body } = await web.ask('/.berth/status')
      return (JSON.parse(body) as { cancelled?: boolean }).cancelled
    }
    web.workspaces.show({ phase: 'stopped' })
    assert.equal(await cancelled(), undefined)
    web.workspaces.show({ phase: 'stopped', cancelled: true })
    assert.equal(await cancelled(), true)
  })

  it('tells how long ago the person last used it, so that a page knows that it goes on', async () => {
    web.workspaces.show({ phase: 'ready', lastUseAgoMs: 1_500.4 })
    const { body } = await web.ask('/.berth/status')
    assert.equal((JSON.parse(body) as { lastUseAgoMs?: number }).lastUseAgoMs, 1_500)
  })

  it('answers with the problem of a failure and of a refusal', async () => {
    web.workspaces.show({
      phase: 'failed',
      failure: { code: 'image_missing', detail: 'No \u001b[1mimage\u001b[0m.' },
    })
    const failed = JSON.parse((await web.ask('/.berth/status')).body) as { problem: unknown }
    assert.deepEqual(failed.problem, {
      code: 'image_missing',
      title: 'The image of the workspace is not available',
      detail: 'No image.',
    })
    web.workspaces.show({
      phase: 'absent',
      refusal: { failure: { code: 'queue_full', detail: 'Full.' } },
    })
    const refused = JSON.parse((await web.ask('/.berth/status')).body) as {
      problem: { code: string }
    }
    assert.equal(refused.problem.code, 'queue_full')
  })
})

describe('POST /.berth/start and /.berth/cancel', () => {
  for (const [path, call, status] of [
    ['/.berth/start', 'requestStart', 202],
    ['/.berth/cancel', 'cancelStart', 200],
  ] as const) {
    it(`${path} acts for the caller only and answers with the status`, async () => {
      const answer = await web.ask(path, { method: 'POST', headers: { origin: here } })
      assert.equal(answer.status, status)
      assert.equal((JSON.parse(answer.body) as { phase: string }).phase, 'queued')
      const acted = web.workspaces.calls.find(({ name }) => name === call)
      assert.equal(acted?.person?.name, 'alice')
      assert.equal(acted?.template, 'lab')
    })

    it(`${path} accepts repeated requests`, async () => {
      for (let round = 0; round < 3; round += 1)
        assert.equal(
          (await web.ask(path, { method: 'POST', headers: { origin: here } })).status,
          status,
        )
    })

    it(`${path} does nothing for a request of another origin`, async () => {
      const headersOf: Record<string, string>[] = [
        {},
        { origin: 'http://evil.example' },
        { origin: 'null' },
        { origin: here, 'sec-fetch-site': 'cross-site' },
        { origin: here, 'sec-fetch-site': 'same-site' },
      ]
      for (const headers of headersOf) {
        const answer = await web.ask(path, {
          method: 'POST',
          headers: { ...form, ...headers },
          body: 'to=/',
        })
        assertProblem(answer, 403, 'origin_refused')
      }
      assert.deepEqual(names(), [])
    })

    it(`${path} refuses another origin with a page if a browser asks for HTML`, async () => {
      const headers = { origin: 'http://evil.example', accept: 'text/html,*/*;q=0.8' }
      const answer = await web.ask(path, { method: 'POST', headers })
      assert.equal(answer.status, 403)
      assert.match(String(answer.headers['content-type']), /^text\/html/)
      assert.match(answer.body, /The request came from another site/)
    })

    it(`${path} leads back to the page by GET, as a form whose session had expired arrives after the sign-in, and changes nothing`, async () => {
      const back = await web.ask(`${path}?to=${encodeURIComponent('/lab/tree?a=1')}`)
      assert.equal(back.status, 303)
      assert.equal(back.headers.location, '/lab/tree?a=1')
      const elsewhere = await web.ask(`${path}?to=${encodeURIComponent('//evil.example')}`)
      assert.equal(elsewhere.headers.location, '/')
      const page = await web.ask(path, { headers: { accept: 'text/html,*/*;q=0.8' } })
      assert.equal(page.headers.location, '/')
      assert.deepEqual(names(), [])
    })

    it(`${path} does not answer GET without an address to lead back to`, async () => {
      const answer = await web.ask(path)
      assertProblem(answer, 405, 'bad_request')
      assert.equal(answer.headers.allow, 'POST')
      assert.deepEqual(names(), [])
    })
  }

  it('accept only an origin with scheme and port of PUBLIC_URL and the host of the request', async () => {
    await using there = await startWeb({ settings: { publicUrl: 'https://berth.example' } })
    const start = (origin: string, host = 'berth.example') =>
      there.ask('/.berth/start', {
        method: 'POST',
        headers: { origin, 'x-forwarded-host': host },
      })
    assert.equal((await start('https://berth.example')).status, 202)
    assert.equal((await start('https://hello.berth.example', 'hello.berth.example')).status, 202)
    assert.equal((await start('https://hello.berth.example')).status, 403)
    assert.equal((await start('http://berth.example')).status, 403)
    assert.equal((await start(here)).status, 403)
  })

  it('accept the host of the request for a template with its own port, because its gateway has another address', async () => {
    const offered = ['lab', 'own'].map((name) => testTemplate(name))
    const [lab, own] = offered
    assert.ok(lab !== undefined && own !== undefined)
    const templates = new Map([
      ['lab', lab],
      ['own', { ...own, route: { hosts: [], listenPort: 9000 } }],
    ])
    const workspaces = createStandIn([...templates.values()], templates)
    const settings = { publicUrl: 'https://berth.example' }
    await using there = await startWeb({ settings, workspaces })
    const start = async (template: string, origin: string, host: string) => {
      const headers = { origin, 'x-forwarded-host': host, 'berth-template': template }
      return (await there.ask('/.berth/start', { method: 'POST', headers })).status
    }
    assert.equal(await start('own', 'https://own.test:8443', 'own.test:8443'), 202)
    assert.equal(await start('own', 'https://evil.test:8443', 'own.test:8443'), 403)
    assert.equal(await start('own', 'https://own.test', 'own.test:8443'), 403)
    assert.equal(await start('lab', 'https://own.test:8443', 'own.test:8443'), 403)
  })

  it('accept the host of the request of a guest, who may come to another address', async () => {
    await using there = await startWeb({
      settings: { publicUrl: 'https://berth.example', portalUrl: 'https://portal.example' },
    })
    const start = async (origin: string, user: string) => {
      const headers = { origin, 'x-forwarded-host': 'try.test:8443', 'berth-user': user }
      return (await there.ask('/.berth/start', { method: 'POST', headers })).status
    }
    const guest = 'guest--0abcdefghi'
    assert.equal(await start('http://try.test:8443', guest), 202)
    assert.equal(await start('http://evil.test:8443', guest), 403)
    assert.equal(await start('http://try.test:8443', 'alice'), 403)
    const keys = (user: string) => there.ask('/.berth/keys', { headers: { 'berth-user': user } })
    assert.equal((await keys('alice')).status, 303)
    assert.equal((await keys(guest)).status, 404)
  })

  for (const [to, location] of [
    ['/lab/tree?a=1&b=2#frag', '/lab/tree?a=1&b=2#frag'],
    ['/x%2Fy//z', '/x%2Fy//z'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['https:evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['/\tx', '/'],
    ['/a\r\nLocation: http://evil.example', '/'],
    ['', '/'],
  ] as const)
    it(`redirect a form with the target ${JSON.stringify(to)} to ${location}`, async () => {
      const body = new URLSearchParams({ to }).toString()
      const answer = await web.ask('/.berth/start', {
        method: 'POST',
        headers: { ...form, origin: here },
        body,
      })
      assert.equal(answer.status, 303)
      assert.equal(answer.headers.location, location)
      assert.ok(names().includes('requestStart'))
    })

  it('redirect to the front page if a form has no target or two targets', async () => {
    for (const body of ['', 'x=1', 'to=/a&to=/b', '__proto__=x', 'constructor=/x']) {
      const answer = await web.ask('/.berth/start', {
        method: 'POST',
        headers: { ...form, origin: here },
        body,
      })
      assert.equal(answer.headers.location, '/')
    }
  })

  it('refuse a form that is too large', async () => {
    const body = `to=/${'a'.repeat(100_000)}`
    const answer = await web.ask('/.berth/start', {
      method: 'POST',
      headers: { ...form, origin: here },
      body,
    })
    assertProblem(answer, 413, 'bad_request')
  })
})

describe('GET /.berth/', () => {
  it('shows the status and starts nothing', async () => {
    web.workspaces.show({ phase: 'absent' })
    const answer = await web.ask('/.berth/?to=%2Flab%3Fa%23b')
    assert.equal(answer.status, 200)
    assert.match(answer.body, /Your workspace is not running/)
    assert.match(answer.body, /name="to" value="\/lab\?a#b"/)
    assert.deepEqual(names(), ['reportPresence'])
  })

  it('leads to the target without script when the workspace is ready', async () => {
    web.workspaces.show({ phase: 'ready' })
    const { body } = await web.ask('/.berth/?to=%2Flab%3Fa')
    assert.match(body, /<noscript><meta http-equiv="refresh" content="0;url=\/lab\?a"><\/noscript>/)
  })

  it('does not lead to another origin', async () => {
    web.workspaces.show({ phase: 'ready' })
    for (const to of ['//evil.example', 'javascript:alert(1)', '/\\evil.example']) {
      const { body } = await web.ask(`/.berth/?to=${encodeURIComponent(to)}`)
      assert.match(body, /content="0;url=\/"/)
      assert.doesNotMatch(body, /evil|javascript:/)
    }
  })
})

describe('GET /.berth/banner.js', () => {
  it('begins the banner on the path of the route, and names files that exist', async () => {
    const answer = await web.ask('/.berth/banner.js', { headers: { 'berth-base': '%2Flab' } })
    assert.equal(answer.status, 200)
    assert.match(String(answer.headers['content-type']), /^text\/javascript/)
    // Its files have other names after an upgrade.
    assert.equal(answer.headers['cache-control'], 'no-cache')
    assert.match(
      answer.body,
      /^import \{ begin \} from '\/lab\/.berth\/assets\/\w+\/banner.js'\nbegin\(/,
    )
    assert.match(answer.body, /"base":"\/lab",.*"byClick":false/)
    const paths = answer.body.match(/\/\.berth\/assets\/[\w./]+/g) ?? []
    assert.equal(paths.length, 2)
    for (const path of paths) assert.equal((await web.ask(path)).status, 200)
    assert.deepEqual(names(), [], 'it starts nothing')
  })
})

describe('GET /.berth/assets', () => {
  it('serves the files that a page names, and browsers may cache them for a year', async () => {
    const { body } = await web.ask('/internal/v1/page')
    const paths = body.match(/\/\.berth\/assets\/[\w./]+/g) ?? []
    assert.equal(new Set(paths).size, 7)
    for (const path of paths) {
      const answer = await web.ask(path)
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable')
      assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    }
  })

  it('serves no other file', async () => {
    const { body } = await web.ask('/internal/v1/page')
    const folder = /\/\.berth\/assets\/[0-9a-f]{16}/.exec(body)?.[0]
    assert.equal((await web.ask(`${folder}/page.css`)).status, 200)
    for (const name of ['..%2fpages.ts', '%2e%2e/pages.ts', 'tsconfig.json', 'constructor'])
      assert.equal((await web.ask(`${folder}/${name}`)).status, 404)
    assert.equal((await web.ask('/.berth/assets/0123456789abcdef/page.css')).status, 404)
    assert.equal((await web.ask('/.berth/assets/page.css')).status, 404)
  })
})

describe('a path without a route', () => {
  it('is answered with 404', async () => {
    for (const path of ['/', '/.berth', '/.berth/other', '/internal/v1/', '/internal/v1/asks'])
      assertProblem(await web.ask(path), 404, 'template_unknown')
  })

  it('is answered with a page if a browser asks for HTML', async () => {
    const answer = await web.ask('/.berth/other', { headers: { accept: 'text/html' } })
    assert.equal(answer.status, 404)
    assert.match(answer.body, /Nothing is offered at this address/)
  })

  it('is answered with a problem without details after an unexpected error', async () => {
    await using broken = await startWeb()
    broken.workspaces.view = () => {
      throw new Error('secret detail')
    }
    const answer = await broken.ask('/.berth/status')
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['content-type'], problemType)
    assert.doesNotMatch(answer.body, /secret detail/)
    const page = await broken.ask('/internal/v1/page')
    assert.match(String(page.headers['content-type']), /^text\/html/)
    assert.doesNotMatch(page.body, /secret detail/)
  })
})
