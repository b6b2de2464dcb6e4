import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createJudgedDivision, type PieceKind } from './client-frames.ts'

interface Frame {
  readonly opcode: number
  readonly payload: string
  readonly final?: boolean
  readonly compressed?: boolean
  readonly mask?: readonly number[]
}

function encode({ opcode, payload, final = true, compressed = false, mask }: Frame): Buffer {
  const key = Buffer.from(mask ?? [1, 2, 3, 4])
  const bytes = Buffer.from(payload)
  const first = (final ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode
  const length = Buffer.alloc(bytes.length < 126 ? 1 : bytes.length < 65_536 ? 3 : 9)
  if (bytes.length < 126) length.writeUInt8(0x80 | bytes.length)
  else if (bytes.length < 65_536) {
    length.writeUInt8(0x80 | 126)
    length.writeUInt16BE(bytes.length, 1)
  } else {
    length.writeUInt8(0x80 | 127)
    length.writeBigUInt64BE(BigInt(bytes.length), 1)
  }
  return Buffer.concat([
    Buffer.from([first]),
    length,
    key,
    bytes.map((byte, at) => byte ^ (key[at % 4] ?? 0)),
  ])
}

/** Heartbeats begin with "3" and are short. */
const divider = () =>
  createJudgedDivision({
    longestPrefix: 1,
    isQuiet: ({ bytes, begin }) => bytes <= 200 && Buffer.from(begin).toString() === '3',
  })

/** The kinds of the frames, as one chunk. */
const kindsOf = (...frames: readonly Frame[]): readonly PieceKind[] =>
  divider()(Buffer.concat(frames.map(encode))).map(({ kind }) => kind)

describe('the frames of a client', () => {
  it('are use, except heartbeats and control frames', () => {
    assert.deepEqual(
      kindsOf(
        { opcode: 1, payload: '3' },
        { opcode: 1, payload: '42["typed"]' },
        { opcode: 9, payload: '3' },
        { opcode: 2, payload: '3 probe' },
        { opcode: 1, payload: '' },
      ),
      ['quiet', 'use', 'control', 'quiet', 'use'],
    )
  })

  it('are judged by the length of the whole payload', () => {
    for (const [length, kind] of [
      [200, 'quiet'],
      [201, 'use'],
      [70_000, 'use'],
    ] as const)
      assert.deepEqual(kindsOf({ opcode: 1, payload: '3'.repeat(length) }), [kind])
  })

  it('are use if they are compressed, or part of a longer message', () => {
    assert.deepEqual(kindsOf({ opcode: 1, payload: '3', compressed: true }), ['use'])
    assert.deepEqual(
      kindsOf(
        { opcode: 1, payload: '3', final: false },
        { opcode: 9, payload: '' },
        { opcode: 0, payload: '3' },
        { opcode: 1, payload: '3' },
      ),
      ['use', 'control', 'use', 'quiet'],
    )
  })

  it('are judged alike, and pass unchanged, however they are cut into chunks', () => {
    const frame = fc.record({
      opcode: fc.constantFrom(1, 2, 8, 9, 10),
      payload: fc.constantFrom('', '3', '3 probe', '42', 'x'.repeat(300), '3'.repeat(70_000)),
      final: fc.boolean(),
      mask: fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
    })
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 40 })), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(encode))
        const whole = divider()(bytes)
        const divide = divider()
        const pieces = [...cuts, bytes.length].flatMap((_size, at, sizes) => {
          const start = sizes.slice(0, at).reduce((sum, size) => sum + size, 0)
          return start >= bytes.length
            ? []
            : divide(bytes.subarray(start, start + (sizes[at] ?? 0)))
        })
        assert.deepEqual(Buffer.concat(pieces.map((piece) => piece.bytes)), bytes)
        const begun = pieces.filter(({ continues }) => !continues)
        assert.deepEqual(
          begun.map(({ kind }) => kind),
          whole.map(({ kind }) => kind),
        )
        for (const [at, { kind, continues }] of pieces.entries())
          if (continues) assert.equal(kind, pieces[at - 1]?.kind)
      }),
    )
  })
})
