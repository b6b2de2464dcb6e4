// Finds a running workspace by its name alone, for when the spawner cannot be asked. What it finds is checked
// twice: the address is a workspace's, and the owner's own alias leads there too.
import { Resolver } from 'node:dns/promises'
import type { Clock } from '@berth/shared/clock'
import { ownerAlias, parsePrefix, workspaceName } from '@berth/shared/names'
import { poolContains, type SubnetPool } from '@berth/shared/subnet-pool'
import type { Lease, SeatHolder } from '../leases/lease.ts'

/** How long an address found by name is gone by, before the spawner is asked again. */
const leaseMs = 2_000
const lookupMs = 500

/** @returns no address at all where the name is unknown or nobody answers in time; it never rejects */
export type ResolveName = (name: string) => Promise<readonly string[]>

/** The engine's DNS, as the system is configured to ask it. */
export function createResolver(): ResolveName {
  const resolver = new Resolver({ timeout: lookupMs, tries: 1 })
  return async (name) => {
    try {
      return await resolver.resolve4(name)
    } catch {
      // Unknown or unanswered is the same here: there is no way to go.
      return []
    }
  }
}

export interface NameLookupDeps {
  readonly resolve: ResolveName
  readonly pool: SubnetPool
  readonly clock: Clock
}

export interface NamedTemplate {
  readonly prefix: string
  readonly port: number
}

/** @param last the seat's last lease: what is still at the same place is still the same container */
export type NameLookup = (
  holder: SeatHolder,
  template: NamedTemplate,
  last: Lease | undefined,
) => Promise<Lease | undefined>

export function createNameLookup({ resolve, pool, clock }: NameLookupDeps): NameLookup {
  return async (holder, template, last) => {
    const prefix = parsePrefix(template.prefix)
    if (prefix === undefined) return undefined
    const workspace = workspaceName(prefix, holder.person.name)
    const [byName, byOwner] = await Promise.all([
      resolve(workspace),
      resolve(ownerAlias(workspace, holder.person.subject)),
    ])
    const host = byName.find((found) => byOwner.includes(found) && poolContains(pool, found))
    if (host === undefined) return undefined
    const address = { host, port: template.port }
    const askedAt = clock.now()
    const same = last !== undefined && last.workspace === workspace && samePlace(last, { address })
    const generation = same ? last.generation : `name:${workspace}@${host}`
    return { workspace, generation, address, askedAt, expiresAt: askedAt + leaseMs, byName: true }
  }
}

export function samePlace(a: Pick<Lease, 'address'>, b: Pick<Lease, 'address'>): boolean {
  return a.address.host === b.address.host && a.address.port === b.address.port
}
