// Whether the gateway sent a request. It proves that by the shared secret, in a header of its own or as the password of
// its Basic authorization.
import type { Secret } from '@berth/shared/secret'
import { valuesOf } from '../headers/raw-headers.ts'
import { gatewaySecretHeader, type GatewayProof } from './gateway.ts'

/** @returns how the gateway proved itself; `undefined` when it did not */
export type Prove = (rawHeaders: readonly string[]) => GatewayProof | undefined

export function createProve(secret: Secret | undefined): Prove {
  if (secret === undefined) return () => 'none'
  return (rawHeaders) => {
    const [own, ...further] = valuesOf(rawHeaders, gatewaySecretHeader)
    // The gateway replaces its own header, so a second one comes from another sender.
    if (further.length > 0) return undefined
    if (own !== undefined && !secret.matches(own)) return undefined
    const [authorization = '', ...others] = valuesOf(rawHeaders, 'authorization')
    const password = others.length > 0 ? undefined : basicPassword(authorization)
    // Also where both headers carry the secret: no workspace may see the Authorization then.
    if (password !== undefined && secret.matches(password)) return 'basic'
    return own === undefined ? undefined : 'header'
  }
}

/** The password follows the last colon: the user part is an OIDC subject, which may contain colons. */
function basicPassword(authorization: string): string | undefined {
  const match = /^basic +([a-z0-9+/_-]+=*)$/i.exec(authorization)
  if (match?.[1] === undefined) return undefined
  const credentials = Buffer.from(match[1], 'base64').toString('utf8')
  const colon = credentials.lastIndexOf(':')
  return colon === -1 ? undefined : credentials.slice(colon + 1)
}
