import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nameOf, withReady, type Scenario } from '../../policy/testing/scenario.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { startWeb, type Ask } from '../testing/server.ts'
import type { ViewChange } from '../testing/stand-in.ts'

const here = {
  origin: 'http://localhost:4180',
  'content-type': 'application/x-www-form-urlencoded',
}
const byHand = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }
const running: ViewChange = { phase: 'ready', owned: true }

/** The web of a person, ann, who has a workspace of the template `lab`. */
async function webOf(story: Scenario = withReady(['ann']), template = 'lab') {
  const web = await startWeb()
  const ended: unknown[] = []
  web.workspaces.state = () => story.state
  web.workspaces.templateNamed = (name) => ({ name, title: name })
  web.workspaces.end = (name, how) => void ended.push([name, how])
  const ask = (path: string, options: Ask = {}) => {
    const headers = { 'berth-user': 'ann', 'berth-subject': 'u-ann', 'berth-template': template }
    return web.ask(path, { ...options, headers: { ...headers, ...options.headers } })
  }
  const post = (path: string, fields: Record<string, string> = {}, headers = {}) =>
    ask(path, {
      method: 'POST',
      headers: { ...here, ...headers },
      body: new URLSearchParams(fields).toString(),
    })
  return { web, ended, ask, post, [Symbol.asyncDispose]: () => web[Symbol.asyncDispose]() }
}

/** Ann is on the page of the template `board`, of which she has no workspace. */
async function onAnother(change: ViewChange = { phase: 'absent' }) {
  const story = withReady(['ann', 'bob'])
  const { config } = story.state
  const templates = new Map([...config.templates, ['board', testTemplate('board')]])
  story.state = { ...story.state, config: { ...config, templates } }
  const there = await webOf(story, 'board')
  there.web.workspaces.show(change)
  return there
}

describe('the page at /.berth/', () => {
  it('shows when the workspace ends, for script and without, and has a button for each thing that its owner may do', async () => {
    await using there = await webOf()
    const endsAt = '2030-01-01T12:34:56.000Z'
    const idle = { freezeMs: 600_000, stopMs: 3_600_000 }
    there.web.workspaces.show({ ...running, endsAt, idle, more: { extensionMs: 7_200_000 } })
    const { body, status } = await there.ask('/.berth/')
    assert.equal(status, 200)
    assert.match(body, /<time datetime="2030-01-01T12:34:56\.000Z">2030-01-01 12:34 UTC<\/time>/)
    assert.match(body, /Pauses when unused for<\/dt><dd>10 minutes/)
    assert.match(body, /Stops when unused for<\/dt><dd>an hour/)
    assert.match(body, /Extend by 2 hours/)
    for (const act of ['extend', 'restart', 'stop'])
      assert.match(body, new RegExp(`<form method="post" action="/\\.berth/${act}">`))
  })

  it('calls a restart an update where there is a newer version', async () => {
    await using there = await webOf()
    there.web.workspaces.show({ ...running, more: { outdated: true } })
    const { body } = await there.ask('/.berth/')
    assert.match(body, /A newer version of it is available/)
    assert.match(body, /Restart to update/)
  })

  it('says that a frozen workspace is paused', async () => {
    await using there = await webOf()
    there.web.workspaces.show({ ...running, phase: 'frozen' })
    assert.match((await there.ask('/.berth/')).body, /Your workspace is paused/)
  })

  for (const phase of ['ready', 'frozen'] as const)
    it(`is the answer to a page that loaded itself again and was not served (${phase}), and opens nothing by itself`, async () => {
      await using there = await webOf()
      there.web.workspaces.show({ ...running, phase })
      const headers = { 'berth-target': '%2Ftree', 'berth-unattended': 'true' }
      const { body, status } = await there.ask('/internal/v1/page', { headers })
      assert.equal(status, 503)
      assert.match(body, /<a class="button" href="\/tree">Open it<\/a>/)
      assert.doesNotMatch(body, /http-equiv="refresh"/i)
    })

  it('does not offer to end a workspace that several people use', async () => {
    await using there = await webOf()
    there.web.workspaces.show({ phase: 'ready', owned: false })
    const { body } = await there.ask('/.berth/')
    assert.doesNotMatch(body, /\/\.berth\/(?:stop|restart)"/)
    assert.match(body, /Several people use it/)
  })

  it('says that a workspace is being stopped, and its refresh starts nothing', async () => {
    await using there = await webOf()
    there.web.workspaces.show({ phase: 'stopping', owned: true, leaves: true })
    const { body } = await there.ask('/internal/v1/page', {
      headers: { 'berth-target': '%2Ftree' },
    })
    assert.match(body, /Your workspace is being stopped/)
    assert.match(body, /content="2;url=\/\.berth\/\?to=%2Ftree"/)
  })

  it('is linked from every page', async () => {
    await using there = await webOf()
    for (const change of [
      running,
      { phase: 'queued' },
      { phase: 'absent' },
      { phase: 'failed', failure: { code: 'start_failed', detail: 'x' } },
      { phase: 'absent', refusal: { failure: { code: 'template_forbidden', detail: 'x' } } },
    ] as const) {
      there.web.workspaces.show(change)
      const { body } = await there.ask('/internal/v1/page', { headers: { 'berth-base': '%2Fa' } })
      assert.match(body, /<a href="\/a\/\.berth\/">Your workspaces<\/a>/)
    }
    const { body } = await there.ask('/.berth/nothing', { headers: { accept: 'text/html' } })
    assert.match(body, /<a href="\/\.berth\/">Your workspaces<\/a>/)
  })

  it('lists the other workspaces of the person, with a button to stop each, and none of another person', async () => {
    await using there = await onAnother()
    const { body } = await there.ask('/.berth/')
    assert.match(body, /Your other workspaces/)
    assert.match(body, /name="workspace" value="lab-ann"/)
    assert.match(body, /<strong>Lab<\/strong> <span class="state">running/)
    assert.doesNotMatch(body, /lab-bob/)
  })
})

describe('the page of a person who has as many workspaces as one person may have', () => {
  const limited: ViewChange = {
    phase: 'absent',
    refusal: { failure: { code: 'limit_user', detail: 'Stop one of them first.' }, limit: 1 },
  }

  it('lists them with a button to stop each, which leads back to what the person wants', async () => {
    await using there = await onAnother(limited)
    const { body, status } = await there.ask('/internal/v1/page', {
      headers: { 'berth-target': '%2Fwanted' },
    })
    assert.equal(status, 429)
    assert.match(body, /Workspaces at the same time<\/dt><dd>1</)
    assert.match(
      body,
      /action="\/\.berth\/stop"><input type="hidden" name="workspace" value="lab-ann"><input type="hidden" name="to" value="\/wanted">/,
    )
  })

  it('goes on by itself once one of them is being stopped', async () => {
    await using there = await onAnother(limited)
    const story = withReady(['ann'])
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'stop' })
    there.web.workspaces.state = () => story.state
    const { body } = await there.ask('/internal/v1/page')
    assert.match(body, /One of them is being stopped/)
    assert.match(body, /<noscript><meta http-equiv="refresh" content="2"><\/noscript>/)
  })
})

