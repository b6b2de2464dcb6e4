import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startWeb, type TestWeb } from '../testing/server.ts'

const below = { 'berth-base': '%2Flab', 'berth-target': '%2Flab%2Ftree' }
const here = {
  origin: 'http://localhost:4180',
  'content-type': 'application/x-www-form-urlencoded',
}

let web: TestWeb
before(async () => {
  web = await startWeb()
})
after(() => web[Symbol.asyncDispose]())

describe('the pages of a route with a path', () => {
  for (const [name, change] of [
    ['in the queue', { phase: 'queued' }],
    ['when nothing is starting', { phase: 'absent' }],
    ['after a failure', { phase: 'failed', failure: { code: 'start_failed', detail: 'x' } }],
    ['that runs', { phase: 'ready', more: { extensionMs: 3_600_000, outdated: true } }],
  ] as const)
    it(`have every link, form and file below the path: ${name}`, async () => {
      web.workspaces.show(change)
      for (const path of ['/internal/v1/page', '/.berth/']) {
        const { body } = await web.ask(path, { headers: below })
        const links = [...body.matchAll(/(?:href|src|action)="(\/[^"]*)"/g)].map(([, link]) => link)
        assert.ok(links.length >= 3)
        for (const link of links)
          if (link !== '/.berth/sign-out') assert.match(String(link), /^\/lab\//)
        assert.match(body, /data-base="\/lab"/)
        assert.match(body, /\/lab\/\.berth\/assets\/[0-9a-f]{16}\/page\.js/)
      }
    })

  it('redirect a form without a target below the path, too', async () => {
    const headers = { ...below, ...here }
    const answer = await web.ask('/.berth/start', { method: 'POST', headers })
    assert.equal(answer.headers.location, '/lab/')
  })

  it('ignore a base that is not a path', async () => {
    web.workspaces.show({ phase: 'queued' })
    for (const base of ['//evil.example', '/a"b', 'javascript:x', '/a/', '/a b', 'x']) {
      const headers = { 'berth-base': encodeURIComponent(base) }
      const { body } = await web.ask('/internal/v1/page', { headers })
      assert.match(body, /data-base=""/)
    }
  })
})

describe('a route to one workspace', () => {
  it('shows, follows and starts that workspace', async () => {
    await using own = await startWeb()
    const asked: unknown[] = []
    own.workspaces.view = (person, template, only) => {
      asked.push(only)
      return web.workspaces.view(person, template)
    }
    own.workspaces.requestStart = (_person, _template, only) => void asked.push(only)
    const headers = { 'berth-workspace': 'lab-shared--3', ...here }
    await own.ask('/.berth/status', { headers })
    await own.ask('/.berth/start', { method: 'POST', headers })
    assert.deepEqual(new Set(asked), new Set(['lab-shared--3']))
  })

  it('starts nothing for a person without access to that workspace', async () => {
    const failure = { code: 'template_forbidden', detail: 'This workspace is not yours.' } as const
    await using own = await startWeb()
    own.workspaces.show({ phase: 'absent', refusal: { failure } })
    const headers = { 'berth-workspace': 'lab-bob', ...here }
    const answer = await own.ask('/.berth/start', { method: 'POST', headers })
    assert.equal(answer.status, 403)
    assert.ok(own.workspaces.calls.every(({ name }) => name !== 'requestStart'))
  })
})

describe('a template that waits for a click', () => {
  it('shows its title, description and icon and a start button', async () => {
    const icon = 'data:image/svg+xml;base64,PHN2Zy8+'
    const offer = { description: 'Statistics for everybody.', icon, byClick: true }
    web.workspaces.show({ phase: 'absent', title: 'R Studio', offer })
    const { body, status } = await web.ask('/internal/v1/page')
    assert.equal(status, 503)
    assert.match(
      body,
      /<h1><img class="icon" src="data:image\/svg\+xml;base64,PHN2Zy8\+"[^>]*> Start R Studio<\/h1>/,
    )
    assert.match(body, /Statistics for everybody\./)
    assert.match(body, /action="\/\.berth\/start"/)
  })

  it('shows no icon of another origin', async () => {
    for (const icon of ['https://evil.example/x.png', '//evil.example/x', 'data:text/html,x']) {
      const offer = { description: '', icon, byClick: true }
      web.workspaces.show({ phase: 'absent', offer })
      assert.doesNotMatch((await web.ask('/internal/v1/page')).body, /<img|evil/)
    }
  })
})

describe('a queue', () => {
  for (const [waitsFor, words] of [
    ['limit_total', /All places are taken/],
    ['limit_memory', /memory for workspaces is in use/],
    ['limit_user', /as many workspaces as one person may have/],
    ['limit_template', /places for this kind/],
    ['starting', /Other workspaces are starting/],
  ] as const)
    it(`shows in words that the person waits for ${waitsFor}`, async () => {
      web.workspaces.show({ phase: 'queued', position: 2, more: { waitsFor } })
      assert.match((await web.ask('/internal/v1/page')).body, words)
    })
})

describe('POST /.berth/extend, /.berth/restart and /.berth/stop', () => {
  it('extend only a workspace that can be extended', async () => {
    web.workspaces.show({ phase: 'ready', more: { extensionMs: 60_000 } })
    const post = () => web.ask('/.berth/extend', { method: 'POST', headers: here })
    const extended = web.workspaces.called('extend')
    assert.equal((await post()).status, 303)
    await extended
    web.workspaces.show({ phase: 'ready' })
    assert.equal((await post()).status, 409)
  })

  it('do nothing for another origin', async () => {
    web.workspaces.show({ phase: 'ready', more: { extensionMs: 60_000, outdated: true } })
    for (const path of ['/.berth/extend', '/.berth/restart', '/.berth/stop']) {
      const headers = { ...here, origin: 'http://evil.example' }
      assert.equal((await web.ask(path, { method: 'POST', headers })).status, 403)
    }
  })
})
