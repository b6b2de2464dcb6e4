// Writes server-sent events as text, and reads them from a response body.
import { createParser } from 'eventsource-parser'

export interface ServerSentEvent {
  readonly event: string
  readonly data: unknown
}

export const eventStreamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const

/** JSON has no line breaks of its own, so one `data:` line is enough. */
export function formatEvent(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

export const eventComment = ':\n\n'

/**
 * Reads events until the body ends. Comments are skipped. An event longer than `maxBytes` ends the stream.
 *
 * @throws SyntaxError for data that is not JSON, RangeError for an event over the bound
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  maxBytes = 4 * 1024 * 1024,
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder()
  const ready: ServerSentEvent[] = []
  let pending = 0
  const parser = createParser({
    onEvent(message) {
      pending = 0
      ready.push({ event: message.event ?? 'message', data: JSON.parse(message.data) as unknown })
    },
    onComment() {
      pending = 0
    },
  })
  for await (const chunk of body) {
    pending += chunk.byteLength
    parser.feed(decoder.decode(chunk, { stream: true }))
    if (pending > maxBytes && ready.length === 0) throw new RangeError('the event is too long')
    yield* ready.splice(0)
  }
}
