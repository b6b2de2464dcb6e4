import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { oneAtATime } from '../forward/connect-plain.ts'
import { receiveHeader } from './receive-header.ts'

describe('the header at the beginning of a connection', () => {
  let server: Server
  before(async () => {
    server = createServer({ allowHalfOpen: true, ...oneAtATime })
    await once(server.listen(0, '127.0.0.1'), 'listening')
  })
  const open: Socket[] = []
  after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })

  async function pair(): Promise<{ far: Socket; near: Socket }> {
    const { port } = server.address() as AddressInfo
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const [near] = await accepted
    for (const socket of [far, near]) socket.on('error', () => undefined)
    open.push(far, near)
    return { far, near }
  }
  const written = (socket: Socket, text: string) =>
    new Promise<void>((resolve) => void socket.write(text, () => resolve()))

  it('is taken away, however it is split, and what follows stays', async () => {
    const { far, near } = await pair()
    const { setTimer, pending } = createFakeTime()
    const received = receiveHeader(near, 1_000, setTimer)
    const header = 'PROXY TCP4 192.0.2.7 10.0.0.1 51000 5432\r\n'
    for (const byte of header.slice(0, -1)) await written(far, byte)
    far.end('\nhello')
    const answer = await received
    assert.deepEqual('client' in answer && answer.client, { address: '192.0.2.7' })
    assert.equal(pending(), 0)
    let rest = ''
    for await (const piece of near) rest += String(piece)
    assert.equal(rest, 'hello')
  })

  it('hazard: an edge that never sends it, or goes on sending a byte of it, is late', async () => {
    for (const text of ['', 'PROXY TCP4 192.0']) {
      const { far, near } = await pair()
      const time = createFakeTime()
      const received = receiveHeader(near, 1_000, time.setTimer)
      for (const byte of text) {
        await written(far, byte)
        await time.pass(50)
      }
      await time.pass(1_000 - 50 * text.length)
      assert.deepEqual(await received, { status: 'late' })
      assert.equal(near.destroyed, true)
    }
  })

  it('never comes from an edge that ends the connection', async () => {
    for (const how of ['end', 'reset'] as const) {
      const { far, near } = await pair()
      const received = receiveHeader(near, 1_000, createFakeTime().setTimer)
      await written(far, 'PROXY')
      if (how === 'end') far.end()
      else far.resetAndDestroy()
      assert.deepEqual(await received, { status: 'gone' })
    }
  })
})
