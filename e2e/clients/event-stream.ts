// Collects the server-sent events of an answer.
import { createInterface } from 'node:readline'
import { DeadlineError } from '../run/deadline.ts'
import type { Answer } from './http.ts'

export interface ServerEvent {
  readonly event: string
  readonly data: string
  readonly at: number
}

export interface EventStream {
  readonly events: readonly ServerEvent[]
  /** The first event that matches, past or future. */
  first(
    what: string,
    withinMs: number,
    matches: (event: ServerEvent) => boolean,
  ): Promise<ServerEvent>
  close(): void
}

/** The content of a `phase` event. */
export interface Status {
  readonly template: string
  readonly workspace: string
  readonly phase: string
  readonly position?: number
  readonly etaMs?: number
  readonly elapsedMs: number
  readonly endsAt?: string
  readonly problem?: { readonly code: string; readonly title: string; readonly detail: string }
}

export function statusOf(event: ServerEvent): Status {
  return JSON.parse(event.data) as Status
}

export async function openEvents(answer: Answer): Promise<EventStream> {
  const type = answer.headers['content-type'] ?? ''
  if (answer.status !== 200 || !type.startsWith('text/event-stream'))
    throw new Error(`no event stream: ${answer.status} ${type} ${await answer.text()}`)
  const events: ServerEvent[] = []
  const waiting = new Set<() => void>()
  let event = 'message'
  let data: string[] = []
  const lines = createInterface({ input: answer.stream })
  lines.on('line', (line) => {
    if (line.startsWith('event:')) event = line.slice(6).trim()
    else if (line.startsWith('data:')) data.push(line.slice(5).trimStart())
    else if (line === '' && data.length > 0) {
      events.push({ event, data: data.join('\n'), at: Date.now() })
      event = 'message'
      data = []
      for (const look of waiting) look()
    }
  })

  return {
    events,
    first(what, withinMs, matches) {
      const found = Promise.withResolvers<ServerEvent>()
      const late = (): void => {
        const last = events.at(-1)?.data
        found.reject(new DeadlineError(`${what} (last event: ${last})`, withinMs))
      }
      const timer = setTimeout(late, withinMs)
      const look = (): void => {
        const match = events.find(matches)
        if (match !== undefined) found.resolve(match)
      }
      waiting.add(look)
      look()
      return found.promise.finally(() => {
        clearTimeout(timer)
        waiting.delete(look)
      })
    },
    close: () => answer.leave(),
  }
}
