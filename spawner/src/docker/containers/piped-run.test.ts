import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { standardOutput } from './piped-run.ts'

const frame = (kind: number, text: Uint8Array): Buffer => {
  const head = Buffer.alloc(8)
  head[0] = kind
  head.writeUInt32BE(text.length, 4)
  return Buffer.concat([head, text])
}

describe('the output of a program in a short-lived container', () => {
  it('is the same bytes however the frames are cut, and the other output is kept apart', async () => {
    const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 })))
    const cuts = fc.array(fc.nat({ max: 30 }))
    await fc.assert(
      fc.asyncProperty(frames, cuts, async (written, at) => {
        let rest = Buffer.concat(written.map(([kind, text]) => frame(kind, text)))
        const chunks: Buffer[] = []
        for (const size of at) {
          chunks.push(rest.subarray(0, size))
          rest = rest.subarray(size)
        }
        const stream = (async function* () {
          for (const chunk of [...chunks, rest]) yield await Promise.resolve(chunk)
        })()
        const said: Buffer[] = []
        const out: Uint8Array[] = []
        for await (const chunk of standardOutput(stream, said)) out.push(chunk)
        const of = (wanted: number) =>
          Buffer.concat(written.filter(([kind]) => kind === wanted).map(([, text]) => text))
        assert.deepEqual(Buffer.concat(out), of(1))
        assert.deepEqual(Buffer.concat(said), of(2))
      }),
      { numRuns: 200 },
    )
  })
})
