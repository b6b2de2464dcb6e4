// Signs a client in: by a key of the administrator's folder, by one that the person has registered, or in a browser.
// Passwords are never accepted.
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import ssh2, { type AuthContext, type KeyboardAuthContext, type PublicKeyAuthContext } from 'ssh2'
import { isKeyType, type PublicKey } from '@berth/shared/public-key'
import type { Spawner } from '../spawner/client.ts'
import { findKey, type AuthorizedKey } from './authorized-keys.ts'
import type { ReadKeys } from './keys-folder.ts'
import { parseLoginName, type LoginName } from './login-name.ts'
import type { SignInByBrowser } from './sign-in-by-browser.ts'

export interface SignedIn {
  readonly login: LoginName
  readonly key: Pick<AuthorizedKey, 'mayHaveTerminal' | 'mayForward' | 'permitOpen'>
}

export interface Client {
  readonly address: string
  /** What it calls itself. */
  readonly program: string
  /** The first key that it offered in vain. */
  offered: PublicKey | undefined
  readonly gone: AbortSignal
  /** It waits for a person, longer than a client may take otherwise. */
  readonly waits: () => void
}

export interface Authenticate {
  /** Of ssh2: what a client may try. */
  readonly methods: readonly ('publickey' | 'keyboard-interactive')[]
  /** Who the client is. Without a signature the client only asks whether to make one. Never rejects. */
  readonly signIn: (context: AuthContext, client: Client) => Promise<SignedIn | undefined>
}

const unrestricted = { mayHaveTerminal: true, mayForward: true }

export function createAuthenticate(deps: {
  readonly readKeys: ReadKeys
  readonly spawner: Pick<Spawner, 'admitsKey'>
  /** Absent: there is no page for it. */
  readonly signInByBrowser: SignInByBrowser | undefined
  readonly clock: Clock
  readonly log: Log
}): Authenticate {
  const { readKeys, spawner, signInByBrowser, clock, log } = deps

  async function byKey(
    context: PublicKeyAuthContext,
    client: Client,
  ): Promise<SignedIn | undefined> {
    const login = parseLoginName(context.username)
    if (login === undefined) return undefined
    const { algo: type, data: blob } = context.key
    const isAsked = context.signature === undefined
    // ssh2 accepts the client whatever was signed.
    if (!isAsked && !isSignedBy({ type, blob }, context)) return undefined
    const keys = await readKeys(login.user)
    const found = findKey(keys, blob, { address: client.address, now: clock.wall() })
    if (found !== undefined) return { login, key: found }
    const key = { user: login.user, key: blob.toString('base64'), proven: !isAsked }
    if (isKeyType(type) && (await spawner.admitsKey(key, client.gone)))
      return { login, key: unrestricted }
    if (isKeyType(type)) client.offered ??= { type, blob }
    return undefined
  }

  async function byBrowser(
    context: KeyboardAuthContext,
    client: Client,
  ): Promise<SignedIn | undefined> {
    const login = parseLoginName(context.username)
    if (login === undefined || signInByBrowser === undefined) return undefined
    const { address, program, offered: key, gone, waits } = client
    const unknown = { user: login.user, address, program, key, waits }
    const isConfirmed = await signInByBrowser(context, unknown, gone)
    return isConfirmed ? { login, key: unrestricted } : undefined
  }

  return {
    methods: signInByBrowser === undefined ? ['publickey'] : ['publickey', 'keyboard-interactive'],
    async signIn(context, client) {
      try {
        if (context.method === 'publickey') return await byKey(context, client)
        if (context.method === 'keyboard-interactive') return await byBrowser(context, client)
      } catch (error) {
        log.warn({ error }, 'ssh client could not be signed in')
      }
      return undefined
    },
  }
}

function isSignedBy(key: PublicKey, context: PublicKeyAuthContext): boolean {
  const { blob, signature, hashAlgo } = context
  if (blob === undefined || signature === undefined) return false
  // SHA-1.
  if (key.type === 'ssh-rsa' && hashAlgo === undefined) return false
  const parsed = ssh2.utils.parseKey(`${key.type} ${key.blob.toString('base64')}`)
  if (parsed instanceof Error) return false
  const [publicKey] = [parsed].flat()
  return publicKey?.verify(blob, signature, hashAlgo) === true
}
