// Warns a person at a terminal before a seat ends that is not used: once for each time of silence.
import type { Clock } from '@berth/shared/clock'
import type { SetTimer } from '@berth/shared/timer'
import type { Seat } from '../leases/lease-table.ts'
import { noticeMs, unusedWords } from './seat-words.ts'

const longestPauseMs = 10_000
const shortestPauseMs = 250
/** While the spawner has not told when the seat ends. */
const unknownPauseMs = 1_000

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
    const pauseMs = lookAt(now, usedAgoMs)
    timer = setTimer(Math.min(longestPauseMs, Math.max(shortestPauseMs, pauseMs)), look)
  }

  /** @returns when to look again */
  function lookAt(now: number, usedAgoMs = Number.POSITIVE_INFINITY): number {
    const { unused } = seat
    if (unused === undefined) return unknownPauseMs
    const { endsAt, toldAt } = unused
    // What was said before the last use is not true any more.
    if (now - usedAgoMs > toldAt) return (endsAt - toldAt) / 8
    const leftMs = endsAt - now
    const unusedForMs = Number.isFinite(usedAgoMs) ? leftMs + usedAgoMs : endsAt - toldAt
    const dueMs = leftMs - noticeMs(unusedForMs)
    if (dueMs <= 0 && leftMs > 0 && warnedAt === undefined) {
      warnedAt = now
      say(unusedWords(leftMs))
    }
    return dueMs
  }
  look()
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() }
}
