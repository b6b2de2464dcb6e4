// Which of the leases in an answer to a report is meant for which reported seat.
import type { ActivityAnswer } from '@berth/shared/contract'
import type { Seat } from './lease-table.ts'
import type { Lease } from './lease.ts'

export type Renewal = ActivityAnswer['leases'][number]

/** @param reported what the report told of; it looks up the renewal of one of these */
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

  /** One that names no generation is for the only one that was told of: of several, all but one are over. */
  function generationOf({ workspace, generation }: Renewal): string | undefined {
    const known = generations.get(workspace)
    if (generation !== undefined) return known?.has(generation) === true ? generation : undefined
    return known?.size === 1 ? [...known][0] : undefined
  }

  const everybodys = new Map<string, Renewal>()
  const persons = new Map<string, Renewal>()
  for (const renewal of answer) {
    const generation = generationOf(renewal)
    if (generation === undefined) continue
    if (renewal.user === undefined) everybodys.set(generation, renewal)
    else persons.set(personKey(generation, renewal.user), renewal)
  }
  return ({ holder }, { generation }) =>
    persons.get(personKey(generation, holder.user.name)) ?? everybodys.get(generation)
}

function personKey(generation: string, user: string): string {
  return `${generation}\n${user}`
}
