// Which workspaces are a person's: a private one of theirs, or a shared one in which they have a seat. Pure.
import type { Person } from '@berth/shared/contract'
import type { State, Workspace } from '../domain.ts'
import { accessOf } from './access.ts'

/** The same user name with another subject is another person. */
export function isTheirs(state: State, workspace: Workspace, person: Person): boolean {
  const { name, template, owner, seats } = workspace
  const access = accessOf(state, person, template)
  if (access.ok && access.name === name) return true
  // Its template is no longer offered to the person, or not at all: the workspace is still theirs.
  if (owner !== undefined) return isSame(owner, person)
  return seats.some((seat) => isSame(seat.person, person))
}

/** Whether the person alone decides about it: others may be at work in a shared workspace. */
export function isTheirsAlone(state: State, workspace: Workspace, person: Person): boolean {
  return workspace.kind === 'private' && isTheirs(state, workspace, person)
}

const isSame = (a: Person, b: Person) => a.name === b.name && a.subject === b.subject
