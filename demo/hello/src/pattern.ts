// The content of /bytes: always the same byte at the same offset, so that ranges can be checked.
import { createHash } from 'node:crypto'

// A prime length, so that the pattern does not align with any buffer.
const blockBytes = 65_521
const block = makeBlock()
// Several periods in one buffer, so that a chunk of any length is one slice.
const chunkBytes = blockBytes * 4
const periods = Buffer.concat([block, block, block, block, block])

/** The chunks of the pattern from `start` up to, not including, `end`. */
export function* patternChunks(start: number, end: number): Generator<Buffer> {
  for (let at = start; at < end;) {
    const from = at % blockBytes
    const length = Math.min(end - at, chunkBytes)
    yield periods.subarray(from, from + length)
    at += length
  }
}

export function patternSha256(start: number, end: number): string {
  const hash = createHash('sha256')
  for (const chunk of patternChunks(start, end)) hash.update(chunk)
  return hash.digest('hex')
}

function makeBlock(): Buffer {
  const bytes = Buffer.alloc(blockBytes)
  let state = 0x2545f491
  for (let at = 0; at < blockBytes; at += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state & 0xff
  }
  return bytes
}
