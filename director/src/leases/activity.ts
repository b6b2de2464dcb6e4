// What counts as use of one seat, and when it last was. Who is told of it is the reporter's concern.
import type { Clock } from '@berth/shared/clock'

export interface Activity {
  /** A use right now: bytes of a request, a client's data frame. */
  readonly touch: () => void
  /** A response that the client may drain for a while. Dispose when it is complete or cut. */
  download(): Download
  /** An answer is awaited: in use all the while. Dispose when it begins, or will not come. */
  awaitAnswer(): Disposable
  /** A connection is open, in use or not: reported while it is. */
  open(): Disposable
}

export interface Download extends Disposable {
  /** In use until a moment that may lie ahead, but no longer than the response lasts. */
  readonly touchUntil: (at: number) => void
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

  /** Until when each response that is under way is in use. */
  const downloads = new Map<Download, number>()

  function useAt(at: number): void {
    lastTraffic = clock.now()
    lastUse = Math.max(lastUse ?? at, at)
  }

  const touch = (): void => useAt(clock.now())

  function latestUse(): number | undefined {
    let latest = lastUse
    for (const until of downloads.values()) latest = Math.max(latest ?? until, until)
    return latest
  }

  return {
    touch,
    awaitAnswer() {
      awaited += 1
      touch()
      return once(() => {
        awaited -= 1
        touch()
      })
    },
    download() {
      const download: Download = {
        touchUntil(at) {
          lastTraffic = clock.now()
          downloads.set(download, Math.max(downloads.get(download) ?? at, at))
        },
        [Symbol.dispose]() {
          const until = downloads.get(download)
          downloads.delete(download)
          if (until !== undefined) useAt(Math.min(until, clock.now()))
        },
      }
      return download
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
      connections > 0 || awaited > 0 || Math.max(lastTraffic, latestUse() ?? lastTraffic) >= toldAt,
    connections: () => connections,
    lastUseAgoMs() {
      if (awaited > 0) return 0
      const latest = latestUse()
      return latest === undefined ? undefined : Math.max(0, clock.now() - latest)
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
