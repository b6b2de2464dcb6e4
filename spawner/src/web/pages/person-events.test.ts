import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { readEvents, type ServerSentEvent } from '@berth/shared/server-sent-events'
import { startWeb } from '../testing/server.ts'
import { createStandIn } from '../testing/stand-in.ts'

interface Told {
  readonly phase: string
  readonly position?: number
  readonly pullPercent?: number
}

async function next(
  events: AsyncGenerator<ServerSentEvent>,
): Promise<{ event: string; data: Told }> {
  const result = await events.next()
  assert.ok(result.done !== true, 'the stream goes on')
  return { event: result.value.event, data: result.value.data as Told }
}

describe('GET /.berth/events', () => {
  it('sends the status first, then each new phase at once', async () => {
    await using web = await startWeb()
    web.workspaces.show({ phase: 'queued', position: 2 })
    const answer = await web.open('/.berth/events')
    assert.equal(answer.statusCode, 200)
    assert.match(String(answer.headers['content-type']), /^text\/event-stream/)
    assert.match(String(answer.headers['cache-control']), /no-store/)
    assert.equal(answer.headers['x-accel-buffering'], 'no')
    const events = readEvents(answer)
    const first = await next(events)
    assert.equal(first.event, 'phase')
    assert.equal(first.data.position, 2)
    web.workspaces.show({ phase: 'pulling' })
    assert.equal((await next(events)).data.phase, 'pulling')
    web.workspaces.show({ phase: 'ready' })
    assert.equal((await next(events)).data.phase, 'ready')
  })

  it('sends the phase absent if there is no workspace', async () => {
    await using web = await startWeb()
    web.workspaces.show({ phase: 'absent' })
    const events = readEvents(await web.open('/.berth/events'))
    assert.equal((await next(events)).data.phase, 'absent')
    assert.deepEqual(
      web.workspaces.calls.map(({ name }) => name).filter((name) => /Start$/.test(name)),
      [],
    )
  })

  it('combines many progress events, and the last event has the last progress', async () => {
    await using web = await startWeb()
    web.workspaces.show({ phase: 'pulling', pullPercent: 0 })
    const events = readEvents(await web.open('/.berth/events'))
    await next(events)
    for (let percent = 1; percent <= 90; percent += 1)
      web.workspaces.show({ phase: 'pulling', pullPercent: percent })
    assert.equal((await next(events)).data.pullPercent, 90)
  })

  it('sends no event when only time has passed', async () => {
    await using web = await startWeb()
    web.workspaces.show({ phase: 'starting', elapsedMs: 1 })
    const events = readEvents(await web.open('/.berth/events'))
    await next(events)
    web.workspaces.show({ phase: 'starting', elapsedMs: 900 })
    web.workspaces.show({ phase: 'probing', elapsedMs: 901 })
    assert.equal((await next(events)).data.phase, 'probing')
  })

  it('reports presence at once and every 10 s, until the person closes the stream', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using web = await startWeb()
    const seen = () => web.workspaces.calls.filter(({ name }) => name === 'reportPresence').length
    const answer = await web.open('/.berth/events')
    await next(readEvents(answer))
    assert.equal(seen(), 1)
    t.mock.timers.tick(10_000)
    t.mock.timers.tick(10_000)
    assert.equal(seen(), 3)
    const unfollowed = web.workspaces.called('unfollow')
    answer.destroy()
    await unfollowed
    t.mock.timers.tick(60_000)
    assert.equal(seen(), 3)
    assert.equal(web.workspaces.followers.size, 0)
  })

  it('sends a heartbeat every 15 s that a script can hear, so that no proxy closes the idle stream', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using web = await startWeb()
    const answer = await web.open('/.berth/events')
    const chunks = answer[Symbol.asyncIterator]()
    let text = ''
    while (!text.includes('event: phase')) text += String((await chunks.next()).value)
    assert.doesNotMatch(text, /beat/)
    t.mock.timers.tick(15_000)
    text = String((await chunks.next()).value)
    assert.equal(text, 'event: beat\ndata: {}\n\n')
  })

  it('announces the end of the lifetime once, when the policy warns of it', async () => {
    await using web = await startWeb()
    const endsAt = new Date(3_600_000).toISOString()
    web.workspaces.show({ phase: 'ready', endsAt })
    const events = readEvents(await web.open('/.berth/events'))
    assert.equal((await next(events)).event, 'phase')
    web.workspaces.show({ phase: 'ready', endsAt, endWarned: true })
    const { event, data } = await next(events)
    assert.equal(event, 'end')
    assert.equal((data as unknown as { endsAt: string }).endsAt, endsAt)
    web.workspaces.show({ phase: 'ready', endsAt, endWarned: true })
    web.workspaces.show({ phase: 'stopping' })
    assert.equal((await next(events)).event, 'phase')
  })

  it('is limited in number for each person, and a closed stream frees its place', async () => {
    await using web = await startWeb()
    const open = await Promise.all(Array.from({ length: 50 }, () => web.open('/.berth/events')))
    const refused = await web.ask('/.berth/events')
    assert.equal(refused.status, 429)
    assert.match(refused.body, /limit_connections/)
    const bob = await web.open('/.berth/events', { headers: { 'berth-user': 'bob' } })
    assert.equal(bob.statusCode, 200)
    const unfollowed = web.workspaces.called('unfollow')
    open[0]?.destroy()
    await unfollowed
    assert.equal((await web.open('/.berth/events')).statusCode, 200)
  })

  it('buffers a bounded amount for a slow reader, who gets the latest status later or is dropped', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const workspaces = createStandIn()
    await using web = await startWeb({ workspaces })
    // The events are long, so that they fill the buffers of the kernel soon.
    const title = 'x'.repeat(900)
    workspaces.show({ phase: 'starting', failure: { code: 'start_failed', detail: title } })
    const answer = await web.open('/.berth/events')
    answer.pause()
    answer.socket.pause()
    const unfollowed = workspaces.called('unfollow')
    let gone = false
    void unfollowed.then(() => (gone = true))
    for (let round = 0; round < 40_000 && !gone; round += 1) {
      const phase = round % 2 === 0 ? 'probing' : 'starting'
      workspaces.show({ phase, failure: { code: 'start_failed', detail: `${round} ${title}` } })
      if (round % 500 === 499) await pause(0)
    }
    assert.equal(
      gone,
      false,
      'events that are not read are not sent, so the stream is not dropped for its length',
    )
    t.mock.timers.tick(15_000)
    t.mock.timers.tick(15_000)
    await unfollowed
  })

  it('opens no stream for HEAD', async () => {
    await using web = await startWeb()
    const answer = await web.ask('/.berth/events', { method: 'HEAD' })
    assert.equal(answer.status, 405)
    assert.equal(web.workspaces.followers.size, 0)
  })
})
