// Sign-ins that begin in a terminal and are confirmed in a browser: a client of SSH without a known key waits until the
// person, whom the gateway has signed in, says that they began it. Kept in memory: after a restart the person tries again.
import { randomInt } from 'node:crypto'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import type { UserName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type { SetTimer } from '@berth/shared/timer'

export interface AskedSignIn {
  readonly user: UserName
  /** Of the client, as the next one. */
  readonly address: string
  readonly program: string
  /** The first key that the client offered, as the line of a public key has it. */
  readonly key?: string | undefined
}

export type SignInState = 'waiting' | 'allowed' | 'refused'

export interface TerminalSignIn extends AskedSignIn {
  /** What the person sees in the terminal and on the page. */
  readonly code: string
  /** In milliseconds since 1970. */
  readonly endsAt: number
  readonly state: SignInState
}

export interface TerminalSignIns {
  /** @throws BerthError `limit_connections` where too many wait */
  begin(asked: AskedSignIn): TerminalSignIn
  /** `undefined`: there is none, it is over, or it is another person's. */
  find(code: string, person: Person): TerminalSignIn | undefined
  /** @returns whether it was still waiting */
  decide(code: string, person: Person, state: 'allowed' | 'refused'): boolean
  /** Resolves with another state than `waiting`, or with `waiting` when the signal aborts. `gone`: there is none. */
  outcome(code: string, signal: AbortSignal): Promise<SignInState | 'gone'>
  /** The client has left, or has been told. */
  end(code: string): void
}

export const signInLastsMs = 5 * 60_000
const mostInAll = 1_000
/** From one address for one user: otherwise somebody else's clients could keep a person out. */
const mostAlike = 5
/** Without vowels and letters that look alike: no words, and nothing to mistake. */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'
const codeLength = 8

interface Waiting {
  signIn: TerminalSignIn
  readonly decided: PromiseWithResolvers<void>
  readonly timer: Disposable
}

export function createTerminalSignIns(deps: {
  readonly clock: Clock
  readonly setTimer: SetTimer
}): TerminalSignIns & Disposable {
  const { clock, setTimer } = deps
  const waiting = new Map<string, Waiting>()

  function end(code: string): void {
    const found = waiting.get(code)
    if (found === undefined) return
    waiting.delete(code)
    found.timer[Symbol.dispose]()
    found.decided.resolve()
  }
  function find(code: string, person: Person): TerminalSignIn | undefined {
    const signIn = waiting.get(code)?.signIn
    return signIn?.user === person.name ? signIn : undefined
  }

  return {
    find,
    end,
    begin(asked) {
      const { user, address } = asked
      const alike = [...waiting.values()].filter(
        ({ signIn }) => signIn.user === user && signIn.address === address,
      )
      if (waiting.size >= mostInAll || alike.length >= mostAlike)
        throw new BerthError(
          'limit_connections',
          'Too many sign-ins wait for a browser. Try again in a few minutes.',
        )
      let code = newCode()
      while (waiting.has(code)) code = newCode()
      const endsAt = clock.wall() + signInLastsMs
      const signIn: TerminalSignIn = { ...asked, code, endsAt, state: 'waiting' }
      const timer = setTimer(signInLastsMs, () => end(code))
      waiting.set(code, { signIn, decided: Promise.withResolvers(), timer })
      return signIn
    },
    decide(code, person, state) {
      const found = waiting.get(code)
      if (found === undefined || find(code, person)?.state !== 'waiting') return false
      found.signIn = { ...found.signIn, state }
      found.decided.resolve()
      return true
    },
    async outcome(code, signal) {
      const found = waiting.get(code)
      if (found === undefined) return 'gone'
      const left = Promise.withResolvers<void>()
      const leave = (): void => left.resolve()
      if (signal.aborted) leave()
      signal.addEventListener('abort', leave, { once: true })
      await Promise.race([found.decided.promise, left.promise])
      signal.removeEventListener('abort', leave)
      return waiting.has(code) ? found.signIn.state : 'gone'
    },
    [Symbol.dispose]() {
      for (const code of [...waiting.keys()]) end(code)
    },
  }
}

function newCode(): string {
  const code = Array.from({ length: codeLength }, () => letters[randomInt(letters.length)]).join('')
  return `${code.slice(0, 4)}-${code.slice(4)}`
}

/** As a person may have typed it. */
export function readCode(text: string): string {
  const plain = text.toUpperCase().replace(/[^A-Z]/g, '')
  return `${plain.slice(0, 4)}-${plain.slice(4, codeLength)}`
}
