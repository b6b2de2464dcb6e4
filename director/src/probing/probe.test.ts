import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { systemClock } from '@berth/shared/clock'
import type { Address, Finding, ProbeCommand, ProbeResult } from '@berth/shared/contract'
import { parseSubnetPool } from '@berth/shared/subnet-pool'
import { pino } from 'pino'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { systemTimer } from '@berth/shared/timer'
import { selfSigned } from '@berth/shared/testing/self-signed'
import { startDeafWorkspace } from '../testing/loopback.ts'
import { createProbe, nextStepMs, tryProbeOnce, type TryProbe } from './probe.ts'
import { createReadinessProbes } from './readiness-probes.ts'

const command: ProbeCommand = {
  workspace: 'lab-alice',
  generation: 'g1',
  address: { host: '127.5.0.1', port: 8888 },
  path: '/',
  deadlineMs: 10_000,
}

const pool = parseSubnetPool('127.5.0.0/16')
assert(pool !== undefined)
const log = pino({ level: 'silent' })

function timed(tryProbe: TryProbe) {
  const time = createFakeTime()
  const pauses: number[] = []
  const probe = createProbe({
    clock: time.clock,
    tryProbe,
    async sleep(ms) {
      pauses.push(ms)
      await time.pass(ms)
    },
  })
  return { probe, pauses }
}

