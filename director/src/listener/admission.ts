// From the head of a request to who asks for what, or a refusal: the same steps for requests and upgrades.
import type { IncomingMessage } from 'node:http'
import type { Person } from '@berth/shared/contract'
import { parsePrefix, workspaceName } from '@berth/shared/names'
import type { CheckOrigin } from '../identity/check-origin.ts'
import type { RequestHead } from '../identity/check-request.ts'
import type { GatewayProof, Refusal } from '../identity/gate.ts'
import type { Identify } from '../identity/identify.ts'
import { seatKey, type SeatHolder } from '../leases/lease.ts'
import { classify, isOwnPath, type RequestKind } from '../routing/classify.ts'
import { hostOf } from '../routing/host-name.ts'
import type { RouteTable, TemplateRoute } from '../routing/route-table.ts'

/** Somebody whom we know, who asks for something that there is. */
export interface Arrival {
  readonly person: Person
  readonly proof: GatewayProof
  readonly route: TemplateRoute
  readonly holder: SeatHolder
  readonly seatKey: string
  readonly kind: RequestKind
  /** Berth's own path on a workspace's origin. */
  readonly own: boolean
  readonly target: string
  readonly host: string | undefined
  readonly remoteAddress: string | undefined
}

export type Admitted =
  { readonly ok: true; readonly arrival: Arrival } | (Refusal & { readonly person?: Person })

export type Admit = (request: IncomingMessage, upgrade: boolean) => Admitted

export interface AdmissionDeps {
  readonly checkRequest: (head: RequestHead) => Refusal | undefined
  readonly identify: Identify
  readonly checkOrigin: CheckOrigin
  /** The present one: each snapshot makes another. */
  readonly routes: () => RouteTable
}

export function createAdmit({ checkRequest, identify, checkOrigin, routes }: AdmissionDeps): Admit {
  return (request, upgrade) => {
    const { method = '', url: target = '', rawHeaders } = request
    const malformed = checkRequest({ method, target, rawHeaders, upgrade })
    if (malformed !== undefined) return malformed
    const who = identify(rawHeaders)
    if (!who.ok) return who
    const { person, proof } = who

    const host = hostOf(rawHeaders)
    const found = routes().find(host)
    if (found.kind !== 'template') return { ...refusedHost(found.kind), person }
    const foreign = upgrade ? checkOrigin(rawHeaders) : undefined
    if (foreign !== undefined) return { ...foreign, person }

    const { route } = found
    const holder = { person, template: route.template }
    return {
      ok: true,
      arrival: {
        person,
        proof,
        route,
        holder,
        seatKey: seatKey(holder),
        kind: classify({ method, target, rawHeaders }, route.isBackground),
        own: isOwnPath(target),
        target,
        host,
        remoteAddress: request.socket.remoteAddress,
      },
    }
  }
}

/** The name of the workspace that somebody asks for, whether there is one or not. */
export function workspaceOf({ route, person }: Arrival): string | undefined {
  const prefix = parsePrefix(route.prefix)
  return prefix === undefined ? undefined : workspaceName(prefix, person.name)
}

/** Whether a refusal of this request is shown to somebody who looks. */
export function wantsPage(request: IncomingMessage): boolean {
  const { method = '', url: target = '', rawHeaders } = request
  return classify({ method, target, rawHeaders }, () => false).navigation
}

function refusedHost(kind: 'portal' | 'unknown'): Refusal {
  const detail =
    kind === 'portal'
      ? 'There is no portal here yet.'
      : 'No workspace is offered under this host name.'
  return { ok: false, code: 'template_unknown', detail }
}
