// How a person is told that an administrator has opened their workspace. Pure.
import type { Told } from '../../impersonations.ts'
import { plainText } from '../http/plain-text.ts'
import { utcText } from './durations.ts'

/** @param now by the wall clock */
export function openedText(told: Told | undefined, now: number): string | undefined {
  if (told === undefined) return undefined
  const [from, until] = [told.from, told.until].map((at) => utcText(new Date(at).toISOString()))
  const how =
    told.until > now
      ? `has opened this workspace as you at ${from}, and can use it until ${until} at the latest.`
      : `opened this workspace as you at ${from}, and left it at ${until}.`
  return `The administrator ${plainText(told.by, 300)} ${how} Reason: ${plainText(told.why, 300)}`
}
