import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, describe, it } from 'node:test'
import type { SeatAnswer, SeatRequest } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { SeatRefusal } from '../../policy/domain.ts'
import { aliceHeaders, startWeb, type Answer, type TestWeb } from '../testing/server.ts'

const workspace = 'lab-alice' as WorkspaceName
const json = { 'content-type': 'application/json' }
const question = {
  director: 'd1',
  user: { name: 'alice', subject: 'u-alice', groups: ['staff'] },
  template: 'lab',
  protocol: 'http',
  waitMs: 400,
  start: 'start',
}

let web: TestWeb
before(async () => {
  web = await startWeb()
})
after(() => web[Symbol.asyncDispose]())

const post = (
  path: string,
  body: unknown,
  headers: Record<string, string> = json,
): Promise<Answer> =>
  web.ask(path, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

function reply(with_: SeatAnswer | SeatRefusal): Promise<Answer> {
  web.workspaces.reply = async () => with_
  return post('/internal/v1/seats', question)
}

describe('/internal/v1/workspaces/{name}/hold', () => {
  const path = '/internal/v1/workspaces/lab-ann/hold'
  it('holds and ends a hold, and tells since when the workspace is in its phase', async () => {
    const held = await post(path, { ms: 1_000 })
    assert.equal(held.status, 200)
    assert.deepEqual(JSON.parse(held.body), { phase: 'frozen', since: 7 })
    const ended = await web.ask(path, { method: 'DELETE' })
    assert.equal(ended.status, 200)
    const names = web.workspaces.calls.map(({ name }) => name)
    assert.deepEqual(names.slice(-2), ['hold', 'endHold'])
  })
  it('refuses a wrong time and an unknown workspace', async () => {
    assert.equal((await post(path, { ms: 0 })).status, 400)
    const unknown = await post('/internal/v1/workspaces/lab-nobody/hold', { ms: 1_000 })
    assert.equal(unknown.status, 404)
    assert.match(unknown.body, /workspace_unknown/)
  })
})

describe('POST /internal/v1/seats', () => {
  it('answers 200 with workspace, generation, address and lease when granted', async () => {
    const granted = {
      status: 'granted',
      workspace,
      generation: 'c0ffee',
      address: { host: '10.213.0.3', port: 8888 },
      leaseMs: 60_000,
    } as const
    const answer = await reply(granted)
    assert.equal(answer.status, 200)
    assert.deepEqual(JSON.parse(answer.body), granted)
  })

  it('answers with the end of the lifetime', async () => {
    const granted = {
      status: 'granted',
      workspace,
      generation: 'c0ffee',
      address: { host: '10.213.0.3', port: 8888 },
      leaseMs: 60_000,
    } as const
    const endsAt = '1970-01-01T01:00:00.000Z'
    const answer = await reply({ ...granted, endsAt })
    assert.deepEqual(JSON.parse(answer.body), { ...granted, endsAt })
  })

  it('answers 202 with phase and position while waiting', async () => {
    const waiting = {
      status: 'waiting',
      workspace,
      phase: 'queued',
      position: 4,
      etaMs: 900,
    } as const
    const answer = await reply(waiting)
    assert.equal(answer.status, 202)
    assert.deepEqual(JSON.parse(answer.body), waiting)
  })

  it('answers a refusal as a problem, with its workspace, limit and position', async () => {
    const failure = {
      code: 'queue_full',
      detail: 'The queue is full.',
      log: ['not told here'],
    } as const
    const answer = await reply({ status: 'refused', workspace, failure, limit: 50, position: 51 })
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.deepEqual(JSON.parse(answer.body), {
      type: '/problems/queue_full',
      code: 'queue_full',
      title: 'The queue is full',
      status: 503,
      detail: 'The queue is full.',
      workspace,
      limit: 50,
      position: 51,
    })
  })

  it('passes the whole request to the loop, with the defaults', async () => {
    let asked: SeatRequest | undefined
    web.workspaces.reply = async (request) => {
      asked = request
      return { status: 'waiting', workspace, phase: 'queued' }
    }
    await post('/internal/v1/seats', { ...question, unreachable: 'c0ffee' })
    assert.deepEqual(asked, { ...question, navigation: false, unreachable: 'c0ffee' })
  })

  it('stops waiting when the director hangs up', async () => {
    const aborted = new Promise<void>((resolve) => {
      web.workspaces.reply = (_request, signal) =>
        new Promise((answer) => {
          signal.addEventListener('abort', () => {
            resolve()
            answer({ status: 'waiting', workspace, phase: 'queued' })
          })
        })
    })
    const asked = web.workspaces.called('requestSeat')
    const { port } = new URL(web.url)
    const headers = { ...aliceHeaders, ...json }
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/internal/v1/seats',
      headers,
    })
    request.on('error', () => undefined)
    request.end(JSON.stringify(question))
    await asked
    request.destroy()
    await aborted
  })

  for (const [name, body] of [
    ['nothing', ''],
    ['no JSON', '{"director":'],
    ['a list', []],
    ['a number', 7],
    ['an empty director', { ...question, director: '' }],
    ['an unknown start', { ...question, start: 'always' }],
    ['an unknown protocol', { ...question, protocol: 'gopher' }],
    ['a negative wait', { ...question, waitMs: -1 }],
    ['an endless wait', { ...question, waitMs: 1e300 }],
    ['a name with a line break', { ...question, user: { ...question.user, name: 'a\nb' } }],
    ['groups that are not a list', { ...question, user: { ...question.user, groups: 'staff' } }],
  ] as const)
    it(`refuses ${name} with 400 and the reason`, async () => {
      const answer = await post('/internal/v1/seats', body)
      assert.equal(answer.status, 400)
      const problem = JSON.parse(answer.body) as { code: string; detail: string }
      assert.equal(problem.code, 'bad_request')
      assert.notEqual(problem.detail, '')
    })

  it('refuses a body without the content type of JSON', async () => {
    const answer = await post('/internal/v1/seats', question, { 'content-type': 'text/plain' })
    assert.equal(answer.status, 400)
  })

  it('refuses a body that is too large', async () => {
    const answer = await post('/internal/v1/seats', { ...question, x: 'y'.repeat(2_000_000) })
    assert.equal(answer.status, 413)
  })

  it('answers POST only', async () => {
    const answer = await web.ask('/internal/v1/seats')
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.allow, 'POST')
  })
})

