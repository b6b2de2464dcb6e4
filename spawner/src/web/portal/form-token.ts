// The token in the forms of the portal: it proves that the form was rendered for this person within the last two hours.
// No cookie is needed for it.
import { createHmac, hkdfSync } from 'node:crypto'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { Secret } from '@berth/shared/secret'

export interface FormTokens {
  give(person: Person): string
  /** Of this hour or the one before. */
  accepts(person: Person, token: unknown): boolean
}

const hourMs = 3_600_000

export function createFormTokens(internalSecret: Secret, clock: Clock): FormTokens {
  const derived = hkdfSync('sha256', internalSecret.reveal(), 'berth', 'portal form 1', 32)
  const key = Buffer.from(derived)
  const thisHour = (): number => Math.floor(clock.wall() / hourMs)

  function tokenOf({ name, subject }: Person, hour: number): string {
    const text = JSON.stringify([name, subject, hour])
    return createHmac('sha256', key).update(text).digest('base64url')
  }

  return {
    give: (person) => tokenOf(person, thisHour()),
    accepts(person, token) {
      if (typeof token !== 'string') return false
      const hour = thisHour()
      return [hour, hour - 1].some((at) => new Secret(tokenOf(person, at)).matches(token))
    },
  }
}
