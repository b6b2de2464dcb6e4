// A template with a new name takes over the workspaces under its prefix: they count against its limits, and idle and end
// by its policy, whether or not a person asks for them.
import { prefixOf } from '@berth/shared/names'
import type { PolicyConfig, Seat, Workspace } from '../domain.ts'
import { change, type Draft } from '../state/draft.ts'
import { leaveQueue } from './transitions.ts'

/** The template of a workspace that was made for `template`: the one of its prefix, if `template` is no longer offered. */
export function presentTemplate(
  { templates }: PolicyConfig,
  { name, template }: Pick<Workspace, 'name' | 'template'>,
): string {
  if (templates.has(template)) return template
  const prefix = prefixOf(name)
  for (const other of templates.values()) if (other.prefix === prefix) return other.name
  return template
}

export function takeOverRenamed(draft: Draft): void {
  for (const workspace of draft.workspaces.values()) {
    const template = presentTemplate(draft.config, workspace)
    if (template !== workspace.template) change(draft, workspace, { template })
  }
  endFormerSeats(draft)
}

/** A person may have a seat of before in a workspace that was taken over, and a later seat in another of that template. */
export function endFormerSeats(draft: Draft): void {
  const latest = new Map<string, number>()
  const keyOf = ({ template }: Workspace, { person }: Seat) => `${template} ${person.name}`
  const shared = [...draft.workspaces.values()].filter(({ kind }) => kind === 'shared')
  for (const workspace of shared)
    for (const seat of workspace.seats) {
      const key = keyOf(workspace, seat)
      latest.set(key, Math.max(seat.ticket, latest.get(key) ?? 0))
    }
  for (const workspace of shared) {
    const seats = workspace.seats.filter(
      (seat) => latest.get(keyOf(workspace, seat)) === seat.ticket,
    )
    if (seats.length === workspace.seats.length) continue
    const left = change(draft, workspace, { seats })
    if (left.phase === 'queued' && seats.length === 0) leaveQueue(draft, left)
  }
}
