// What the director knows about the gateway: the headers that carry the identity, and the secret that proves the gateway.
import type { ProblemCode } from '@berth/shared/problems'
import type { Secret } from '@berth/shared/secret'

export interface GatewaySettings {
  /** Without a secret, only the private network protects the director. */
  readonly secret: Secret | undefined
  /** Header names, in any case. */
  readonly identityHeader: string
  readonly subjectHeader: string
  readonly groupsHeader: string
  readonly emailHeader: string
  /** Whether the gateway sends a subject with every request. */
  readonly subjectRequired: boolean
}

/** The header by which the gateway proved itself. No workspace may see that header. */
export type GatewayProof = 'none' | 'header' | 'basic'

export interface RequestRefusal {
  readonly ok: false
  readonly code: ProblemCode
  /** For the person who sees it. It never repeats content of the request. */
  readonly detail: string
  /** For the administrator who reads the log. */
  readonly logged?: string
}

export const gatewaySecretHeader = 'berth-gateway-secret'

/** In the order of `identityFields`; lower case, as all comparisons of header names are. */
export function identityHeaderNames(gateway: GatewaySettings): readonly string[] {
  return [
    gateway.identityHeader,
    gateway.subjectHeader,
    gateway.groupsHeader,
    gateway.emailHeader,
  ].map((name) => name.toLowerCase())
}

export function refuse(code: ProblemCode, detail: string): RequestRefusal {
  return { ok: false, code, detail }
}
