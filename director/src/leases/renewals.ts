// Matches the renewed leases in the answer to a report with the reported seats.
import type { ActivityAnswer } from '@berth/shared/contract'
import type { Seat } from './lease-table.ts'
import type { Lease } from './lease.ts'

export type Renewal = ActivityAnswer['leases'][number]

/** @param reported the leases in the report @returns looks up the renewal of one of them */
export function createRenewals(
  answer: readonly Renewal[],
  reported: readonly { readonly lease: Lease }[],
): (seat: Seat, lease: Lease) => Renewal | undefined {
  const generations = new Map<string, Set<string>>()
  for (const { lease } of reported) {
    if (lease.byName) continue
    const known = generations.get(lease.workspace) ?? new Set()
    generations.set(lease.workspace, known.add(lease.generation))
  }

  /** A renewal without a generation is for the one that was reported. With several reported, all but one have ended. */
  function generationOf({ workspace, generation }: Renewal): string | undefined {
    const known = generations.get(workspace)
    if (generation !== undefined) return known?.has(generation) === true ? generation : undefined
    return known?.size === 1 ? [...known][0] : undefined
  }

  const forAll = new Map<string, Renewal>()
  const forPerson = new Map<string, Renewal>()
  for (const renewal of answer) {
    const generation = generationOf(renewal)
    if (generation === undefined) continue
    if (renewal.user === undefined) forAll.set(generation, renewal)
    else forPerson.set(personKey(generation, renewal.user), renewal)
  }
  return ({ holder }, { generation }) =>
    forPerson.get(personKey(generation, holder.user.name)) ?? forAll.get(generation)
}

function personKey(generation: string, user: string): string {
  return `${generation}\n${user}`
}
