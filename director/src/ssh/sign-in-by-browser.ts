// Signs a client in whose key is not known: the terminal shows an address, and the person confirms there, where the gateway
// has signed them in. The terminal then goes on by itself.
import type { UserName } from '@berth/shared/names'
import { fingerprintOf, type PublicKey } from '@berth/shared/public-key'
import type { SetTimer } from '@berth/shared/timer'
import type { KeyboardAuthContext } from 'ssh2'
import type { Spawner } from '../spawner/client.ts'
import { plainLine } from './progress-line.ts'

export interface UnknownClient {
  readonly user: UserName
  readonly address: string
  /** What it calls itself. */
  readonly program: string
  /** The first key that it offered. */
  readonly key: PublicKey | undefined
  /** Called once there is a page: the person takes longer than a client may otherwise. */
  readonly waits: () => void
}

/** @returns whether the person has confirmed. Never rejects. */
export type SignInByBrowser = (
  context: KeyboardAuthContext,
  client: UnknownClient,
  gone: AbortSignal,
) => Promise<boolean>

/** How long the client is left to wait by itself. Then it asks for Enter: with `LogLevel ERROR`, OpenSSH shows questions only. */
const silentMs = 30_000
/** Between two questions to a spawner that does not answer. */
const pauseMs = 2_000

export function createSignInByBrowser(deps: {
  readonly spawner: Pick<Spawner, 'beginSignIn' | 'signInState' | 'endSignIn'>
  readonly setTimer: SetTimer
}): SignInByBrowser {
  const { spawner, setTimer } = deps

  const pause = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimer(ms, resolve)
      signal.addEventListener('abort', () => (timer[Symbol.dispose](), resolve()), { once: true })
    })

  return async (context, { user, address, program, key, waits }, gone) => {
    const begun = await spawner.beginSignIn(
      {
        user,
        address,
        program: plainLine(program).slice(0, 100),
        ...(key === undefined ? {} : { key: `${key.type} ${key.blob.toString('base64')}` }),
      },
      gone,
    )
    if (begun.status !== 'begun') {
      const why = begun.status === 'refused' ? begun.problem.detail : 'Try again in a moment.'
      await ask(context, gone, `berth: ${plainLine(why)}\n`)
      return false
    }
    const { code, url, lastsMs } = begun
    waits()
    const over = new AbortController()
    const timer = setTimer(lastsMs, () => over.abort())
    const signal = AbortSignal.any([gone, over.signal])
    /** Resolves with the decision of the person. */
    async function decided(): Promise<boolean> {
      while (!signal.aborted) {
        const state = await spawner.signInState(code, signal)
        if (state === undefined) await pause(pauseMs, signal)
        else if (state !== 'waiting') return state === 'allowed'
      }
      return false
    }
    try {
      const decision = decided()
      await ask(context, signal, instructionsOf(user, code, url, key))
      const early = await Promise.race([decision, pause(silentMs, signal)])
      if (early !== undefined || signal.aborted) return early ?? false
      await ask(context, signal, '', `Confirm at ${url} and press Enter: `)
      return await decision
    } finally {
      timer[Symbol.dispose]()
      over.abort()
      void spawner.endSignIn(code)
    }
  }
}

/** Resolves once the client has answered (at once where there is nothing to type), or has left. */
function ask(
  context: KeyboardAuthContext,
  leaves: AbortSignal,
  words: string,
  prompt?: string,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (leaves.aborted) return Promise.resolve()
  leaves.addEventListener('abort', () => resolve(), { once: true })
  const prompts = prompt === undefined ? [] : [{ prompt, echo: true }]
  context.prompt(prompts, 'Berth', words, () => resolve())
  return promise
}

function instructionsOf(
  user: string,
  code: string,
  url: string,
  key: PublicKey | undefined,
): string {
  const offered =
    key === undefined
      ? 'Your client has offered no key.'
      : `Your client has offered a key that is not known here: ${fingerprintOf(key.blob)}`
  return [
    offered,
    `To sign in as ${plainLine(user)}, open this address in a browser, compare the code ${code}, and allow it:`,
    '',
    `    ${url}`,
    '',
    'This terminal then goes on by itself. Ctrl-C leaves.',
    '',
  ].join('\n')
}
