// What counts as use of one seat, and when it last was. Who is told of it is the reporter's concern.
import type { Clock } from '@berth/shared/clock'

export interface Activity {
  /** A use right now: bytes of a request, a client's data frame. */
  readonly touch: () => void
  /** In use until a moment that may lie ahead: a response that the client is draining. */
  readonly touchUntil: (at: number) => void
  /** An answer is awaited: in use all the while. Dispose when it begins, or will not come. */
  awaitAnswer(): Disposable
  /** A connection is open, in use or not: reported while it is. */
  open(): Disposable
}

/** The reporter's side of it. */
export interface ActivityRecord extends Activity {
  /** Whether there is anything to tell: traffic since the last report that arrived, or open connections. */
  reportable(): boolean
  connections(): number
  /** `undefined`: not used through this director yet. */
  lastUseAgoMs(): number | undefined
  /** Takes note of a report that is sent; the returned function of its admitted. */
  reporting(): () => void
}

export function createActivity(clock: Clock): ActivityRecord {
  let lastUse: number | undefined
  let awaited = 0
  let connections = 0
  let lastTraffic = Number.NEGATIVE_INFINITY
  let toldAt = Number.NEGATIVE_INFINITY

  function touchUntil(at: number): void {
    lastTraffic = clock.now()
    lastUse = Math.max(lastUse ?? at, at)
  }

  return {
    touch: () => touchUntil(clock.now()),
    touchUntil,
    awaitAnswer() {
      awaited += 1
      touchUntil(clock.now())
      return once(() => {
        awaited -= 1
        touchUntil(clock.now())
      })
    },
    open() {
      connections += 1
      lastTraffic = clock.now()
      return once(() => {
        connections -= 1
        lastTraffic = clock.now()
      })
    },
    // Not "later than": what happens in the very millisecond of a report may have missed it.
    reportable: () =>
      connections > 0 || awaited > 0 || Math.max(lastTraffic, lastUse ?? lastTraffic) >= toldAt,
    connections: () => connections,
    lastUseAgoMs() {
      if (awaited > 0) return 0
      return lastUse === undefined ? undefined : Math.max(0, clock.now() - lastUse)
    },
    reporting() {
      const now = clock.now()
      return () => {
        toldAt = Math.max(toldAt, now)
      }
    },
  }
}

function once(release: () => void): Disposable {
  let released = false
  return {
    [Symbol.dispose]() {
      if (released) return
      released = true
      release()
    },
  }
}
