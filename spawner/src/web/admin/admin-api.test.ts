import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { flush } from '../../loop/testing/test-loop.ts'
import { here, startAdmin } from '../testing/admin.ts'

type Site = Awaited<ReturnType<typeof startAdmin>>

async function api(site: Site, method: string, path: string, body?: unknown, user?: string) {
  const text = body === undefined ? undefined : JSON.stringify(body)
  // Node gives the body of a DELETE neither a length nor chunks by itself.
  const typed = { 'content-type': 'application/json', 'content-length': String(text?.length) }
  const sent =
    text === undefined ? { headers: here } : { headers: { ...here, ...typed }, body: text }
  const answer = await site.ask(`/api/v1/admin${path}`, { method, ...sent }, user)
  return { status: answer.status, json: JSON.parse(answer.body) as Record<string, unknown> }
}

async function run(site: Site, ...users: string[]): Promise<void> {
  for (const user of users) {
    void site.loop.requestSeat(user)
    await flush()
  }
  site.loop.time.advance(10)
}

describe('the API for administrators', () => {
  it('lists the workspaces of everybody, and the limits', async () => {
    await using site = await startAdmin({ limits: { maxWorkspaces: 7 } })
    await run(site, 'alice', 'bob')
    const { json } = await api(site, 'GET', '/workspaces')
    const names = (json['workspaces'] as { name: string }[]).map(({ name }) => name)
    assert.deepEqual(names, ['lab-alice', 'lab-bob'])
    const one = await api(site, 'GET', '/workspaces?user=bob')
    assert.equal((one.json['workspaces'] as unknown[]).length, 1)
    const limits = await api(site, 'GET', '/limits')
    assert.deepEqual(limits.json['workspaces'], { limit: 7, used: 2 })
    const own = await site.ask('/api/v1/workspaces')
    assert.deepEqual(JSON.parse(own.body), { workspaces: [] })
  })

  it('stops, restarts and removes the workspace of anybody, with or without a reason', async () => {
    await using site = await startAdmin()
    await run(site, 'alice', 'bob')
    const stopped = await api(site, 'POST', '/workspaces/lab-alice/stop')
    assert.deepEqual([stopped.status, stopped.json['phase']], [202, 'stopping'])
    assert.match(String(site.audited[0]?.requestId), /^[0-9a-f-]{36}$/)
    assert.equal(
      (await api(site, 'POST', '/workspaces/lab-bob/restart', { why: 'hangs' })).status,
      202,
    )
    await flush()
    assert.equal((await api(site, 'DELETE', '/workspaces/lab-bob', { why: 'gone' })).status, 202)
    assert.deepEqual(
      site.audited.map(({ act, target, why }) => `${act} ${target} ${why}`),
      ['stop lab-alice ', 'restart lab-bob hangs', 'remove lab-bob gone'],
    )
  })

  it('has the key of an SSH server forgotten', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    const forgot = await api(site, 'DELETE', '/workspaces/lab-alice/host-key')
    assert.deepEqual(forgot, { status: 200, json: {} })
    assert.deepEqual(
      site.audited.map(({ act, target, administrator }) => `${administrator} ${act} ${target}`),
      ['admin forget-host-key lab-alice'],
    )
    assert.equal((await api(site, 'DELETE', '/workspaces/lab-nobody/host-key')).status, 404)
    const by = await api(site, 'DELETE', '/workspaces/lab-alice/host-key', undefined, 'bob')
    assert.equal(by.status, 403)
  })

  it('releases a place, and refuses what is not possible', async () => {
    await using site = await startAdmin({ limits: { maxWorkspaces: 1 } })
    await run(site, 'alice', 'bob')
    assert.equal((await api(site, 'POST', '/workspaces/lab-alice/release')).status, 409)
    assert.equal(
      (await api(site, 'POST', '/workspaces/lab-bob/release', { user: 'x' })).status,
      409,
    )
    assert.equal(
      (await api(site, 'POST', '/workspaces/lab-bob/release', { user: 'bob' })).status,
      202,
    )
    assert.deepEqual(site.loop.workspaces.state().queue, [])
    assert.equal((await api(site, 'POST', '/workspaces/lab-x/stop')).status, 404)
    assert.equal((await api(site, 'POST', '/workspaces/lab-alice/stop', { what: 1 })).status, 400)
  })

  it('is closed to anybody else, and the attempt is audited', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    for (const [method, path] of [
      ['GET', '/workspaces'],
      ['GET', '/limits'],
      ['GET', '/nothing'],
      ['POST', '/workspaces/lab-alice/stop'],
      ['DELETE', '/workspaces/lab-alice'],
    ] as const) {
      const { status, json } = await api(site, method, path, undefined, 'alice')
      assert.deepEqual([status, json['code']], [403, 'not_admin'], path)
    }
    assert.deepEqual(
      site.audited.map(({ target }) => target),
      ['GET /api/v1/admin/workspaces'],
    )
    assert.equal(site.loop.workspaces.state().workspaces.get('lab-alice' as never)?.phase, 'ready')
  })

  it('hazard: another origin: changes nothing', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    const answer = await site.ask('/api/v1/admin/workspaces/lab-alice/stop', {
      method: 'POST',
      headers: { origin: 'http://localhost:4180' },
    })
    assert.equal(answer.status, 403)
    assert.deepEqual(site.audited, [])
  })

  it('is described', async () => {
    await using site = await startAdmin()
    const { paths } = JSON.parse((await site.ask('/api/v1/openapi.json')).body) as {
      paths: Record<
        string,
        Record<string, { responses: object; requestBody?: { required: boolean } }>
      >
    }
    const stop = paths['/admin/workspaces/{name}/stop']?.['post']
    assert.equal(stop?.requestBody?.required, false)
    assert.ok('403' in stop.responses)
    assert.ok(paths['/admin/workspaces/{name}']?.['delete'] !== undefined)
  })
})