describe('POST /internal/v1/activity', () => {
  it('answers with the leases that continue', async () => {
    const seat = { workspace, user: 'alice', lastUseAgoMs: 20, connections: 1 }
    const answer = await post('/internal/v1/activity', { director: 'd1', seats: [seat] })
    assert.equal(answer.status, 200)
    assert.deepEqual(JSON.parse(answer.body), { leases: [{ workspace, leaseMs: 60_000 }] })
  })

  it('accepts the report of a director with many people', async () => {
    const seats = Array.from({ length: 20_000 }, (_, index) => ({
      workspace: `lab-user-${index}`,
      user: `user-${index}`,
      lastUseAgoMs: index,
      connections: 0,
    }))
    const answer = await post('/internal/v1/activity', { director: 'd1', seats })
    assert.equal(answer.status, 200)
  })

  it('refuses a body that is not a report', async () => {
    assert.equal((await post('/internal/v1/activity', { director: 'd1' })).status, 400)
  })
})

describe('POST /internal/v1/probe-results', () => {
  const result = {
    director: 'd1',
    workspace,
    generation: 'c0ffee',
    reachable: true,
    status: 302,
    ms: 12,
  }

  it('passes the result to the loop', async () => {
    assert.equal((await post('/internal/v1/probe-results', result)).status, 204)
    assert.deepEqual(web.workspaces.probes, [result])
  })

  it('refuses a body that is not a result', async () => {
    assert.equal(
      (await post('/internal/v1/probe-results', { ...result, reachable: 'yes' })).status,
      400,
    )
  })
})

describe('POST /internal/v1/ask-results', () => {
  it('passes the answer of an application about being busy to the loop', async () => {
    const word = {
      director: 'd1',
      workspace,
      generation: 'c0ffee',
      busy: true,
      lastActivityAgoMs: 5,
    }
    assert.equal((await post('/internal/v1/ask-results', word)).status, 204)
    assert.deepEqual(web.workspaces.asks, [word])
    const wrong = await post('/internal/v1/ask-results', { ...word, busy: 'perhaps' })
    assert.equal(wrong.status, 400)
  })
})
