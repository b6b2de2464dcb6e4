import assert from 'node:assert/strict'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createProblem } from '@berth/shared/problems'
import { WebSocket, WebSocketServer } from 'ws'
import { nextMessage } from '../testing/next-message.ts'
import { granted, labRoute, startTestBed, type TestBed } from '../testing/test-bed.ts'

const shortMs = 250
/** How much longer than its lease a spawner leaves a workspace alone: longer than this process is ever kept from running. */
const marginMs = 700
const thawMs = 20

/** A workspace that is frozen as soon as its lease is over, and says when something reached it all the same. */
async function startFreezing(leaseMs = shortMs) {
  await using stack = new AsyncDisposableStack()
  const bed = stack.use(await startTestBed())
  const served = new Map<string, number>()
  const whileFrozen: string[] = []
  let leasedUntil = Number.NEGATIVE_INFINITY
  let thaws = 0
  let asking = 0
  let mostAsking = 0
  const frozen = () => performance.now() > leasedUntil + marginMs
  const arrived = (what: string): void => {
    served.set(what, (served.get(what) ?? 0) + 1)
    if (frozen()) whileFrozen.push(what)
  }
  const workspace = await bed.workspace((req, res) => {
    arrived(req.url ?? '')
    req.resume()
    req.on('end', () => res.end(req.url))
  })
  const echo = new WebSocketServer({ server: workspace.server })
  echo.on('connection', (socket) => {
    socket.on('error', () => socket.terminate())
    socket.on('message', (data: Buffer) => {
      arrived(data.toString())
      socket.send(data.toString())
    })
  })
  // Reports renew nothing: it freezes with the lease as it was granted.
  bed.spawner.activity = ({ seats }) =>
    seats.map(({ workspace }) => ({
      workspace,
      leaseMs: Math.max(0, leasedUntil - performance.now()),
    }))
  bed.spawner.seats = async ({ start }) => {
    asking += 1
    mostAsking = Math.max(mostAsking, asking)
    try {
      if (frozen()) {
        if (start === 'no')
          return createProblem(undefined, 'workspace_idle', 'The workspace is not in use.')
        thaws += 1
        await sleep(thawMs)
      }
      leasedUntil = performance.now() + leaseMs
      return granted(workspace.address, { leaseMs })
    } finally {
      asking -= 1
    }
  }
  const built = stack.move()
  return {
    bed,
    served,
    whileFrozen,
    thaws: () => thaws,
    mostAsking: () => mostAsking,
    untilFrozen: async () => {
      while (!frozen()) await sleep(leasedUntil + marginMs - performance.now() + 1)
    },
    [Symbol.asyncDispose]: () => built.disposeAsync(),
  }
}

