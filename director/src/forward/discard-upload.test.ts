import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { discardUpload, type Grace } from './discard-upload.ts'

describe('an upload that is not forwarded any more', () => {
  /** Sends so many bytes of a body that announces one more, and returns how the connection ended. */
  async function upload(bytes: number, grace: Grace): Promise<'ended' | 'read'> {
    await using server = createServer((request, response) => {
      response.end('early')
      let read = 0
      request.on('data', (chunk: Buffer) => {
        read += chunk.length
        if (read === bytes) server.emit('all read')
      })
      discardUpload(request, grace)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.on('error', () => undefined)
    const ended = new Promise<'ended'>((resolve) => client.once('close', () => resolve('ended')))
    const read = once(server, 'all read').then(() => 'read' as const)
    client.resume()
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes + 1}\r\n\r\n`)
    client.write(Buffer.alloc(bytes))
    const outcome = await Promise.race([ended, read])
    client.destroy()
    return outcome
  }

  it('is read to its end', async () => {
    assert.equal(await upload(1_000_000, { ms: 60_000 }), 'read')
  })

  it('hazard: ends its connection after a bounded number of bytes', async () => {
    assert.equal(await upload(1_000_000, { ms: 60_000, bytes: 1_000 }), 'ended')
  })

  it('hazard: ends its connection after a bounded time', async () => {
    await using server = createServer((request) => discardUpload(request, { ms: 10 }))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.on('error', () => undefined)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na')
    await new Promise((resolve) => client.once('close', resolve))
  })
})
