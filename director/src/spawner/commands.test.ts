import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type {
  ActivityCheckCommand,
  ProbeCommand,
  RevokeCommand,
  Route,
} from '@berth/shared/contract'
import { eventComment, formatEvent } from '@berth/shared/server-sent-events'
import { pino } from 'pino'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { backoffMs, createCommandStream } from './commands.ts'

/** A spawner's side of the stream. */
function createBody() {
  const chunks: Uint8Array[] = []
  let wake = Promise.withResolvers<void>()
  let ended: 'no' | 'end' | Error = 'no'
  return {
    write(text: string) {
      chunks.push(Buffer.from(text))
      wake.resolve()
    },
    end(how: 'end' | Error = 'end') {
      ended = how
      wake.resolve()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        yield* chunks.splice(0)
        if (ended instanceof Error) throw ended
        if (ended === 'end') return
        await wake.promise
        wake = Promise.withResolvers()
      }
    },
  }
}

function setUp() {
  const time = createFakeTime()
  const heard: {
    routes: Route[][]
    probes: ProbeCommand[]
    asked: ActivityCheckCommand[]
    revoked: RevokeCommand[]
  } = { routes: [], probes: [], asked: [], revoked: [] }
  const bodies: ReturnType<typeof createBody>[] = []
  const opened: number[] = []
  let reachable = true
  const stream = createCommandStream({
    async open(signal) {
      opened.push(time.clock.now())
      if (!reachable) throw new Error('connection refused')
      const body = createBody()
      bodies.push(body)
      signal.addEventListener('abort', () => body.end(new Error('aborted')))
      return body
    },
    handlers: {
      routes: (routes) => void heard.routes.push([...routes]),
      ask: (command) => void heard.asked.push(command),
      probe: (command) => void heard.probes.push(command),
      revoke: (command) => void heard.revoked.push(command),
      use: () => undefined,
    },
    setTimer: time.setTimer,
    random: () => 1,
    log: pino({ level: 'silent' }),
  })
  return {
    time,
    heard,
    bodies,
    opened,
    stream,
    reach: (is: boolean) => {
      reachable = is
    },
  }
}

const route: Route = {
  template: 'lab',
  prefix: 'lab',
  port: 8888,
  hosts: [],
  shared: false,
  readyPath: '/',
  passIdentity: [],
  passTokens: [],
  backgroundRequests: [],
  connectionIdleMs: 60_000,
}

describe('the stream of commands', () => {
  it('makes the director ready with the first snapshot of routes', async () => {
    const { time, heard, bodies, stream } = setUp()
    await time.pass(0)
    assert.equal(stream.introduced(), false)
    bodies[0]?.write(formatEvent('routes', { routes: [route] }))
    await time.pass(0)
    assert.equal(stream.introduced(), true)
    assert.deepEqual(heard.routes, [[route]])
    await stream[Symbol.asyncDispose]()
  })

  it('hands on probes and revocations, and skips commands that are unknown or cannot be read', async () => {
    const { time, heard, bodies, stream } = setUp()
    await time.pass(0)
    const probe = {
      workspace: 'lab-alice',
      generation: 'g1',
      address: { host: '10.213.0.2', port: 8888 },
      path: '/',
      deadlineMs: 1_000,
    }
    bodies[0]?.write(formatEvent('invented', { x: 1 }))
    bodies[0]?.write(formatEvent('probe', { workspace: 'lab-alice' }))
    bodies[0]?.write(formatEvent('probe', probe))
    bodies[0]?.write(formatEvent('revoke', { workspace: 'lab-alice', generation: 'g1' }))
    await time.pass(0)
    assert.deepEqual(heard.probes, [probe])
    assert.deepEqual(heard.revoked, [{ workspace: 'lab-alice', generation: 'g1' }])
    await stream[Symbol.asyncDispose]()
  })

  it('is opened again when it ends, with growing pauses while that fails', async () => {
    const { time, bodies, opened, stream, reach } = setUp()
    await time.pass(0)
    reach(false)
    bodies[0]?.end()
    await time.pass(10_000)
    const pauses = opened.slice(1).map((at, index) => at - (opened[index] ?? 0))
    assert.deepEqual(pauses.slice(0, 7), [100, 200, 400, 800, 1_600, 2_000, 2_000])
    reach(true)
    await time.pass(2_000)
    assert.equal(bodies.length, 2)
    bodies[1]?.write(formatEvent('routes', { routes: [] }))
    await time.pass(0)
    bodies[1]?.end()
    const before = opened.length
    await time.pass(100)
    assert.equal(opened.length, before + 1, 'and begins anew after a success')
    await stream[Symbol.asyncDispose]()
  })

  it('spreads the retries of directors that lost it at the same moment', () => {
    assert.equal(backoffMs(1, 0), 50)
    assert.equal(backoffMs(1, 1), 100)
    assert.equal(backoffMs(30, 1), 2_000)
  })

  it('is given up after 45 s without data, comments included', async () => {
    const { time, bodies, opened, stream } = setUp()
    await time.pass(0)
    for (let quarter = 0; quarter < 8; quarter += 1) {
      bodies[0]?.write(eventComment)
      await time.pass(15_000)
    }
    assert.equal(opened.length, 1)
    await time.pass(30_000 + 100)
    assert.equal(opened.length, 2)
    await stream[Symbol.asyncDispose]()
  })
})
