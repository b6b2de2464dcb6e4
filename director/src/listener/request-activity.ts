// Turns the forwarding of one request or WebSocket into activity of its seat. Background requests are no activity.
import type { Clock } from '@berth/shared/clock'
import type { ForwardHooks } from '../forward/outcome.ts'
import { valuesOf } from '../headers/raw-headers.ts'
import { createDrainMeter, unitBytes } from '../leases/drain-meter.ts'
import type { Activity } from '../leases/activity.ts'
import type { UseLog } from '../leases/use-log.ts'

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
  readonly uses: UseLog
  readonly workspace: string
  readonly method: string
  /** As the application sees it, without the query. */
  readonly path: string
}

/** Begins when a request is handed to its workspace. Dispose when the request has ended. */
export function beginRequestActivity({
  activity,
  clock,
  windowMs,
  background,
  uses,
  workspace,
  method,
  path,
}: RequestActivityOptions): RequestActivity {
  const open = activity.open()
  if (background)
    return {
      hooks: {},
      sawHeaders: () => undefined,
      [Symbol.dispose]: () => open[Symbol.dispose](),
    }

  const awaited = activity.awaitAnswer()
  const noted = uses.begin(workspace, { what: 'request', method, path })
  let isAwaited = true
  /** From the answer on, only a download is use. */
  function answered(): void {
    awaited[Symbol.dispose]()
    if (isAwaited) noted[Symbol.dispose]()
    isAwaited = false
  }
  const download = activity.download()
  let isEventStream = false
  let drained: ((bytes: number) => void) | undefined
  return {
    hooks: {
      onUse(bytes) {
        activity.touch()
        noted.grow(bytes)
      },
      onAnswer: answered,
      onDrained(bytes) {
        // An event stream is not use: only the server writes to it.
        if (isEventStream) return
        drained ??= createDrainMeter({
          clock,
          windowMs,
          touchUntil(at) {
            download.touchUntil(at)
            uses.note(workspace, { what: 'download', method, path }, unitBytes)
          },
        })
        drained(bytes)
      },
    },
    sawHeaders(rawHeaders) {
      const type = valuesOf(rawHeaders, 'content-type').at(-1)
      if (type !== undefined) isEventStream = /^\s*text\/event-stream\b/i.test(type)
    },
    [Symbol.dispose]() {
      answered()
      download[Symbol.dispose]()
      open[Symbol.dispose]()
    },
  }
}
