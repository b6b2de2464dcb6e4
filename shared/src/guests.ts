// Guests: people who use a workspace without a sign-in, each known by a subject that was made for them.
import type { Person } from './contract.ts'
import { guestName, isGuestName } from './names.ts'

export interface GuestIdentity {
  /** A hash of the address where they became a guest: guests of one address are counted together. */
  readonly origin: string
  /** Differs from guest to guest, and no one can guess it. */
  readonly id: string
}

const partShape = /^[A-Za-z0-9_-]{1,100}$/

/** @throws TypeError for an origin or id that a subject cannot hold */
export function guestOf({ origin, id }: GuestIdentity): Person {
  if (!partShape.test(origin) || !partShape.test(id)) throw new TypeError('not a guest')
  const subject = `${origin}.${id}`
  return { name: guestName(subject), subject, groups: [] }
}

/** @returns `undefined` for a person who is no guest */
export function guestOrigin({ name, subject }: Person): string | undefined {
  return isGuestName(name) ? subject.split('.', 1)[0] : undefined
}
