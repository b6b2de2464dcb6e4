// Signs a client in by its key. Passwords are never accepted, and a client without a key is told so at once.
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import ssh2, { type AuthContext, type PublicKeyAuthContext } from 'ssh2'
import { findKey, type AuthorizedKey } from './authorized-keys.ts'
import type { ReadKeys } from './keys-folder.ts'
import { parseLoginName, type LoginName } from './login-name.ts'

export interface SignedIn {
  readonly login: LoginName
  readonly key: AuthorizedKey
}

/** Who has the key of the client. Without a signature the client only asks whether to make one. Never rejects. */
export type Authenticate = (context: AuthContext, address: string) => Promise<SignedIn | undefined>

export function createAuthenticate(deps: {
  readonly readKeys: ReadKeys
  readonly clock: Clock
  readonly log: Log
}): Authenticate {
  const { readKeys, clock, log } = deps

  async function signIn(context: PublicKeyAuthContext, address: string) {
    const login = parseLoginName(context.username)
    const keys = login && (await readKeys(login.user))
    const found = keys && findKey(keys, context.key.data, { address, now: clock.wall() })
    if (login === undefined || found === undefined) return undefined
    // ssh2 accepts the client whatever was signed.
    if (context.signature !== undefined && !isSignedBy(found, context)) return undefined
    return { login, key: found }
  }

  return async (context, address) => {
    if (context.method !== 'publickey') return undefined
    try {
      return await signIn(context, address)
    } catch (error) {
      log.warn({ error }, 'ssh client could not be signed in')
      return undefined
    }
  }
}

function isSignedBy(key: AuthorizedKey, context: PublicKeyAuthContext): boolean {
  const { blob, signature, hashAlgo } = context
  if (blob === undefined || signature === undefined) return false
  // SHA-1.
  if (key.type === 'ssh-rsa' && hashAlgo === undefined) return false
  const parsed = ssh2.utils.parseKey(`${key.type} ${key.blob.toString('base64')}`)
  if (parsed instanceof Error) return false
  const [publicKey] = [parsed].flat()
  return publicKey?.verify(blob, signature, hashAlgo) === true
}
