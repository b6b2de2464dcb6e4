import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  createFrameReader,
  encodeFrame,
  encodeHeader,
  FrameError,
  type FrameHeader,
} from './websocket-frames.ts'

interface Seen extends FrameHeader {
  readonly payload: string
}

function collector() {
  const frames: Seen[] = []
  let header: FrameHeader | undefined
  let pieces: Buffer[] = []
  const read = createFrameReader({
    header: (given) => {
      header = given
      pieces = []
    },
    payload: (piece) => pieces.push(piece),
    end: () => {
      assert.ok(header)
      frames.push({ ...header, payload: Buffer.concat(pieces).toString('hex') })
    },
  })
  return { read, frames }
}

function masked(header: Omit<FrameHeader, 'length'>, payload: Buffer, mask: Buffer): Buffer {
  const head = encodeHeader({ ...header, length: payload.length })
  head[1] = (head[1] ?? 0) | 0x80
  const body = Buffer.from(payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0)))
  return Buffer.concat([head, mask, body])
}

test('reads frames completely, however the bytes are split', () => {
  const frame = fc.record({
    fin: fc.boolean(),
    opcode: fc.constantFrom(0, 1, 2),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    mask: fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
  })
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 50 })), (sent, cuts) => {
      const { read, frames } = collector()
      let bytes = Buffer.concat(sent.map((one) => masked(one, one.payload, one.mask)))
      for (const cut of cuts) {
        read(bytes.subarray(0, cut))
        bytes = bytes.subarray(cut)
      }
      read(bytes)
      assert.deepEqual(
        frames,
        sent.map(({ fin, opcode, payload }) => ({
          fin,
          opcode,
          length: payload.length,
          payload: payload.toString('hex'),
        })),
      )
    }),
  )
})

test('reads and writes lengths of 16 and 64 bits', () => {
  for (const length of [125, 126, 65_535, 65_536]) {
    const { read, frames } = collector()
    read(masked({ fin: true, opcode: 2 }, Buffer.alloc(length, 1), Buffer.from([1, 2, 3, 4])))
    assert.equal(frames[0]?.length, length)
    assert.equal(frames[0]?.payload, '01'.repeat(length))
  }
})

test('hazard: refuses a frame without a mask, a long control frame and an unknown extension', () => {
  const mask = Buffer.alloc(4)
  const compressed = masked({ fin: true, opcode: 1 }, Buffer.from('x'), mask)
  compressed[0] = (compressed[0] ?? 0) | 0x40
  for (const bytes of [
    encodeFrame(1, 'unmasked'),
    masked({ fin: true, opcode: 9 }, Buffer.alloc(126), mask),
    compressed,
  ]) {
    assert.throws(() => collector().read(bytes), FrameError)
  }
})
