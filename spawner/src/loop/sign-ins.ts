// The last sign-in of each person on the web: who they are when they come by a key, where no gateway tells it.
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { isGuestName, type UserName } from '@berth/shared/names'

export interface SignIn {
  readonly person: Person
  /** In milliseconds since 1970. */
  readonly at: number
}

/** Kept across restarts. */
export interface SignInStore {
  signIn(user: UserName): SignIn | undefined
  saveSignIn(signIn: SignIn): void
}

export interface SignIns {
  /** A request of this person came through the gateway. */
  note(person: Person): void
  last(user: UserName): SignIn | undefined
}

/** A request each second shall not be a write each second. */
const precisionMs = 15 * 60_000
const mostKnown = 100_000

export function createSignIns(deps: {
  readonly store: SignInStore
  readonly clock: Clock
  readonly log: Log
}): SignIns {
  const { store, clock, log } = deps
  /** What was saved lately; the latest is at the end. */
  const known = new Map<UserName, SignIn>()

  return {
    note(person) {
      if (isGuestName(person.name)) return
      const last = known.get(person.name)
      const at = clock.wall()
      const isRecent = last !== undefined && Math.abs(at - last.at) < precisionMs
      if (isRecent && isSame(last.person, person)) return
      const signIn = { person, at }
      known.delete(person.name)
      known.set(person.name, signIn)
      const [oldest] = known.keys()
      if (known.size > mostKnown && oldest !== undefined) known.delete(oldest)
      try {
        store.saveSignIn(signIn)
      } catch (error) {
        // The request itself is served: only a later login by key may be refused.
        log.error({ error, user: person.name }, 'sign-in could not be saved')
      }
    },
    last: (user) => known.get(user) ?? store.signIn(user),
  }
}

function isSame(one: Person, other: Person): boolean {
  const { subject, email, groups } = one
  if (subject !== other.subject || email !== other.email) return false
  return [...groups].sort().join('\n') === [...other.groups].sort().join('\n')
}
