// The line that a person sees in a terminal while the workspace gets ready. It changes in place. Pure.
import type { Phase } from '@berth/shared/contract'
import type { Progress } from '../spawner/seat-requests.ts'

const phaseWords: Readonly<Record<Phase, string>> = {
  queued: 'Waiting for a place',
  pulling: 'Fetching the image',
  creating: 'Creating the workspace',
  starting: 'Starting the workspace',
  probing: 'Waiting for the application',
  ready: 'Connecting',
  frozen: 'Waking the workspace',
  stopping: 'Waiting for the end of the former workspace',
  stopped: 'Starting the workspace',
  failed: 'The start failed',
}

/** Back to the beginning of the line, and nothing after it. */
export const clearLine = '\r\u001B[K'

/** @param columns of the terminal: a longer line would not change in place */
export function progressLine(
  { phase, position, etaMs, pullPercent }: Progress,
  columns: number,
): string {
  const place = position === undefined ? '' : `, number ${position} in the queue`
  const left = etaMs === undefined ? '' : `, about ${Math.max(1, Math.round(etaMs / 1_000))} s`
  const part = pullPercent === undefined ? '' : `, ${Math.floor(pullPercent)} %`
  const text = `${phaseWords[phase]}${place}${part}${left} …`
  return clearLine + text.slice(0, Math.max(1, columns - 1))
}

/** A text of the services, for a terminal: one line, without control characters. */
export function plainLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]+/gu, ' ').trim()
}
