import assert from 'node:assert/strict'
import { entriesFor } from '../../history/testing/entries.ts'
import { createMemoryHistory } from '../../history/testing/memory-history.ts'
import { describe, it } from 'node:test'
import { startApi, tokenText } from '../testing/api.ts'
import { readEvents } from '@berth/shared/server-sent-events'
import type { WorkspaceName } from '@berth/shared/names'
import { flush } from '../../loop/testing/test-loop.ts'
import { generator } from '../../policy/testing/generator.ts'

describe('the port for scripts', () => {
  for (const [name, authorization] of [
    ['no token', ''],
    ['another token', `Bearer ${tokenText}s`],
    ['the token by another scheme', `Basic ${tokenText}`],
  ] as const)
    it(`refuses every request with ${name}`, async () => {
      await using api = await startApi()
      for (const path of ['/spawn', '/api/v1/workspaces', '/api/v1/openapi.json', '/nothing']) {
        const answer = await api.ask(path, { method: 'POST', headers: { authorization } })
        assert.equal(answer.status, 401)
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="berth"')
        assert.equal((JSON.parse(answer.text) as { code: string }).code, 'identity_missing')
        assert.doesNotMatch(answer.text, new RegExp(tokenText))
      }
      assert.equal(api.workspaces.state().workspaces.size, 0)
    })
})