describe('POST /.berth/stop', () => {
  it('stops the workspace of the route, and leads to the page that says so', async () => {
    await using there = await webOf()
    there.web.workspaces.show(running)
    const answer = await there.post('/.berth/stop', { to: '/.berth/' })
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.location, '/.berth/')
    assert.deepEqual(there.ended, [['lab-ann', 'stop']])
  })

  it('stops another workspace of the person by a click', async () => {
    await using there = await onAnother()
    const click = { ...byHand, 'sec-fetch-user': '?1' }
    assert.equal((await there.post('/.berth/stop', { workspace: 'lab-ann' }, click)).status, 303)
    assert.deepEqual(there.ended, [['lab-ann', 'stop']])
  })

  for (const [name, workspace, headers, status] of [
    ['without a click', 'lab-ann', byHand, 403],
    ['of a script', 'lab-ann', { 'sec-fetch-mode': 'cors', 'sec-fetch-user': '?1' }, 403],
    ['for the workspace of another person', 'lab-bob', {}, 404],
    ['for a workspace that does not exist', 'lab-zoe', {}, 404],
  ] as const)
    it(`does nothing ${name}`, async () => {
      await using there = await onAnother()
      assert.equal((await there.post('/.berth/stop', { workspace }, headers)).status, status)
      assert.deepEqual(there.ended, [])
    })

  it('stops no other workspace from the page of one that several people share', async () => {
    const story = withReady(['ann'])
    const { config } = story.state
    const shared = testTemplate('board', { policy: { seats: 5 } })
    const templates = new Map([...config.templates, ['board', shared]])
    story.state = { ...story.state, config: { ...config, templates } }
    await using there = await webOf(story, 'board')
    there.web.workspaces.show({ phase: 'absent' })
    assert.doesNotMatch((await there.ask('/.berth/')).body, /name="workspace"/)
    assert.equal((await there.post('/.berth/stop', { workspace: 'lab-ann' })).status, 403)
    assert.deepEqual(there.ended, [])
  })

  it('does not stop a workspace that several people use', async () => {
    await using there = await webOf()
    there.web.workspaces.show({ phase: 'ready', owned: false })
    for (const path of ['/.berth/stop', '/.berth/restart'])
      assert.equal((await there.post(path)).status, 409)
    assert.deepEqual(there.ended, [])
  })
})

describe('POST /.berth/restart', () => {
  it('restarts a workspace also if there is no newer version', async () => {
    await using there = await webOf()
    there.web.workspaces.show(running)
    assert.equal((await there.post('/.berth/restart')).status, 303)
    assert.deepEqual(there.ended, [['lab-ann', 'restart']])
  })

  it('starts a workspace that does not exist', async () => {
    await using there = await webOf()
    there.web.workspaces.show({ phase: 'absent' })
    await there.post('/.berth/restart')
    assert.ok(there.web.workspaces.calls.some(({ name }) => name === 'requestStart'))
  })
})
