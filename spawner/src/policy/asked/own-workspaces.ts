// The workspaces of a person, of all templates: what a person may look at, and which of them the person may end.
import type { Person, Phase } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { State } from '../domain.ts'
import { holdsPlace } from '../state/phases.ts'
import { seatIn } from '../seats/seat-table.ts'
import { urlOf } from '../../templates/address.ts'

export interface OwnWorkspace {
  readonly name: WorkspaceName
  readonly title: string
  /** Where the template is reached, if that is known. */
  readonly url?: string
  readonly phase: Phase
  /** Several people use it, so that no single one of them may stop it. */
  readonly shared: boolean
}

/** Those that run, start, stop or wait for a place: each counts against the limit of the person. */
export function ownWorkspaces(state: State, person: Person): readonly OwnWorkspace[] {
  const own: OwnWorkspace[] = []
  for (const name of state.tally.byPerson.get(person.name) ?? []) {
    const workspace = state.workspaces.get(name)
    if (workspace === undefined) continue
    if (!holdsPlace(workspace) && workspace.phase !== 'queued') continue
    const shared = workspace.kind === 'shared'
    const holder = shared ? seatIn(workspace, person.name)?.person : workspace.owner
    if (holder === undefined || !isSame(holder, person)) continue
    const template = state.config.templates.get(workspace.template)
    const url = template && urlOf(template)
    own.push({
      name,
      title: template?.title ?? workspace.template,
      ...(url === undefined ? {} : { url }),
      phase: workspace.phase,
      shared,
    })
  }
  return own
}

/** A workspace that a script made for a user name has no subject yet. */
function isSame(holder: Person, person: Person): boolean {
  return holder.name === person.name && (holder.subject === person.subject || holder.subject === '')
}
