// Answers of a hostile workspace, which must not affect the director that all people share.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connectRaw, exchange, startFront, startRawWorkspace } from '../testing/loopback.ts'

const handshake = [
  'GET /ws HTTP/1.1',
  'Host: lab.test',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n')

const answering = (bytes: string) =>
  startRawWorkspace((socket) => {
    socket.once('data', () => socket.end(bytes, 'latin1'))
  })

describe('hazard: a status that Node reads but refuses to write', () => {
  for (const status of ['000', '099']) {
    const answer = `HTTP/1.1 ${status} Odd\r\nContent-Length: 2\r\n\r\nok`

    it(`${status} as answer to a handshake fails that request alone`, async () => {
      await using workspace = await answering(answer)
      await using front = await startFront(workspace.address)
      using client = await connectRaw(front.address)
      const outcome = front.nextOutcome()
      client.send(handshake)
      assert.partialDeepStrictEqual(await outcome, {
        kind: 'failed',
        code: 'workspace_unreachable',
      })
      assert.match(await client.end(), /^HTTP\/1\.1 502 failed/)
    })

    it(`${status} as answer to a request fails that request alone`, async () => {
      await using workspace = await answering(answer)
      await using front = await startFront(workspace.address)
      const message = 'GET / HTTP/1.1\r\nHost: lab.test\r\nConnection: close\r\n\r\n'
      assert.match(await exchange(front.address, message), /^HTTP\/1\.1 502 /)
    })
  }
})

describe('hazard: a handshake without an answer', () => {
  it('ends at once when its client closes the connection, and is no use any longer', async () => {
    const asked = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () => asked.resolve())
      socket.on('close', () => closed.resolve())
    })
    await using front = await startFront(workspace.address, { answerTimeoutMs: 3_000 })
    using client = await connectRaw(front.address)
    const outcome = front.nextOutcome()
    client.send(handshake)
    await asked.promise
    // An end, not a reset: a gateway does this when the person closes the tab.
    client.socket.end()
    assert.deepEqual(await outcome, { kind: 'client-gone' })
    await closed.promise
  })
})
