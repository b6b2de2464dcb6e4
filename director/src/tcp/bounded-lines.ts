// Lines of the log about clients that nobody knows: so many in each period, and then how many there were besides.
import type { Clock } from '@berth/shared/clock'

export interface BoundedLinesDeps {
  readonly most: number
  readonly periodMs: number
  readonly clock: Clock
  /** Told at the first line after a period with more of them. */
  readonly leftOut: (lines: number) => void
}

export interface BoundedLines {
  /** @returns whether one more may be written */
  take(): boolean
}

export function createBoundedLines(deps: BoundedLinesDeps): BoundedLines {
  const { most, periodMs, clock, leftOut } = deps
  let begunAt = Number.NEGATIVE_INFINITY
  let asked = 0

  return {
    take() {
      const now = clock.now()
      if (now - begunAt >= periodMs) {
        const before = asked
        begunAt = now
        asked = 0
        if (before > most) leftOut(before - most)
      }
      asked += 1
      return asked <= most
    },
  }
}
