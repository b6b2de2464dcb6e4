// The id of a request: taken over from a gateway that has proved itself, otherwise made here.
import { newRequestId, parseRequestId, requestIdHeader } from '@berth/shared/request-id'
import type { Secret } from '@berth/shared/secret'
import { valuesOf } from '../headers/raw-headers.ts'
import { createProve } from './prove-gateway.ts'

export type IdentifyRequest = (rawHeaders: readonly string[]) => string

export function createIdentifyRequest(secret: Secret | undefined): IdentifyRequest {
  // Without a secret nothing proves a gateway: any client could choose the id of another's request.
  if (secret === undefined) return newRequestId
  const prove = createProve(secret)
  return (rawHeaders) => {
    const sent = parseRequestId(valuesOf(rawHeaders, requestIdHeader))
    return sent !== undefined && prove(rawHeaders) !== undefined ? sent : newRequestId()
  }
}