describe('/api/v1', () => {
  it('starts, shows, lists, stops, restarts and removes a workspace', async () => {
    await using api = await startApi()
    api.director()
    const started = await api.json('POST', '/api/v1/workspaces', { template: 'lab', user: 'ann' })
    assert.equal(started.status, 202, started.text)
    const { name } = JSON.parse(started.text) as { name: string }
    assert.equal(name, 'lab-ann')
    const show = async () =>
      JSON.parse((await api.ask(`/api/v1/workspaces/${name}`)).text) as Record<string, unknown>
    assert.equal((await show())['user'], 'ann')
    const listed = JSON.parse((await api.ask('/api/v1/workspaces?user=ann')).text) as {
      workspaces: unknown[]
    }
    assert.equal(listed.workspaces.length, 1)
    const others = await api.ask('/api/v1/workspaces?user=bob')
    assert.deepEqual(JSON.parse(others.text), { workspaces: [] })
    const logs = await api.ask(`/api/v1/workspaces/${name}/logs?tail=1`)
    assert.equal(logs.status, 200)
    for (const how of ['stop', 'restart'])
      assert.equal((await api.json('POST', `/api/v1/workspaces/${name}/${how}`)).status, 202)
    assert.equal((await api.json('DELETE', `/api/v1/workspaces/${name}`)).status, 202)
  })

  it('shows what counted as use of a workspace, as the directors report it', async () => {
    await using api = await startApi()
    const { commands } = api.director()
    await api.json('POST', '/api/v1/workspaces', { template: 'lab', user: 'ann' })
    const asked = api.ask('/api/v1/workspaces/lab-ann/use')
    while (commands.at(-1)?.event !== 'use') await flush()
    const command = commands.at(-1)
    assert.ok(command?.event === 'use')
    assert.equal(command.data.workspace, 'lab-ann')
    const uses = [
      {
        what: 'frame',
        method: 'GET',
        path: '/ws',
        count: 2,
        fewestBytes: 1,
        mostBytes: 3,
        firstAgoMs: 20,
        lastAgoMs: 10,
      } as const,
    ]
    api.workspaces.reportUses({ director: 'd1', question: command.data.question, uses: [...uses] })
    assert.deepEqual(JSON.parse((await asked).text), { uses })
    assert.equal((await api.ask('/api/v1/workspaces/lab-bob/use')).status, 404)
  })

  it('shows and counts why a check at the activity path told nothing', async () => {
    await using api = await startApi()
    const lab = api.config.templates.get('lab')
    assert.ok(lab !== undefined)
    const asking = { ...lab, policy: { ...lab.policy, activityPath: '/nothing' } }
    api.workspaces.reconfigure({ ...api.config, templates: new Map([['lab', asking]]) })
    const { commands } = api.director()
    await api.json('POST', '/api/v1/workspaces', { template: 'lab', user: 'ann' })
    const show = async () =>
      JSON.parse((await api.ask('/api/v1/workspaces/lab-ann')).text) as Record<string, unknown>
    while ((await show())['phase'] !== 'ready') await flush()
    assert.equal('activityUnknown' in (await show()), false)
    api.time.advance(60_000)
    await flush()
    const command = commands.at(-1)
    assert.ok(command?.event === 'ask')
    const { workspace, generation } = command.data
    const met = { finding: 'status', status: 404 } as const
    api.workspaces.reportActivityCheck({ director: 'd1', workspace, generation, ...met })
    assert.deepEqual((await show())['activityUnknown'], met)
    assert.ok(api.told.includes('lab: status'))
  })

  it('extends only the workspace in the path, and only once', async () => {
    await using api = await startApi({ withUsers: false })
    api.director()
    const [lab] = api.config.templates.values()
    assert.ok(lab)
    const policy = { ...lab.policy, maxLifetimeMs: 3_600_000, extensionMs: 60_000 }
    const templates = new Map([['lab', { ...lab, policy }]])
    api.workspaces.reconfigure({ ...api.config, templates })
    const names: string[] = []
    for (const users of [['ann'], ['ann'], []]) {
      const opened = await api.json('POST', '/api/v1/workspaces', { template: 'lab' })
      const { name: workspace } = JSON.parse(opened.text) as { name: string }
      await flush()
      for (const user of users)
        assert.equal((await api.seat(user, { workspace })).status, 'granted')
      names.push(workspace)
    }
    const [, second, empty] = names
    const post = async (name = '') =>
      (await api.json('POST', `/api/v1/workspaces/${name}/extend`)).status
    const extended = () =>
      names.map((name) => api.workspaces.state().workspaces.get(name as WorkspaceName)?.extendedMs)
    assert.equal(await post(second), 200)
    assert.deepEqual(extended(), [0, 60_000, 0])
    assert.equal(await post(second), 409)
    assert.equal(await post(empty), 200)
    assert.deepEqual(extended(), [0, 60_000, 60_000])
  })

  it('shows templates and limits', async () => {
    await using api = await startApi({ limits: { maxWorkspaces: 7 } })
    const { templates } = JSON.parse((await api.ask('/api/v1/templates')).text) as {
      templates: { name: string }[]
    }
    assert.deepEqual(
      templates.map(({ name }) => name),
      ['lab'],
    )
    const limits = JSON.parse((await api.ask('/api/v1/admin/limits')).text) as {
      workspaces: unknown
    }
    assert.deepEqual(limits.workspaces, { limit: 7, used: 0 })
  })

  it('shows the history to the holder of the token, as JSON and as CSV', async () => {
    await using api = await startApi({ kept: createMemoryHistory(entriesFor(3)) })
    const { status, text } = await api.ask('/api/v1/admin/history?type=refusal')
    assert.equal(status, 200)
    const { entries } = JSON.parse(text) as { entries: { user: string; limit: number }[] }
    assert.deepEqual(
      entries.map(({ user, limit }) => [user, limit]),
      [['p1', 9]],
    )
    const csv = await api.ask('/api/v1/admin/history', { headers: { accept: 'text/csv' } })
    assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/)
    assert.equal(csv.text.trimEnd().split('\r\n').length, 1 + 3)
    assert.equal((await api.ask('/api/v1/admin/history', { method: 'POST' })).status, 405)
    await using none = await startApi()
    const refused = await none.ask('/api/v1/admin/history')
    assert.deepEqual([refused.status, /"code":"conflict"/.test(refused.text)], [409, true])
  })

  it('sends each phase of each workspace as an event', async () => {
    await using api = await startApi()
    api.director()
    const hangUp = new AbortController()
    const response = await fetch(`${api.url}/api/v1/events`, {
      headers: { authorization: `Bearer ${tokenText}` },
      signal: hangUp.signal,
    })
    assert.ok(response.body)
    const events = readEvents(response.body)
    await api.json('POST', '/api/v1/workspaces', { template: 'lab', user: 'ann' })
    const first = await events.next()
    assert.ok(first.done !== true)
    assert.equal(first.value.event, 'phase')
    assert.equal((first.value.data as { name: string }).name, 'lab-ann')
    hangUp.abort()
  })

  for (const [method, path, body, status] of [
    ['POST', '/api/v1/workspaces', { template: 'lab' }, 400],
    ['POST', '/api/v1/workspaces', { template: 'lab', user: 'ann', more: 1 }, 400],
    ['POST', '/api/v1/workspaces', { template: 'other', user: 'ann' }, 404],
    ['POST', '/api/v1/workspaces', { template: 'lab', user: 'a\u0000' }, 400],
    ['PUT', '/api/v1/workspaces', {}, 405],
    ['DELETE', '/api/v1/workspaces/lab-nobody', undefined, 404],
    ['GET', '/api/v1/workspaces/lab-nobody', undefined, 404],
    ['GET', '/api/v1/workspaces?more=1', undefined, 400],
    ['GET', '/api/v1/workspaces/%zz', undefined, 400],
    ['GET', '/api/v1/other', undefined, 404],
    ['POST', '/api/v1/workspaces', { template: 'lab', user: 'x'.repeat(100_000) }, 413],
  ] as const)
    it(`answers ${status} to ${method} ${path} ${JSON.stringify(body)?.slice(0, 50)}`, async () => {
      await using api = await startApi()
      const answer = await api.json(method, path, body)
      assert.equal(answer.status, status, answer.text)
      assert.equal(answer.headers.get('content-type'), 'application/problem+json')
      if (status === 405) assert.equal(answer.headers.get('allow'), 'GET, HEAD, POST')
      assert.equal(api.workspaces.state().workspaces.size, 0)
    })
})

