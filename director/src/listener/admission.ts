// Admits a request from its head: the person, the route and the kind of request, or a refusal. Requests and upgrades take
// the same steps.
import type { IncomingMessage } from 'node:http'
import { isAdministrator } from '@berth/shared/administrators'
import {
  longestText,
  mostGroups,
  type Person,
  type RouteImpersonation,
} from '@berth/shared/contract'
import { isGuestName, parsePrefix, workspaceName } from '@berth/shared/names'
import { firstValueOf } from '../headers/raw-headers.ts'
import type { CheckOrigin } from '../identity/check-origin.ts'
import { beginsLikeHost, hostLikeDetail, type RequestHead } from '../identity/check-request.ts'
import { refuse, type GatewayProof, type RequestRefusal } from '../identity/gateway.ts'
import type { Identify } from '../identity/identify.ts'
import { seatKey, type SeatHolder } from '../leases/lease.ts'
import type { NamedRoute } from '../spawner/name-lookup.ts'
import { classify, isOwnPath, type RequestKind } from '../routing/classify.ts'
import { below, isBare } from '../routing/path-prefix.ts'
import type { Destination, RouteTable, TemplateRoute } from '../routing/route-table.ts'

/** A request of an identified person, for a route that exists. */
export interface AdmittedRequest {
  /** Who sends it, with the groups that the spawner may want to know; `holder` has those that it has named. */
  readonly person: Person
  /** Whom the workspace sees, where the headers that came do not say it: the owner, for an administrator who has opened it
   * as its owner; the guest. */
  readonly as: Person | undefined
  readonly proof: GatewayProof
  readonly route: TemplateRoute
  readonly holder: SeatHolder
  readonly seatKey: string
  readonly kind: RequestKind
  /** The path is one of Berth's own on a workspace's origin. */
  readonly own: boolean
  /** Path and query as they came. */
  readonly target: string
  /** The path prefix of the route; empty at the root of a host. */
  readonly base: string
  /** The target as the server sees it: the spawner for one of Berth's own paths, otherwise the workspace. */
  readonly innerTarget: string
  readonly redirect: Redirect | undefined
  /** As the browser has it. */
  readonly host: string | undefined
  readonly remoteAddress: string | undefined
}

/** A navigation that is led to another path of the same route, or to the portal. */
export interface Redirect {
  readonly status: 307 | 308
  readonly location: string
}

/** A request of an identified person to the portal, or one that is redirected there. */
export interface PortalRequest {
  readonly person: Person
  readonly proof: GatewayProof
  /** Path and query as they came. */
  readonly target: string
  readonly redirect: Redirect | undefined
}

export type Admission =
  | { readonly ok: true; readonly to: 'workspace'; readonly admitted: AdmittedRequest }
  | { readonly ok: true; readonly to: 'portal'; readonly admitted: PortalRequest }
  | (RequestRefusal & { readonly person?: Person })

export type Admit = (request: IncomingMessage, upgrade: boolean) => Admission

export interface AdmissionDeps {
  readonly checkRequest: (head: RequestHead) => RequestRefusal | undefined
  readonly identify: (
    rawHeaders: readonly string[],
    remoteAddress: string | undefined,
  ) => ReturnType<Identify>
  readonly publicHost: (host: string | undefined) => string | undefined
  readonly checkOrigin: CheckOrigin
  /** For ports that lead to one route alone: only their gateway knows the public URL there. */
  readonly checkRoutePortOrigin: CheckOrigin
  /** The current table: each snapshot of routes makes a new one. */
  readonly routes: () => RouteTable
  /** Whether the table is what the spawner has now: before its first snapshot, and after its restart, it may not be. */
  readonly routesCurrent: () => boolean
  /** Absent: the host of the portal is one that leads nowhere. */
  readonly portalUrl: string | undefined
  readonly isImpersonationLive: (id: string) => boolean
}

export function createAdmit(deps: AdmissionDeps): Admit {
  const { checkRequest, identify, publicHost, checkOrigin, checkRoutePortOrigin } = deps
  const { routes, routesCurrent, portalUrl } = deps

  return (request, upgrade) => {
    const { method = '', url: target = '', rawHeaders, socket } = request
    const malformed = checkRequest({ method, target, rawHeaders, upgrade })
    if (malformed !== undefined) return malformed
    const who = identify(rawHeaders, socket.remoteAddress)
    if (!who.ok) return who
    const { proof } = who

    const host = firstValueOf(rawHeaders, 'host')
    const table = routes()
    const current = routesCurrent()
    const named = withGroupsOf(who.person, table)
    const person = current ? named : withMostGroupsOf(who.person, named)
    const found = table.find({ host, target, port: socket.localPort })
    if (found.kind === 'portal' && portalUrl !== undefined) {
      if (upgrade) return { ...refuse('bad_request', noWebSocketDetail), person }
      return { ok: true, to: 'portal', admitted: { person, proof, target, redirect: undefined } }
    }
    if (found.kind !== 'template') {
      if (!current) return { ...notHeard(), person }
      const leads = found.kind === 'choice' && !upgrade && wantsPage(request)
      if (!leads || portalUrl === undefined) return { ...refusedPlace(found, host), person }
      const redirect = { status: 307, location: `${portalUrl}/` } as const
      return { ok: true, to: 'portal', admitted: { person, proof, target, redirect } }
    }
    const isRoutePort = table.isRoutePort(socket.localPort)
    const check = isRoutePort ? checkRoutePortOrigin : checkOrigin
    const foreign = upgrade ? check(rawHeaders) : undefined
    if (foreign !== undefined) return { ...foreign, person }

    const { route, base } = found
    const path = below(target, base)
    const own = isOwnPath(path)
    const innerTarget = own || route.path?.strip === true ? path : target
    // The same check as for the whole target: an application might redirect a browser to that path.
    if (beginsLikeHost(innerTarget)) return { ...refuse('bad_request', hostLikeDetail), person }
    const { template, workspace, impersonation } = route
    const barred =
      impersonation === undefined
        ? undefined
        : barredFrom(impersonation, who.person, { own, isLive: deps.isImpersonationLive })
    if (barred !== undefined) return { ...barred, person }
    const asked = classify({ method, target: innerTarget, rawHeaders }, route)
    const redirect = openingOf(asked, target, found) ?? slashedOf(asked, method, target, found)
    const kind = impersonation === undefined ? asked : startingNothing(asked)
    const as = impersonation?.person ?? (isGuestName(named.name) ? named : undefined)
    const holder = { user: as ?? named, template, workspace, impersonation: impersonation?.id }
    return {
      ok: true,
      to: 'workspace',
      admitted: {
        person,
        as,
        proof,
        route,
        holder,
        seatKey: seatKey(holder),
        kind,
        own,
        target,
        base,
        innerTarget,
        redirect,
        // Only its own gateway knows the address of a port.
        host: isRoutePort ? host : publicHost(host),
        remoteAddress: socket.remoteAddress,
      },
    }
  }
}

