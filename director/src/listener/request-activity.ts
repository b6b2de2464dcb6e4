// Turns the forwarding of one request or WebSocket into activity of its seat. Background requests are no activity.
import type { Clock } from '@berth/shared/clock'
import type { ForwardHooks } from '../forward/outcome.ts'
import { valuesOf } from '../headers/raw-headers.ts'
import { createDrainMeter } from '../leases/drain-meter.ts'
import type { Activity } from '../leases/activity.ts'

export interface RequestActivity extends Disposable {
  readonly hooks: ForwardHooks
  /** Call it with the raw headers of an answer. */
  sawHeaders(rawHeaders: readonly string[]): void
}

export interface RequestActivityOptions {
  readonly activity: Activity
  readonly clock: Clock
  /** The template's `connectionIdleMs`. */
  readonly windowMs: number
  readonly background: boolean
}

/** Begins when a request is handed to its workspace. Dispose when the request has ended. */
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
        // An event stream is not use: only the server writes to it.
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
