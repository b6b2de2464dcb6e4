// One request's or WebSocket's use of a seat: what forwarding tells becomes activity, but for background requests.
import type { Clock } from '@berth/shared/clock'
import type { ForwardHooks } from '../forward/outcome.ts'
import { valuesOf } from '../headers/raw-headers.ts'
import { createDrainMeter } from '../leases/drain-meter.ts'
import type { Activity } from '../leases/activity.ts'

export interface RequestActivity extends Disposable {
  readonly hooks: ForwardHooks
  /** The raw headers of an answer have come. */
  sawHeaders(rawHeaders: readonly string[]): void
}

export interface RequestActivityOptions {
  readonly activity: Activity
  readonly clock: Clock
  /** The template's `connectionIdleMs`. */
  readonly windowMs: number
  readonly background: boolean
}

/** From the moment a request is handed to its workspace; dispose when all is over. */
export function beginRequestActivity({
  activity,
  clock,
  windowMs,
  background,
}: RequestActivityOptions): RequestActivity {
  const open = activity.open()
  if (background)
    return {
      hooks: {},
      sawHeaders: () => undefined,
      [Symbol.dispose]: () => open[Symbol.dispose](),
    }

  const awaited = activity.awaitAnswer()
  const download = activity.download()
  let isEventStream = false
  let drained: ((bytes: number) => void) | undefined
  return {
    hooks: {
      onUse: activity.touch,
      onAnswer: () => awaited[Symbol.dispose](),
      onDrained(bytes) {
        // A stream of events that only the server writes to is no use.
        if (isEventStream) return
        drained ??= createDrainMeter({ clock, windowMs, touchUntil: download.touchUntil })
        drained(bytes)
      },
    },
    sawHeaders(rawHeaders) {
      const type = valuesOf(rawHeaders, 'content-type').at(-1)
      if (type !== undefined) isEventStream = /^\s*text\/event-stream\b/i.test(type)
    },
    [Symbol.dispose]() {
      awaited[Symbol.dispose]()
      download[Symbol.dispose]()
      open[Symbol.dispose]()
    },
  }
}