/** A route of an impersonation serves the one administrator who has opened it, as long as that person is one. Pages of
 * Berth would act for the owner, so there are none. */
function barredFrom(
  { id, by, administrators }: RouteImpersonation,
  person: Person,
  { own, isLive }: { readonly own: boolean; readonly isLive: (id: string) => boolean },
): RequestRefusal | undefined {
  const isOpener = person.name === by.name && person.subject === by.subject
  if (!isOpener || !isAdministrator(person, administrators))
    return refuse('not_admin', 'Only the administrator who opened this workspace can use it here.')
  if (!isLive(id))
    return refuse('not_admin', 'The time for which you opened this workspace is over.')
  if (own)
    return refuse('not_admin', 'Berth has no pages at the address of a workspace that you opened.')
  return undefined
}

/** It wakes a workspace and starts none: that would take a place for the owner. Its pages are the director's own. */
function startingNothing(kind: RequestKind): RequestKind {
  return { ...kind, navigation: false, start: kind.start === 'start' ? 'wake' : kind.start }
}

type Found = Extract<Destination, { kind: 'template' }>

/** From the root of the route, with or without its slash, to the path that the template opens at. */
function openingOf(
  { navigation }: RequestKind,
  target: string,
  { route: { open }, base }: Found,
): Redirect | undefined {
  const isRoot = target === base || target === `${base}/`
  return navigation && isRoot && open !== undefined
    ? { status: 307, location: base + open }
    : undefined
}

/**
 * From a bare prefix that is stripped to the prefix with a slash, which relative links need: the application sees `/`
 * for both. A prefix that is kept is the application's own matter: some send `/lab/` to `/lab`.
 */
function slashedOf(
  { navigation }: RequestKind,
  method: string,
  target: string,
  { route: { path }, base }: Found,
): Redirect | undefined {
  if (!navigation && method !== 'HEAD') return undefined
  if (path?.strip !== true || base === '' || !isBare(target, base)) return undefined
  return { status: 308, location: `${base}/${target.slice(base.length)}` }
}

/** A provider may send a thousand groups: only those that a template names are kept, sent and recorded. */
function withGroupsOf(person: Person, { isNamedGroup }: RouteTable): Person {
  return { ...person, groups: asManyAsTaken(person.groups.filter(isNamedGroup)) }
}

/** A spawner that was started again may name groups of which the director has not heard yet. */
function withMostGroupsOf(person: Person, { groups: named }: Person): Person {
  return { ...person, groups: asManyAsTaken([...new Set([...named, ...person.groups])]) }
}

/** The spawner refuses a request that names more, or longer ones. */
const asManyAsTaken = (groups: readonly string[]) =>
  groups.filter((group) => group.length <= longestText).slice(0, mostGroups)

/** The name of the requested workspace, even if it does not exist. The spawner chooses the name of a shared one. */
export function workspaceOf({
  route,
  holder,
}: {
  readonly route: NamedRoute
  readonly holder: SeatHolder
}): string | undefined {
  if (route.workspace !== undefined || route.shared) return route.workspace
  const prefix = parsePrefix(route.prefix)
  return prefix === undefined ? undefined : workspaceName(prefix, holder.user.name)
}

/** Whether a person will see the refusal of this request. */
export function wantsPage(request: IncomingMessage): boolean {
  const { method = '', url: target = '', rawHeaders } = request
  return classify({ method, target, rawHeaders }, { isBackground: () => false }).navigation
}

export const noWebSocketDetail = 'There is no WebSocket at this address.'

function refusedPlace(
  found: Exclude<Destination, { kind: 'template' }>,
  host: string | undefined,
): RequestRefusal {
  if (found.kind !== 'unknown' || found.what === 'path')
    return refuse(
      'template_unknown',
      'No workspace is offered at this address. Please check the address.',
    )
  return {
    ...refuse(
      'template_unknown',
      'No workspace is offered at this host name. Please check the address. If it is right, an administrator has to set it.',
    ),
    logged: `set PUBLIC_URL to the address where people reach Berth, or name the host in a template (CONTAINER_HOSTS, route.hosts): none has the host ${host ?? ''}`,
  }
}

const notHeard = (): RequestRefusal =>
  refuse(
    'spawner_unreachable',
    'The director waits for the current list of workspaces. Please try again in a moment.',
  )
