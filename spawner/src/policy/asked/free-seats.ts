// How many people could join the shared workspaces of a template at once. Pure.
import { isShared, type Template } from '../../templates/template.ts'
import type { State } from '../domain.ts'

/** @returns `undefined` for workspaces of one person each, and where any number may join */
export function freeSeats(state: State, template: Template): number | undefined {
  const { seats } = template.policy
  if (!isShared(template) || seats <= 1) return undefined
  const shared = [...state.workspaces.values()].filter(
    (workspace) => workspace.template === template.name && workspace.kind === 'shared',
  )
  if (shared.length === 0) return seats
  return shared.reduce((free, workspace) => free + Math.max(0, seats - workspace.seats.length), 0)
}
