// From the head of a request to who asks for what, or a refusal: the same steps for requests and upgrades.
import type { IncomingMessage } from 'node:http'
import type { Person } from '@berth/shared/contract'
import { parsePrefix, workspaceName } from '@berth/shared/names'
import { firstValueOf } from '../headers/raw-headers.ts'
import type { CheckOrigin } from '../identity/check-origin.ts'
import { beginsLikeHost, hostLikeDetail, type RequestHead } from '../identity/check-request.ts'
import { refuse, type GatewayProof, type RequestRefusal } from '../identity/gateway.ts'
import type { Identify } from '../identity/identify.ts'
import { seatKey, type SeatHolder } from '../leases/lease.ts'
import { classify, isOwnPath, type RequestKind } from '../routing/classify.ts'
import { below, isBare } from '../routing/path-prefix.ts'
import type { RouteTable, TemplateRoute } from '../routing/route-table.ts'

/** Somebody whom we know, who asks for something that there is. */
export interface AdmittedRequest {
  readonly person: Person
  readonly proof: GatewayProof
  readonly route: TemplateRoute
  readonly holder: SeatHolder
  readonly seatKey: string
  readonly kind: RequestKind
  /** Berth's own path on a workspace's origin. */
  readonly own: boolean
  /** Path and query as they came. */
  readonly target: string
  /** The prefix of the path below which the route lies; empty at the root of a host. */
  readonly base: string
  /** The target as who serves it is to see it: the spawner, if it is Berth's own, or the workspace. */
  readonly innerTarget: string
  /** Where a page that is asked for by the bare prefix is: a person is led there. */
  readonly location: string | undefined
  readonly host: string | undefined
  readonly remoteAddress: string | undefined
}

export type Admission =
  | { readonly ok: true; readonly admitted: AdmittedRequest }
  | (RequestRefusal & { readonly person?: Person })

export type Admit = (request: IncomingMessage, upgrade: boolean) => Admission

export interface AdmissionDeps {
  readonly checkRequest: (head: RequestHead) => RequestRefusal | undefined
  readonly identify: Identify
  readonly checkOrigin: CheckOrigin
  /** For ports that lead to one route alone: what is public there is known to their gateway only. */
  readonly checkRoutePortOrigin: CheckOrigin
  /** The present one: each snapshot makes another. */
  readonly routes: () => RouteTable
  /** Whether it says what there is: before the first snapshot nobody may know. */
  readonly routesHeard: () => boolean
}

export function createAdmit(deps: AdmissionDeps): Admit {
  const { checkRequest, identify, checkOrigin, checkRoutePortOrigin, routes, routesHeard } = deps

  return (request, upgrade) => {
    const { method = '', url: target = '', rawHeaders, socket } = request
    const malformed = checkRequest({ method, target, rawHeaders, upgrade })
    if (malformed !== undefined) return malformed
    const who = identify(rawHeaders)
    if (!who.ok) return who
    const { person, proof } = who

    const host = firstValueOf(rawHeaders, 'host')
    const table = routes()
    const found = table.find({ host, target, port: socket.localPort })
    if (found.kind !== 'template') {
      const kind = found.kind === 'unknown' && !routesHeard() ? 'unheard' : found.kind
      return { ...refusedHost(kind), person }
    }
    const check = table.isRoutePort(socket.localPort) ? checkRoutePortOrigin : checkOrigin
    const foreign = upgrade ? check(rawHeaders) : undefined
    if (foreign !== undefined) return { ...foreign, person }

    const { route, base } = found
    const path = below(target, base)
    const own = isOwnPath(path)
    const innerTarget = own || route.path?.strip === true ? path : target
    // As at the root of a host: an application might lead a browser to that very path.
    if (beginsLikeHost(innerTarget)) return { ...refuse('bad_request', hostLikeDetail), person }
    const kind = classify({ method, target: innerTarget, rawHeaders }, route.isBackground)
    const { template, workspace } = route
    const holder = { user: person, template, workspace }
    return {
      ok: true,
      admitted: {
        person,
        proof,
        route,
        holder,
        seatKey: seatKey(holder),
        kind,
        own,
        target,
        base,
        innerTarget,
        location: kind.navigation || method === 'HEAD' ? slashed(target, base) : undefined,
        host,
        remoteAddress: socket.remoteAddress,
      },
    }
  }
}

/** The bare prefix with a slash behind it, as applications and their relative links expect it. */
function slashed(target: string, base: string): string | undefined {
  if (base === '' || !isBare(target, base)) return undefined
  return `${base}/${target.slice(base.length)}`
}

/** The name of the workspace that somebody asks for, whether there is one or not; a shared one's is the spawner's
 * to choose. */
export function workspaceOf({ route, person }: AdmittedRequest): string | undefined {
  if (route.workspace !== undefined || route.shared) return route.workspace
  const prefix = parsePrefix(route.prefix)
  return prefix === undefined ? undefined : workspaceName(prefix, person.name)
}

/** Whether a refusal of this request is shown to somebody who looks. */
export function wantsPage(request: IncomingMessage): boolean {
  const { method = '', url: target = '', rawHeaders } = request
  return classify({ method, target, rawHeaders }, () => false).navigation
}

function refusedHost(kind: 'portal' | 'unknown' | 'unheard'): RequestRefusal {
  switch (kind) {
    case 'portal':
      return refuse('template_unknown', 'There is no portal here yet.')
    case 'unknown':
      return refuse('template_unknown', 'No workspace is offered under this host name.')
    case 'unheard':
      return refuse(
        'spawner_unreachable',
        'What is offered here is not known yet. Please try again in a moment.',
      )
  }
}
