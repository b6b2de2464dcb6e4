// Records the use of one seat: what counts as use, and when it was used last. The reporter sends it to the spawner.
import type { Clock } from '@berth/shared/clock'

export interface Activity {
  /** The seat is used now: bytes of a request, or a client's data frame. */
  readonly touch: () => void
  /** A response that the client may drain for a while. Dispose when it is complete or cut. */
  download(): Download
  /** An answer is awaited: the seat is in use until disposal. Dispose when the answer begins, or will not come. */
  awaitAnswer(): Disposable
  /** A connection is open, in use or not. It is reported until disposal. */
  open(): Disposable
}

export interface Download extends Disposable {
  /** The seat is in use until a time that may lie ahead, but not after the response has ended. */
  readonly touchUntil: (at: number) => void
}

/** The reporter's view of the activity. */
export interface ActivityRecord extends Activity {
  /** Whether there is anything to report: traffic since the last report that arrived, or open connections. */
  reportable(): boolean
  connections(): number
  /** `undefined`: the seat was not used through this director yet. */
  lastUseAgoMs(): number | undefined
  /** A report is being sent. Call the returned function when it has arrived. */
  reporting(): () => void
}

export function createActivity(clock: Clock): ActivityRecord {
  let lastUse: number | undefined
  let awaited = 0
  let connections = 0
  let lastTraffic = Number.NEGATIVE_INFINITY
  let reportedAt = Number.NEGATIVE_INFINITY

  /** For each response under way, until when it is in use. */
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
    // Not "later than": traffic in the same millisecond as a report may not be in it.
    reportable: () =>
      connections > 0 ||
      awaited > 0 ||
      Math.max(lastTraffic, latestUse() ?? lastTraffic) >= reportedAt,
    connections: () => connections,
    lastUseAgoMs() {
      if (awaited > 0) return 0
      const latest = latestUse()
      return latest === undefined ? undefined : Math.max(0, clock.now() - latest)
    },
    reporting() {
      const now = clock.now()
      return () => {
        reportedAt = Math.max(reportedAt, now)
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