describe('a probe', () => {
  it('tries in steps of 20 ms that grow to 250', () => {
    const steps: number[] = []
    for (let step = nextStepMs(undefined); steps.length < 9; step = nextStepMs(step))
      steps.push(step)
    assert.equal(steps[0], 20)
    assert.ok(steps.every((step, index) => index === 0 || step >= (steps[index - 1] ?? 0)))
    assert.equal(steps.at(-1), 250)
  })

  it('asks nothing where nothing has to listen: what runs is ready', async () => {
    const address = { host: '127.5.0.1', port: 1, scheme: 'none' as const }
    const tried = await tryProbeOnce({ ...command, address }, 1_000, new AbortController().signal)
    assert.deepEqual(tried, { connected: true })
  })

  it('ends with the first status below 500', async () => {
    const statuses = [undefined, 502, 503, 404]
    const { probe, pauses } = timed(async () => {
      const status = statuses.shift()
      return status === undefined ? {} : { status }
    })
    const result = await probe(command, new AbortController().signal)
    assert.equal(result.reachable, true)
    assert.equal(result.status, 404)
    assert.equal(pauses.length, 3)
    assert.equal(result.ms, Math.round(pauses.reduce((sum, ms) => sum + ms, 0)))
  })

  it('ends at its deadline and reports the last status', async () => {
    const { probe } = timed(async () => ({ status: 503 }))
    const result = await probe(command, new AbortController().signal)
    assert.deepEqual(result, {
      workspace: 'lab-alice',
      generation: 'g1',
      reachable: false,
      finding: 'status',
      status: 503,
      ms: 10_000,
    })
  })

  it('reports what the try before met if its deadline cut the last one short', async () => {
    const met = ['refused', 'refused'] as const
    let tries = 0
    const { probe } = timed(async (_command, timeoutMs) => {
      const finding = met[tries++]
      return { finding: finding ?? (timeoutMs < 5_000 ? 'silent' : 'refused') }
    })
    const { finding, reachable } = await probe(command, new AbortController().signal)
    assert.deepEqual([reachable, finding], [false, 'refused'])
  })

  it('opens a connection for each try, names the workspace as the host and closes the connection', async () => {
    const server = http.createServer((req, res) => {
      assert.equal(req.headers.host, `lab-alice:${(server.address() as AddressInfo).port}`)
      assert.equal(req.url, '/ready?x=1')
      // An answer that never ends must not hold the probe.
      res.writeHead(302, { location: '/login' }).write('…')
    })
    const closed: Promise<unknown>[] = []
    server.on('connection', (socket) => closed.push(once(socket, 'close')))
    const { port } = await listening(server)
    const tried = { ...command, address: { host: '127.5.0.1', port }, path: '/ready?x=1' }
    const signal = new AbortController().signal
    assert.deepEqual(await tryProbeOnce(tried, 1_000, signal), { status: 302 })
    assert.deepEqual(await tryProbeOnce(tried, 1_000, signal), { status: 302 })
    await Promise.all(closed)
    assert.equal(closed.length, 2)
    server.close()
  })

  for (const [what, serve, finding] of [
    ['a port that nothing listens on', undefined, 'refused'],
    ['a connection that is closed', (socket) => socket.destroy(), 'closed'],
    ['a connection without an answer', () => undefined, 'silent'],
    ['an answer that is not HTTP', (socket) => socket.end('SSH-2.0-OpenSSH\r\n'), 'not_http'],
    [
      'headers that are too large',
      (socket) => socket.end(`HTTP/1.1 200 OK\r\nX-Large: ${'a'.repeat(200_000)}\r\n\r\n`),
      'oversized',
    ],
    ['the alert of a TLS server', (socket) => socket.end('\x15\x03\x01\0\x02\x02\x46'), 'tls'],
  ] as const satisfies readonly (readonly [
    string,
    ((socket: Socket) => void) | undefined,
    Finding,
  ])[])
    it(`tells ${what}: ${finding}`, async () => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => socket.destroy())
        serve?.(socket)
      })
      const { port } = await listening(server)
      if (serve === undefined) server.close()
      const tried = { ...command, address: { host: '127.5.0.1', port } }
      assert.deepEqual(await tryProbeOnce(tried, 200, new AbortController().signal), { finding })
      for (const socket of sockets) socket.destroy()
      server.close()
    })

  it('tells an address that takes no connection', async () => {
    await using deaf = await startDeafWorkspace()
    const tried = { ...command, address: deaf.address }
    const { signal } = new AbortController()
    assert.deepEqual(await tryProbeOnce(tried, 200, signal), { finding: 'unreachable' })
  })

  describe('of an application that speaks only HTTPS', () => {
    const certificate = selfSigned()

    /** What a server does with bytes that are not TLS: Node closes, nginx, Apache and Go answer 400. */
    async function tryOn(address: Omit<Address, 'host' | 'port'>, plainAnswer: string | undefined) {
      const secure = https.createServer(certificate, (req, res) =>
        res.writeHead(req.headers.host?.startsWith('lab-alice:') === true ? 200 : 421).end(),
      )
      const inside = await listening(secure)
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on('error', () => socket.destroy())
        socket.once('data', (chunk) => {
          if (chunk[0] !== 22 && plainAnswer !== undefined) return void socket.end(plainAnswer)
          const through = connect(inside.port, inside.address)
          through.on('error', () => socket.destroy())
          socket.on('close', () => through.destroy())
          through.write(chunk)
          socket.pipe(through).pipe(socket)
        })
      })
      const { port } = await listening(server)
      const tried = { ...command, address: { host: '127.5.0.1', port, ...address } }
      const attempt = await tryProbeOnce(tried, 2_000, new AbortController().signal)
      for (const socket of sockets) socket.destroy()
      server.close()
      secure.close()
      secure.closeAllConnections()
      return attempt
    }

    it('names TLS if the server closes plain connections', async () => {
      assert.deepEqual(await tryOn({}, undefined), { finding: 'tls' })
    })

    it('names TLS if the server answers plain HTTP with 400', async () => {
      const plain =
        'HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nClient sent an HTTP request'
      assert.deepEqual(await tryOn({}, plain), { status: 400, finding: 'tls' })
    })

    it('reaches it with the scheme https, without verifying the certificate', async () => {
      assert.deepEqual(await tryOn({ scheme: 'https' }, undefined), { status: 200 })
    })
  })

  it('reaches an application that answers 400 and speaks no TLS', async () => {
    const server = http.createServer((_, res) => res.writeHead(400).end())
    const { port } = await listening(server)
    const tried = { ...command, address: { host: '127.5.0.1', port } }
    const signal = new AbortController().signal
    assert.deepEqual(await tryProbeOnce(tried, 1_000, signal), { status: 400 })
    const secure = { ...tried, address: { ...tried.address, scheme: 'https' as const } }
    assert.deepEqual(await tryProbeOnce(secure, 1_000, signal), { finding: 'no_tls' })
    server.close()
    server.closeAllConnections()
  })
})

