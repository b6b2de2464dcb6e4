import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { readEvents } from '@berth/shared/server-sent-events'
import { startWeb } from '../testing/server.ts'

const path = '/internal/v1/directors/0a1b2c3d4e5f/commands'
const revoke = { event: 'revoke', data: { workspace: 'lab-alice', generation: 'c0ffee' } } as const

describe('the stream of commands', () => {
  it('carries the commands of the loop in order', async () => {
    await using web = await startWeb()
    const answer = await web.open(path)
    assert.match(String(answer.headers['content-type']), /^text\/event-stream/)
    const send = web.workspaces.directors.get('0a1b2c3d4e5f')
    assert.ok(send)
    send({ event: 'routes', data: { routes: [] } })
    send(revoke)
    const events = readEvents(answer)
    assert.deepEqual((await events.next()).value, { event: 'routes', data: { routes: [] } })
    assert.deepEqual((await events.next()).value, revoke)
  })

  it('reports to the loop that the director has disconnected', async () => {
    await using web = await startWeb()
    const answer = await web.open(path)
    const gone = web.workspaces.called('disconnectDirector')
    answer.destroy()
    await gone
    assert.equal(web.workspaces.directors.size, 0)
  })

  it('exists once for each director: a newer stream replaces the older one', async () => {
    await using web = await startWeb()
    const older = await web.open(path)
    older.resume()
    const ended = once(older, 'end')
    const newer = await web.open(path)
    await ended
    assert.equal(web.workspaces.directors.size, 1)
    web.workspaces.directors.get('0a1b2c3d4e5f')?.(revoke)
    assert.deepEqual((await readEvents(newer).next()).value, revoke)
  })

  it('drops a director that does not read, and buffers only a bounded amount for it', async () => {
    await using web = await startWeb()
    const answer = await web.open(path)
    answer.pause()
    answer.socket.pause()
    const send = web.workspaces.directors.get('0a1b2c3d4e5f')
    const host = 'x'.repeat(60_000)
    const routes = [
      {
        template: 'lab',
        prefix: 'lab',
        port: 1,
        hosts: [host],
        shared: false,
        readyPath: '/',
        passIdentity: [],
        passTokens: [],
        backgroundRequests: [],
        connectionIdleMs: 0,
      },
    ]
    let sent = 0
    for (; sent < 2_000 && web.workspaces.directors.size > 0; sent += 1) {
      send?.({ event: 'routes', data: { routes } })
      await turn()
    }
    assert.equal(web.workspaces.directors.size, 0)
    assert.ok(sent < 500, `${sent} times 60 kB`)
    send?.(revoke)
  })

  it('drops a director that has not read for the time of two comments', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using web = await startWeb()
    const answer = await web.open(path)
    answer.pause()
    answer.socket.pause()
    const send = web.workspaces.directors.get('0a1b2c3d4e5f')
    const gone = web.workspaces.called('disconnectDirector')
    const host = 'x'.repeat(60_000)
    const routes = [
      {
        template: 'lab',
        prefix: 'lab',
        port: 1,
        hosts: [host],
        shared: false,
        readyPath: '/',
        passIdentity: [],
        passTokens: [],
        backgroundRequests: [],
        connectionIdleMs: 0,
      },
    ]
    // About 3 MB. The kernel may buffer a part. The rest is below our own limit, so it waits and the stream stays open.
    for (let round = 0; round < 50; round += 1) {
      send?.({ event: 'routes', data: { routes } })
      await turn()
    }
    t.mock.timers.tick(15_000)
    t.mock.timers.tick(15_000)
    for (let round = 0; round < 200 && web.workspaces.directors.size > 0; round += 1) {
      send?.({ event: 'routes', data: { routes } })
      t.mock.timers.tick(15_000)
      await turn()
    }
    await gone
  })

  it('sends a comment every 15 s', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using web = await startWeb()
    const answer = await web.open(path)
    const chunks = answer[Symbol.asyncIterator]()
    assert.equal(String((await chunks.next()).value), 'retry: 1000\n\n')
    t.mock.timers.tick(15_000)
    assert.equal(String((await chunks.next()).value), ':\n\n')
  })

  it('accepts only an id that a container can have, and does not open for HEAD', async () => {
    await using web = await startWeb()
    for (const id of ['..', 'a%2Fb', '-rf', 'x'.repeat(200), '%0a'])
      assert.ok((await web.ask(`/internal/v1/directors/${id}/commands`)).status >= 400)
    assert.equal((await web.ask(path, { method: 'HEAD' })).status, 405)
    assert.equal(web.workspaces.directors.size, 0)
    assert.deepEqual(web.workspaces.calls, [])
  })

  it('closes a request of a client that is not a director', async () => {
    await using web = await startWeb()
    const answer = await web.ask(path, { headers: { authorization: 'Bearer no' } })
    assert.equal(answer.status, 401)
    assert.deepEqual(web.workspaces.calls, [])
  })
})
