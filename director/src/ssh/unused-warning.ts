// Warns a person at a terminal before a seat ends that is not used: once for each time of silence.
import type { Clock } from '@berth/shared/clock'
import type { SetTimer } from '@berth/shared/timer'
import type { Seat } from '../leases/lease-table.ts'
import { noticeMs, unusedWords } from './seat-words.ts'

/** The spawner tells anew when the seat ends, at the latest after so long. */
const longestPauseMs = 10_000
const shortestPauseMs = 250

export function warnOfSilence(
  { seat, clock, setTimer }: { seat: Seat; clock: Clock; setTimer: SetTimer },
  say: (line: string) => void,
): Disposable {
  let timer: Disposable | undefined
  let warnedAt: number | undefined

  function look(): void {
    const now = clock.now()
    const usedAgoMs = seat.activity.lastUseAgoMs()
    if (warnedAt !== undefined && usedAgoMs !== undefined && now - usedAgoMs > warnedAt)
      warnedAt = undefined
    const leftMs = leftOf(seat.unused, usedAgoMs, now)
    const dueMs = leftMs - noticeMs(leftMs + (usedAgoMs ?? 0))
    if (dueMs <= 0 && leftMs > 0 && warnedAt === undefined) {
      warnedAt = now
      say(unusedWords(leftMs))
    }
    timer = setTimer(Math.min(longestPauseMs, Math.max(shortestPauseMs, dueMs)), look)
  }
  look()
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() }
}

/** What was said before the last use is not true any more. */
function leftOf(unused: Seat['unused'], usedAgoMs: number | undefined, now: number): number {
  if (unused === undefined) return Number.POSITIVE_INFINITY
  const isOutdated = usedAgoMs !== undefined && now - usedAgoMs > unused.toldAt
  return isOutdated ? Number.POSITIVE_INFINITY : unused.endsAt - now
}
