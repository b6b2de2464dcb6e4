// How the gateway speaks to the director: the headers that carry the identity and what it proves itself by.
import type { ProblemCode } from '@berth/shared/problems'
import type { Secret } from '@berth/shared/secret'

export interface GatewaySettings {
  /** Without one only the private network protects. */
  readonly secret: Secret | undefined
  /** Header names, in any case. */
  readonly identityHeader: string
  readonly subjectHeader: string
  readonly groupsHeader: string
  readonly emailHeader: string
  /** Whether the gateway gives every person a subject. */
  readonly subjectRequired: boolean
}

/** By which header the gateway proved itself: the one that no workspace may see. */
export type GatewayProof = 'none' | 'header' | 'basic'

export interface RequestRefusal {
  readonly ok: false
  readonly code: ProblemCode
  /** In plain words, for the person who sees it; nothing of the request is repeated in it. */
  readonly detail: string
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
