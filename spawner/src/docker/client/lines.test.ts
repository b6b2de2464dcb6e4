import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readLines } from './lines.ts'

async function* bytes(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}
async function collect(stream: AsyncIterable<Uint8Array>): Promise<string[]> {
  const lines: string[] = []
  for await (const line of readLines(stream)) lines.push(line)
  return lines
}

describe('the lines of a stream', () => {
  it('are the same however the bytes are split into chunks', async () => {
    assert.deepEqual(await collect(bytes('{"a"', ':1}\n{"b":2}\n\n', 'rest')), [
      '{"a":1}',
      '{"b":2}',
      'rest',
    ])
  })

  it('keep a character that is split between two chunks', async () => {
    const umlaut = Buffer.from('ü')
    assert.deepEqual(await collect(bytes('m', umlaut.subarray(0, 1), umlaut.subarray(1), '\n')), [
      'mü',
    ])
  })

  it('are limited in length', async () => {
    await assert.rejects(collect(bytes('x'.repeat(600_000), 'x'.repeat(600_000))), RangeError)
  })
})