describe('1,000 malformed requests', () => {
  it('are answered with a 4xx each and start nothing', async () => {
    await using api = await startApi()
    api.director()
    const random = generator(20_261_122)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
    const ask = async (): Promise<void> => {
      const [method, path] = [pick(methods), pick(paths)]
      const body = pick(bodies)
      const init = {
        method,
        headers: {
          authorization: pick([`Bearer ${tokenText}`, 'Bearer x', 'Basic eDp5']),
          'content-type': pick(types),
        },
        body,
      }
      const { status, text } = await api.ask(path, init)
      const said = `${method} ${path} ${init.headers['content-type']} ${body.slice(0, 40)}`
      assert.ok(status >= 400 && status < 500, `${said}: ${status} ${text}`)
      assert.ok(text.length > 10, `${said}: ${text}`)
    }
    for (let n = 0; n < 1_000; n += 20) await Promise.all(Array.from({ length: 20 }, ask))
    assert.equal(api.workspaces.state().workspaces.size, 0)
  })
})

/** Each body is invalid for every path. */
const methods = ['POST', 'PUT', 'DELETE', 'PATCH']
const paths = [
  '/spawn',
  '/stop',
  '/spawn?user_id=ann&container_id=lab',
  '/api/v1/workspaces',
  '/api/v1/workspaces/%00',
  '/api/v1/workspaces/%zz/stop',
  '/api/v1/workspaces/lab-ann/extend',
  '/api/v1/__proto__',
  '//spawn',
]
const types = [
  'application/x-www-form-urlencoded',
  'application/json',
  'application/json; charset=utf-16',
  'multipart/form-data; boundary=x',
  'text/plain',
  'nonsense',
]
const bodies = [
  '{',
  '[]',
  'null',
  '"lab"',
  '{"template":7,"user":"ann"}',
  '{"template":"lab","user":""}',
  '{"template":"lab","user":["ann"]}',
  '{"template":"lab","user":"ann","__proto__":{"x":1}}',
  '{"template":"lab","user":"ann","image":"debian"}',
  '{"template":"__proto__","user":"ann"}',
  'container_id=lab',
  'container_id=lab&user_id=%00',
  'container_id[]=lab&user_id[]=ann',
  'container_id=__proto__&user_id=ann',
  'container_id=debian&user_id=ann;rm -rf',
  'container_hex=..%2f..',
  'a=1&'.repeat(50),
  '%ff'.repeat(10_000),
  'x'.repeat(70_000),
]
