// Cancelled seats in shared templates: a request that is held since before the cancel does not take another seat.
import type { Person } from '@berth/shared/contract'
import type { State } from '../domain.ts'
import type { Draft } from '../state/draft.ts'

const cancelKey = (template: string, { name }: Person) => `${template}\n${name}`

export function recordCancel(draft: Draft, template: string, person: Person): void {
  draft.cancels.set(cancelKey(template, person), draft.now)
}

/** @param since when the request was first submitted */
export function isCancelledFor(
  draft: Draft,
  template: string,
  person: Person,
  since: number,
): boolean {
  const cancelledAt = draft.cancels.get(cancelKey(template, person))
  return cancelledAt !== undefined && since < cancelledAt
}

/** Whether the person has given a seat of this template up, in the time for which that is remembered. */
export function hasCancelled({ cancels }: State, template: string, person: Person): boolean {
  return cancels.has(cancelKey(template, person))
}

export function expireCancels(draft: Draft): void {
  for (const [key, at] of draft.cancels.entries())
    if (at + draft.config.forgetAfterMs <= draft.now) draft.cancels.delete(key)
}
