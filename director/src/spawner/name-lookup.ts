// Finds a running workspace by its name alone, while the spawner cannot be reached. The address is checked: it belongs
// to the network pool, the owner's alias or the container's id resolves to it too, and the workspace answers there.
import { Resolver } from 'node:dns/promises'
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import type { ProbeCommand, Route } from '@berth/shared/contract'
import { ownerAlias, parsePrefix, workspaceName } from '@berth/shared/names'
import { poolContains, type SubnetPool } from '@berth/shared/subnet-pool'
import type { Lease, SeatHolder } from '../leases/lease.ts'
import { isReachable, tryProbeOnce, type TryProbe } from '../probing/probe.ts'

/** How long an address found by name is trusted. After that the spawner is asked again. */
const leaseMs = 2_000
const lookupMs = 500
const probeMs = 1_000
/** How long an answer of a container is trusted. */
const answeredMs = 10_000

/** @returns no address when the name is unknown or DNS does not answer in time. Never rejects. */
export type ResolveName = (name: string) => Promise<readonly string[]>

/** Resolves with the engine's DNS, as the system is configured to use it. */
export function createResolver(): ResolveName {
  const resolver = new Resolver({ timeout: lookupMs, tries: 1 })
  return async (name) => {
    try {
      return await resolver.resolve4(name)
    } catch {
      // An unknown name and a missing answer mean the same here: there is no address.
      return []
    }
  }
}

export interface NameLookupDeps {
  readonly resolve: ResolveName
  readonly pool: SubnetPool
  readonly clock: Clock
  readonly tryProbe?: TryProbe
}

/** The fields of a route from which the address of a private workspace follows. */
export type NamedRoute = Pick<
  Route,
  'prefix' | 'port' | 'scheme' | 'shared' | 'readyPath' | 'workspace'
>

/** @param last the seat's last lease: a container at the same address is the same container */
export type NameLookup = (
  holder: SeatHolder,
  route: NamedRoute,
  last: Lease | undefined,
) => Promise<Lease | undefined>

export function createNameLookup(deps: NameLookupDeps): NameLookup {
  const { resolve, pool, clock, tryProbe = tryProbeOnce } = deps
  /** When each generation last answered; the latest is at the end. */
  const answered = new Map<string, number>()

  /** A frozen container accepts connections but does not answer. */
  async function answers(place: Omit<ProbeCommand, 'deadlineMs'>): Promise<boolean> {
    const now = clock.now()
    for (const [generation, at] of answered) {
      if (at > now - answeredMs) break
      answered.delete(generation)
    }
    if (answered.has(place.generation)) return true
    const command = { ...place, deadlineMs: probeMs }
    if (!isReachable(await tryProbe(command, probeMs, abortAfter(probeMs)))) return false
    answered.delete(place.generation)
    answered.set(place.generation, clock.now())
    return true
  }

  return async (holder, route, last) => {
    const prefix = parsePrefix(route.prefix)
    // The name of a person identifies neither a shared workspace nor the workspace that a route names itself.
    if (prefix === undefined || route.shared || route.workspace !== undefined) return undefined
    const workspace = workspaceName(prefix, holder.user.name)
    const [byName, ...byProof] = await Promise.all([
      resolve(workspace),
      resolve(ownerAlias(workspace, holder.user.subject)),
      // A standby that the person has claimed has no such alias.
      last?.workspace === workspace ? resolve(engineId(last.generation)) : [],
    ])
    const proven = byProof.flat()
    const host = byName.find((found) => proven.includes(found) && poolContains(pool, found))
    if (host === undefined) return undefined
    const { port, scheme } = route
    const address = { host, port, ...(scheme === undefined ? {} : { scheme }) }
    const same = last !== undefined && last.workspace === workspace && samePlace(last, { address })
    const generation = same ? last.generation : `name:${workspace}@${host}`
    if (!(await answers({ workspace, generation, address, path: route.readyPath })))
      return undefined
    const askedAt = clock.now()
    const endsAt = same ? last.endsAt : undefined
    const expiresAt = askedAt + leaseMs
    return { workspace, generation, address, askedAt, expiresAt, byName: true, endsAt }
  }
}

/** The first twelve characters of a container's id: the engine's DNS resolves them too. */
function engineId(generation: string): string {
  return generation.slice(0, 12)
}

export function samePlace(a: Pick<Lease, 'address'>, b: Pick<Lease, 'address'>): boolean {
  const [one, other] = [a.address, b.address]
  return one.host === other.host && one.port === other.port && one.scheme === other.scheme
}
