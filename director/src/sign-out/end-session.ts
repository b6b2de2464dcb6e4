// Asks the identity provider where it signs people out (OpenID Connect RP-Initiated Logout 1.0): in its discovery document.
import { abortAfter } from '@berth/shared/deadline'
import type { Log } from '@berth/shared/log'

/** @returns `undefined` when the provider names no address, or cannot be asked now */
export type FindEndSession = (requestId: string) => Promise<string | undefined>

export interface EndSessionDeps {
  /** The issuer; without one there is nobody to ask. */
  readonly issuer: string | undefined
  readonly fetch: typeof globalThis.fetch
  readonly log: Log
}

const deadlineMs = 5_000

/** Asks when the first person signs out, so that a director starts without the provider. */
export function createFindEndSession({ issuer, fetch, log }: EndSessionDeps): FindEndSession {
  let known: { readonly endpoint: string | undefined } | undefined

  return async (requestId) => {
    if (issuer === undefined) return undefined
    if (known !== undefined) return known.endpoint
    const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`
    try {
      const answer = await fetch(url, { signal: abortAfter(deadlineMs) })
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
      known = { endpoint: endpointIn(await answer.json()) }
      return known.endpoint
    } catch (error) {
      log.warn(
        { requestId, url, error },
        'the identity provider could not be asked where it signs people out',
      )
      return undefined
    }
  }
}

function endpointIn(document: unknown): string | undefined {
  if (typeof document !== 'object' || document === null) return undefined
  const endpoint: unknown = Reflect.get(document, 'end_session_endpoint')
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) return undefined
  return /^https?:$/.test(new URL(endpoint).protocol) ? endpoint : undefined
}
