// Whether the gateway sent a request: a secret in a header of its own, or as the password of its Basic authorization.
import type { Secret } from '@berth/shared/secret'
import { gatewaySecretHeader, type GatewayProof } from './gateway.ts'

/** @returns how the gateway proved itself; `undefined` when it did not */
export type Prove = (rawHeaders: readonly string[]) => GatewayProof | undefined

export function createProve(secret: Secret | undefined): Prove {
  if (secret === undefined) return () => 'none'
  return (rawHeaders) => {
    let own: string | undefined
    let authorization: string | undefined
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = (rawHeaders[i] ?? '').toLowerCase()
      const value = rawHeaders[i + 1] ?? ''
      // The gateway replaces its own header, so of two one is somebody else's.
      if (name === gatewaySecretHeader) {
        if (own !== undefined) return undefined
        own = value
      } else if (name === 'authorization') {
        authorization = authorization === undefined ? value : ''
      }
    }
    if (own !== undefined && !secret.matches(own)) return undefined
    const password = authorization === undefined ? undefined : basicPassword(authorization)
    // Also where both carry it: no workspace may see the Authorization then.
    if (password !== undefined && secret.matches(password)) return 'basic'
    return own === undefined ? undefined : 'header'
  }
}

/** What follows the last colon: the user's part is an OIDC subject, which may hold colons. */
function basicPassword(authorization: string): string | undefined {
  const match = /^basic +([a-z0-9+/_-]+=*)$/i.exec(authorization)
  if (match?.[1] === undefined) return undefined
  const credentials = Buffer.from(match[1], 'base64').toString('utf8')
  const colon = credentials.lastIndexOf(':')
  return colon === -1 ? undefined : credentials.slice(colon + 1)
}