async function openWebSocket(bed: TestBed): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${bed.director.port}/ws`, {
    headers: {
      host: 'berth.test',
      'x-forwarded-preferred-username': 'alice',
      'x-forwarded-user': 'u-alice',
    },
  })
  socket.on('error', () => socket.terminate())
  await once(socket, 'open')
  return socket
}

describe('hazard: a frozen workspace, whose socket accepts connections and is silent', () => {
  it('serves each of ten requests at once exactly once, with one seat request', async () => {
    await using test = await startFreezing(1_000)
    const { bed } = test
    await bed.request({ path: '/first' })
    for (let round = 0; round < 3; round += 1) {
      await test.untilFrozen()
      const before = bed.spawner.asked.length
      const paths = Array.from({ length: 10 }, (_, i) => `/${round}/${i}`)
      const answers = await Promise.all(
        paths.map((path, i) =>
          bed.request(i % 2 === 0 ? { path } : { path, method: 'POST', body: 'x'.repeat(100_000) }),
        ),
      )
      assert.deepEqual(
        answers.map(({ body }) => body),
        paths,
      )
      assert.equal(bed.spawner.asked.length, before + 1)
      for (const path of paths) assert.equal(test.served.get(path), 1)
    }
    assert.equal(test.thaws(), 4)
    assert.equal(test.mostAsking(), 1)
    assert.deepEqual(test.whileFrozen, [])
  })

  it('serves each request around the moment of freezing once, and gets none while it is frozen', async () => {
    await using test = await startFreezing()
    const sent: Promise<{ path: string; body: string; status: number }>[] = []
    for (let i = 0; i < 120; i += 1) {
      const path = `/${i}`
      sent.push(test.bed.request({ path }).then(({ body, status }) => ({ path, body, status })))
      // Sooner and later than the end of a lease and of its margin.
      if (i % 12 === 11) await sleep(shortMs - 30 + ((i * 37) % (marginMs + 400)))
    }
    for (const { path, body, status } of await Promise.all(sent)) {
      assert.equal(status, 200)
      assert.equal(body, path)
      assert.equal(test.served.get(path), 1)
    }
    assert.ok(test.thaws() > 1, `${test.thaws()} thaws`)
    assert.deepEqual(test.whileFrozen, [])
  })

  it('wakes by data in an open WebSocket, which arrives once and in order', async () => {
    await using test = await startFreezing()
    const socket = await openWebSocket(test.bed)
    const heard: string[] = []
    socket.on('message', (data: Buffer) => heard.push(data.toString()))
    const typed: string[] = []
    for (let round = 0; round < 3; round += 1) {
      await test.untilFrozen()
      const thaws = test.thaws()
      for (const letter of 'abc') {
        typed.push(`${letter}${round}`)
        socket.send(`${letter}${round}`)
      }
      while (heard.length < typed.length) await nextMessage(socket)
      assert.equal(test.thaws(), thaws + 1)
    }
    assert.deepEqual(heard, typed)
    assert.deepEqual(test.whileFrozen, [])
    assert.equal(test.bed.spawner.asked.at(-1)?.start, 'wake')
    socket.close()
  })

  it('does not wake by heartbeats in an open WebSocket, which stays open, and wakes by what is typed there', async () => {
    await using test = await startFreezing()
    await test.bed.introduce([{ ...labRoute, quietFrames: [{ path: '/ws', prefix: '33' }] }])
    const socket = await openWebSocket(test.bed)
    await test.untilFrozen()
    const [thaws, asked] = [test.thaws(), test.bed.spawner.asked.length]
    socket.send('3')
    socket.send('3 again')
    while (!test.served.has('3 again')) await nextMessage(socket)
    assert.deepEqual([test.thaws(), test.bed.spawner.asked.length], [thaws, asked])
    socket.send('42["typed"]')
    while (!test.served.has('42["typed"]')) await nextMessage(socket)
    assert.equal(test.thaws(), thaws + 1)
    socket.close()
  })

  it('keeps a page that waits for heartbeats connected, without waking by its answers, until the person types', async () => {
    await using test = await startFreezing()
    const rule = { path: '/ws', prefix: '33', periodMs: 1_000, answers: '2' }
    await test.bed.introduce([{ ...labRoute, quietFrames: [rule] }])
    const socket = await openWebSocket(test.bed)
    await test.untilFrozen()
    const thaws = test.thaws()
    for (let beats = 0; beats < 2; beats += 1) {
      const [said] = await nextMessage(socket)
      assert.equal(said.toString(), '2')
      assert.equal(test.bed.spawner.asked.at(-1)?.start, 'no')
    }
    assert.equal(test.thaws(), thaws)
    socket.send('typed')
    while (!test.served.has('typed')) await nextMessage(socket)
    assert.equal(test.thaws(), thaws + 1)
    socket.close()
  })

  it('wakes by a page that opens its lost connection anew, and not by what the page sends over an open session', async () => {
    await using test = await startFreezing()
    const { bed } = test
    await bed.introduce([{ ...labRoute, backgroundRequests: ['GET /socket.io/*?*sid=*'] }])
    await bed.request({ path: '/first' })
    await test.untilFrozen()
    const headers = { 'sec-fetch-mode': 'cors' }
    const poll = '/socket.io/?EIO=4&transport=polling'
    const thaws = test.thaws()
    assert.equal((await bed.request({ path: `${poll}&sid=7f`, headers })).status, 503)
    assert.equal(test.thaws(), thaws)
    assert.equal((await bed.request({ path: poll, headers })).status, 200)
    assert.equal(test.thaws(), thaws + 1)
    assert.deepEqual(test.whileFrozen, [])
  })

  it('says a heartbeat of bytes as a binary message', async () => {
    await using test = await startFreezing()
    const rule = { path: '/ws', prefix: '09', periodMs: 1_000, answers: { hex: '09f800' } }
    await test.bed.introduce([{ ...labRoute, quietFrames: [rule] }])
    const socket = await openWebSocket(test.bed)
    await test.untilFrozen()
    const [said, isBinary] = await nextMessage(socket)
    assert.deepEqual([said.toString('hex'), isBinary], ['09f800', true])
    socket.close()
  })

  it('does not wake by a WebSocket whose handshake is a background request, and keeps it open', async () => {
    await using test = await startFreezing()
    await test.bed.introduce([{ ...labRoute, backgroundRequests: ['GET /ws'] }])
    const socket = await openWebSocket(test.bed)
    await test.untilFrozen()
    const asked = test.bed.spawner.asked.length
    socket.send('anything')
    while (!test.served.has('anything')) await nextMessage(socket)
    assert.equal(test.bed.spawner.asked.length, asked)
    socket.close()
  })

  it('decides about the frames of a background handshake by the rules that name its path', async () => {
    await using test = await startFreezing()
    const rules = { backgroundRequests: ['GET /ws'], quietFrames: [{ path: '/ws', prefix: '33' }] }
    await test.bed.introduce([{ ...labRoute, ...rules }])
    const socket = await openWebSocket(test.bed)
    await test.untilFrozen()
    const thaws = test.thaws()
    socket.send('typed')
    while (!test.served.has('typed')) await nextMessage(socket)
    assert.equal(test.thaws(), thaws + 1)
    socket.close()
  })

  it("does not wake by a page's background request, and does not get it", async () => {
    await using test = await startFreezing()
    await test.bed.request({ path: '/first' })
    await test.untilFrozen()
    await test.bed.introduce([labRoute])
    const path = '/api/kernels'
    const answer = await test.bed.request({ path, headers: { 'sec-fetch-mode': 'cors' } })
    assert.equal(answer.status, 503)
    assert.match(answer.body, /workspace_idle/)
    assert.equal(test.served.get(path), undefined)
  })
})
