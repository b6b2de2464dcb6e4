import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createFrameReader,
  decodeNumber,
  decodeSize,
  encodeFrame,
  encodeNumber,
  encodeSize,
  firstWindow,
  frameTypes,
  longestPayload,
  type FrameType,
} from './session-frames.ts'
import { createSessionLink, type SessionLinkEvents } from './session-link.ts'

const types = Object.values(frameTypes)

describe('the frames of a session', () => {
  it('are the same however the bytes are split into chunks', () => {
    const anyFrame = fc.record(
      {
        type: fc.constantFrom(...types),
        payload: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      },
      { noNullPrototype: true },
    )
    fc.assert(
      fc.property(fc.array(anyFrame), fc.array(fc.nat(12)), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ type, payload }) => encodeFrame(type, payload)))
        const read = createFrameReader()
        const seen = []
        let at = 0
        for (const length of cuts) {
          seen.push(...read(bytes.subarray(at, at + length)))
          at += length
        }
        seen.push(...read(bytes.subarray(at)))
        assert.deepEqual(seen, frames)
      }),
    )
  })

  it('are limited in length', () => {
    const head = Buffer.from([frameTypes.input, 0, 0, 0, 0])
    head.writeUInt32BE(longestPayload + 1, 1)
    assert.throws(() => createFrameReader()(head), RangeError)
  })

  it('carry sizes and numbers, and nothing for a payload of another length', () => {
    assert.deepEqual(decodeSize(encodeSize({ columns: 211, rows: 57 })), { columns: 211, rows: 57 })
    assert.equal(decodeNumber(encodeNumber(4_000_000_000)), 4_000_000_000)
    assert.equal(decodeSize(Buffer.alloc(3)), undefined)
    assert.equal(decodeNumber(Buffer.alloc(5)), undefined)
  })
})

describe('the link of a session', () => {
  const opened: Socket[] = []
  after(() => opened.forEach((socket) => socket.destroy()))

  async function pair(): Promise<readonly [Socket, Socket]> {
    const server = createServer({ allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const accepted = once(server, 'connection')
    const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [far] = (await accepted) as [Socket]
    server.close()
    opened.push(near, far)
    return [near, far]
  }

  const nothing: SessionLinkEvents = {
    data: async () => undefined,
    control: () => undefined,
    closed: () => undefined,
  }
  const none = Buffer.alloc(0)

  it('passes bytes on in order with other frames, far beyond one window', async () => {
    const [near, far] = await pair()
    const sender = createSessionLink(near, none, nothing)
    const seen: Buffer[] = []
    const ended = new Promise<void>((resolve) => {
      createSessionLink(far, none, {
        ...nothing,
        async data(_type, bytes) {
          await new Promise((next) => setImmediate(next))
          seen.push(Buffer.from(bytes))
        },
        control: (type) => {
          if (type === frameTypes.inputEnd) resolve()
        },
      })
    })
    const bytes = Buffer.alloc(firstWindow * 5 + 17, 'abcdefg')
    assert.equal(await sender.write(frameTypes.input, bytes), true)
    sender.send(frameTypes.inputEnd)
    await ended
    assert.ok(Buffer.concat(seen).equals(bytes))
  })

  it('stops at the window of a receiver that takes nothing, and a new size passes all the same', async () => {
    const [near, far] = await pair()
    const sender = createSessionLink(near, none, nothing)
    let received = 0
    const resized = Promise.withResolvers<Buffer>()
    const taken = Promise.withResolvers<void>()
    createSessionLink(far, none, {
      ...nothing,
      data(_type, bytes) {
        received += bytes.length
        return taken.promise
      },
      control: (type, payload) => {
        if (type === frameTypes.resize) resized.resolve(payload)
      },
    })
    let isSent = false
    const sent = sender.write(frameTypes.input, Buffer.alloc(firstWindow + 1)).then(() => {
      isSent = true
    })
    sender.send(frameTypes.resize, encodeSize({ columns: 100, rows: 30 }))
    assert.deepEqual(decodeSize(await resized.promise), { columns: 100, rows: 30 })
    assert.equal(isSent, false)
    assert.ok(received <= firstWindow)
    taken.resolve()
    await sent
  })

  it('tells both sides that the connection has ended, also a side that waits for a window', async () => {
    const [near, far] = await pair()
    const closed = Promise.withResolvers<Error | undefined>()
    const sender = createSessionLink(near, none, { ...nothing, closed: closed.resolve })
    createSessionLink(far, none, { ...nothing, data: () => new Promise<void>(() => undefined) })
    const write = sender.write(frameTypes.input, Buffer.alloc(firstWindow * 2))
    far.destroy()
    assert.equal(await write, false)
    await closed.promise
  })

  it('ends the connection of a sender that ignores the window, or sends a frame that is too long', async () => {
    const long = Buffer.from([frameTypes.input, 0xff, 0xff, 0xff, 0xff])
    const flood = Array.from({ length: 9 }, () =>
      encodeFrame(frameTypes.input as FrameType, Buffer.alloc(firstWindow / 8)),
    )
    for (const bytes of [long, Buffer.concat(flood)]) {
      const [near, far] = await pair()
      const closed = Promise.withResolvers<Error | undefined>()
      const gone = new Promise<void>((resolve) => far.once('close', () => resolve()))
      createSessionLink(far, none, {
        ...nothing,
        data: () => gone,
        closed: closed.resolve,
      })
      near.on('error', () => undefined)
      near.write(bytes)
      assert.ok((await closed.promise) instanceof Error)
    }
  })

  it('hazard: a side that has stopped reading, and a flood of frames without a window: the connection ends', async () => {
    const [near, far] = await pair()
    far.pause()
    const closed = Promise.withResolvers<Error | undefined>()
    const sender = createSessionLink(near, none, { ...nothing, closed: closed.resolve })
    let isClosed = false
    void closed.promise.then(() => (isClosed = true))
    while (!isClosed) {
      for (let at = 0; at < 10_000; at += 1)
        sender.send(frameTypes.resize, encodeSize({ columns: 80, rows: 24 }))
      assert.ok(near.writableLength < 4 * 1024 ** 2)
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.match(String(await closed.promise), /does not read/)
  })

  it('hazard: any bytes at all: the connection ends, and nothing is thrown', async () => {
    const order = encodeFrame(frameTypes.order, Buffer.from('{"user":"ann"}'))
    const data = encodeFrame(frameTypes.input, Buffer.alloc(1_000, 7))
    const size = encodeFrame(frameTypes.resize, encodeSize({ columns: 1, rows: 2 }))
    const real = Buffer.concat([order, data, size, encodeFrame(frameTypes.inputEnd), data])
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 12 }),
        fc.nat(real.length),
        fc.uint8Array({ maxLength: 64 }),
        async (changes, cut, more) => {
          const bytes = Buffer.from(real)
          for (const [at, value] of changes) bytes[at] = value
          const [near, far] = await pair()
          const closed = Promise.withResolvers<Error | undefined>()
          let received = 0
          createSessionLink(far, none, {
            data: async (_type, { length }) => void (received += length),
            control: () => undefined,
            closed: closed.resolve,
          })
          near.on('error', () => undefined)
          near.resume()
          near.write(bytes.subarray(0, cut))
          near.end(more)
          await closed.promise
          assert.ok(received <= bytes.length + more.length)
        },
      ),
      { numRuns: 300 },
    )
  })
})
