// What a session says of the end of its seat, before it and at it. Pure.
import type { SeatEnd } from '../leases/lease-table.ts'

/** Whose session Berth ended. 255 is what ssh itself ends with. */
export const kickedCode = 254

const longestNoticeMs = 60_000

const stopped: Readonly<Record<string, string>> = {
  idle: 'The workspace was stopped, because nobody used it.',
  lifetime: 'The lifetime of the workspace has ended.',
  replaced: 'The workspace is being replaced by a new one. Please connect again.',
}

export function endWords(why: SeatEnd): string {
  if ('lost' in why) return 'Your seat in this workspace has ended.'
  return stopped[why.stopped] ?? 'The workspace was stopped.'
}

/** How long before its end an unused session is warned: a minute, or a quarter of the time that it may be unused. */
export function noticeMs(unusedForMs: number): number {
  return Math.min(longestNoticeMs, unusedForMs / 4)
}

export function unusedWords(leftMs: number): string {
  const seconds = Math.max(1, Math.round(leftMs / 1_000))
  const when = seconds === 1 ? '1 second' : `${seconds} seconds`
  return `this session ends in ${when}, because it is not used: press a key to keep it.`
}
