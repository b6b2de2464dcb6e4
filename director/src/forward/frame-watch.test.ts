import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { closeFrame, createFrameWatch } from './frame-watch.ts'

interface Frame {
  readonly opcode: number
  readonly fin: boolean
  readonly masked: boolean
  readonly payload: number
}

function encode({ opcode, fin, masked, payload }: Frame): Buffer {
  const length =
    payload < 126
      ? Buffer.from([payload])
      : payload < 65_536
        ? Buffer.from([126, payload >> 8, payload & 255])
        : Buffer.concat([Buffer.from([127]), lengthOf(payload)])
  if (masked) length[0] = (length[0] ?? 0) | 0x80
  // A payload that looks like heads of other frames.
  const mask = masked ? Buffer.from([0x88, 0x81, 0x82, 0x80]) : Buffer.alloc(0)
  return Buffer.concat([
    Buffer.from([(fin ? 0x80 : 0) | opcode]),
    length,
    mask,
    Buffer.alloc(payload, 0x81),
  ])
}

function lengthOf(payload: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(payload))
  return bytes
}

const frame = fc.record({
  opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
  fin: fc.boolean(),
  masked: fc.boolean(),
  payload: fc.oneof(fc.nat(130), fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000)),
})

describe('the frame watch', () => {
  it('follows frames through chunks of any size: kind, end and close frames', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(300), { maxLength: 20 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(encode))
          const owners = frames.flatMap((one, i) => new Array<number>(encode(one).length).fill(i))
          const watch = createFrameWatch()
          let start = 0
          for (const size of [...cuts.map((cut) => cut + 1), bytes.length]) {
            const end = Math.min(bytes.length, start + size)
            const touched = [...new Set(owners.slice(start, end))]
            const data = touched.some((i) => (frames[i]?.opcode ?? 8) < 8)
            assert.equal(watch.sawData(bytes.subarray(start, end)), data)
            assert.equal(watch.atBoundary, owners[end] !== owners[end - 1])
            start = end
            if (start === bytes.length) break
          }
          assert.equal(
            watch.closeSeen,
            frames.some((one) => one.opcode === 8),
          )
        },
      ),
    )
  })

  it('follows frames byte by byte as in one chunk', () => {
    const bytes = Buffer.concat(
      [9, 1, 10, 0, 2].map((opcode, i) =>
        encode({
          opcode,
          fin: true,
          masked: i % 2 === 0,
          payload: [0, 300, 5, 126, 70_000][i] ?? 0,
        }),
      ),
    )
    const watch = createFrameWatch()
    const ends: number[] = []
    for (let i = 0; i < bytes.length; i += 1) {
      watch.advance(bytes.subarray(i, i + 1), 0)
      if (watch.atBoundary) ends.push(i + 1)
    }
    const whole = createFrameWatch()
    const seen: number[] = []
    for (let at = 0; at < bytes.length;) {
      at = whole.advance(bytes, at)
      seen.push(at)
    }
    assert.deepEqual(seen, ends)
    assert.equal(ends.length, 5)
  })
})

describe('a close frame', () => {
  it('has code and reason, and is masked from a client', () => {
    assert.deepEqual(
      closeFrame(1012, 'bye', 'server'),
      Buffer.from('\x88\x05\x03\xf4bye', 'latin1'),
    )
    assert.deepEqual(
      closeFrame(1001, '', 'client'),
      Buffer.from('\x88\x82\0\0\0\0\x03\xe9', 'latin1'),
    )
  })
})
