// Proof 6: any number of bytes arrives completely, and the director does not buffer them.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { arrive } from '../../clients/arrival.ts'
import { signIn } from '../../clients/people.ts'
import type { OpenWebSocket } from '../../clients/web-socket.ts'
import { deploy, type Deployment } from '../../deployment/deployment.ts'
import { peakMemoryBytes } from '../../engine/peak-memory.ts'
import { within } from '../../run/deadline.ts'

const gibibyte = 1024 ** 3
const transferMs = 240_000

// The test of long transfers only waits, so it runs beside those of large ones.
describe('proof 6: many bytes', { concurrency: 2 }, () => {
  let berth: Deployment
  before(async () => {
    berth = await deploy({ name: 'bytes', settings: { CONTAINER_CPUS: '0' } })
  })
  after(() => berth[Symbol.asyncDispose]())

  describe('large transfers', { concurrency: 1 }, () => {
    it('carries 2 GiB up and 2 GiB down by checksum, the director staying under 150 MiB', async (t) => {
      const alice = await signIn(berth.site, 'alice')
      await arrive(alice)
      const { body, sha256 } = uploadOf(2 * gibibyte)
      const began = performance.now()
      const up = await alice.ask('/sha256', {
        method: 'POST',
        body,
        headers: { 'content-length': String(2 * gibibyte) },
        withinMs: transferMs,
      })
      assert.deepEqual(await up.json(), { length: 2 * gibibyte, sha256: sha256() })
      const between = performance.now()

      const wanted = await (
        await alice.ask(`/bytes?n=${2 * gibibyte}&as=sha256`, { withinMs: transferMs })
      ).json<{ sha256: string }>()
      const middle = performance.now()
      const down = await alice.ask(`/bytes?n=${2 * gibibyte}`)
      const hash = createHash('sha256')
      let length = 0
      await within(
        transferMs,
        'the whole download',
        (async () => {
          for await (const chunk of down.stream as AsyncIterable<Buffer>) {
            hash.update(chunk)
            length += chunk.length
          }
        })(),
      )
      assert.equal(length, 2 * gibibyte)
      assert.equal(hash.digest('hex'), wanted.sha256)

      const peak = await directorPeak(berth)
      t.diagnostic(
        `up ${speed(between - began)}, down ${speed(performance.now() - middle)}, director at most ${Math.round(peak / 1024 ** 2)} MiB`,
      )
      assert.ok(peak < 150 * 1024 ** 2, `the director took ${Math.round(peak / 1024 ** 2)} MiB`)
    })

    it('echoes 1,000 messages on each of 200 WebSockets, without loss and in order', async () => {
      const alice = await signIn(berth.site, 'alice')
      await arrive(alice)
      const sockets: OpenWebSocket[] = []
      for (let n = 0; n < 200; n += 20) {
        sockets.push(
          ...(await Promise.all(Array.from({ length: 20 }, () => alice.webSocket('/ws')))),
        )
      }
      await within(180_000, 'every echo', Promise.all(sockets.map(exchange)))
      for (const socket of sockets) socket.close()
    })
  })

  it('does not cut an upload, an answer or a WebSocket that takes longer than usual timeouts', async () => {
    const alice = await signIn(berth.site, 'alice')
    await arrive(alice)
    const socket = await alice.webSocket('/ws')
    const late = alice.ask('/slow?ms=35000')
    const trickle = alice.ask('/sha256', {
      method: 'POST',
      body: trickling(35),
      withinMs: 90_000,
    })
    assert.equal(await (await late).text(), 'at last\n')
    const { length } = await (await trickle).json<{ length: number }>()
    assert.equal(length, 35 * 1024)
    socket.send('still open')
    assert.equal(await socket.next(), 'still open')
    socket.close()
  })
})

/** The content differs at every offset within any buffer, and is generated faster than it is sent. */
function uploadOf(bytes: number): { body: Readable; sha256: () => string } {
  const hash = createHash('sha256')
  const block = createHash('shake256', { outputLength: 1024 * 1024 - 7 })
    .update('berth')
    .digest()
  function* chunks(): Generator<Buffer> {
    for (let left = bytes; left > 0; left -= block.length) {
      const chunk = left < block.length ? block.subarray(0, left) : block
      hash.update(chunk)
      yield chunk
    }
  }
  return { body: Readable.from(chunks(), { objectMode: false }), sha256: () => hash.digest('hex') }
}

/** 1 KiB a second, without a length. */
function trickling(seconds: number): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let n = 0; n < seconds; n += 1) {
      yield Buffer.alloc(1024, n)
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  }
  return Readable.from(chunks(), { objectMode: false })
}

/** Fifty under way at a time. */
async function exchange(socket: OpenWebSocket, index: number): Promise<void> {
  for (let n = 0; n < 1_000; n += 50) {
    for (let k = n; k < n + 50; k += 1) socket.send(`${index} ${k}`)
    for (let k = n; k < n + 50; k += 1) assert.equal(await socket.next(60_000), `${index} ${k}`)
  }
}

async function directorPeak(berth: Deployment): Promise<number> {
  const directors = await berth.services('director')
  const peaks = await Promise.all(directors.map(({ Id }) => peakMemoryBytes(berth.engine, Id)))
  return Math.max(...peaks)
}

function speed(ms: number): string {
  return `${Math.round((2 * 1024) / (ms / 1_000))} MiB/s`
}
