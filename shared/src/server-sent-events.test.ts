import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  eventComment,
  formatEvent,
  readEvents,
  type ServerSentEvent,
} from './server-sent-events.ts'

async function* chunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect(
  source: AsyncIterable<Uint8Array>,
  limit?: number,
): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = []
  for await (const event of readEvents(source, limit)) events.push(event)
  return events
}

describe('server-sent events', () => {
  it('arrive as they were written, in chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.integer())),
        fc.integer({ min: 1, max: 9 }),
        async (values, size) => {
          const text = values.map((value) => formatEvent('phase', value) + eventComment).join('')
          const events = await collect(chunks(text, size))
          assert.deepEqual(
            events,
            values.map((data) => ({ event: 'phase', data })),
          )
        },
      ),
      { numRuns: 50 },
    )
  })

  it('end the stream when an event is longer than the bound', async () => {
    const text = formatEvent('phase', 'x'.repeat(5_000))
    await assert.rejects(collect(chunks(text, 100), 1_000), RangeError)
  })
})