describe('one try', () => {
  it('of plain TCP only connects, and says nothing', async () => {
    let heard = 0
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (bytes) => (heard += bytes.length))
    })
    const { port } = await listening(server)
    const address = { host: '127.5.0.1', port, scheme: 'tcp' } as const
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const probe = () => tryProbeOnce({ ...command, address }, 5_000, new AbortController().signal)
    assert.deepEqual(await probe(), { connected: true })
    const [socket] = await accepted
    if (!socket.closed) await once(socket, 'close')
    assert.equal(heard, 0)
    server.close()
    await once(server, 'close')
    assert.deepEqual(await probe(), { finding: 'refused' })
  })

  it('takes the fraction of a millisecond that is left of a deadline', async () => {
    const server = http.createServer((_, response) => response.end('up'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const here = { ...command, address: { host: '127.0.0.1', port } }
    for (const leftMs of [4_999.5, 250.000_1])
      assert.deepEqual(await tryProbeOnce(here, leftMs, new AbortController().signal), {
        status: 200,
      })
    server.close()
  })

  it('ends without a status for a path that no request can have', async () => {
    const odd = { ...command, path: '/a b\u0000' }
    assert.deepEqual(await tryProbeOnce(odd, 1_000, new AbortController().signal), {
      finding: 'silent',
    })
  })
})

describe('readiness probes', () => {
  it('post their result, again if it did not arrive', async () => {
    const posted: Omit<ProbeResult, 'director'>[] = []
    const done = Promise.withResolvers<void>()
    await using readinessProbes = createReadinessProbes({
      clock: systemClock,
      setTimer: systemTimer,
      pool,
      log,
      tryProbe: async () => ({ status: 200 }),
      async post(result) {
        posted.push(result)
        if (posted.length === 2) done.resolve()
        return posted.length === 2
      },
    })
    readinessProbes.send(command)
    const keepAlive = setInterval(() => undefined, 1_000)
    await done.promise
    clearInterval(keepAlive)
    assert.equal(posted[1]?.reachable, true)
  })

  it('stop for a newer generation of the workspace, and post only its result', async () => {
    const posted: string[] = []
    const aborted = Promise.withResolvers<void>()
    const done = Promise.withResolvers<void>()
    await using readinessProbes = createReadinessProbes({
      clock: systemClock,
      setTimer: systemTimer,
      pool,
      log,
      async tryProbe({ generation }, _timeoutMs, signal) {
        if (generation === 'g2') return { status: 200 }
        signal.addEventListener('abort', () => aborted.resolve())
        await aborted.promise
        return {}
      },
      async post({ generation }) {
        posted.push(generation)
        done.resolve()
        return true
      },
    })
    readinessProbes.send(command)
    readinessProbes.send({ ...command, generation: 'g2' })
    await Promise.all([aborted.promise, done.promise])
    assert.deepEqual(posted, ['g2'])
  })

  it('never connect to an address outside the pool', async () => {
    let tries = 0
    await using readinessProbes = createReadinessProbes({
      clock: systemClock,
      setTimer: systemTimer,
      pool,
      log,
      async tryProbe() {
        tries += 1
        return {}
      },
      post: async () => true,
    })
    readinessProbes.send({ ...command, address: { host: '169.254.169.254', port: 80 } })
    readinessProbes.send({ ...command, address: { host: 'localhost', port: 80 } })
    assert.equal(tries, 0)
  })
})

async function listening(server: Server | http.Server): Promise<AddressInfo> {
  await once(server.listen(0, '127.5.0.1'), 'listening')
  return server.address() as AddressInfo
}
