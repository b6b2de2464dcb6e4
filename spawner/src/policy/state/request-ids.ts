// Which request began what a workspace is doing, so that the log connects the two. Nothing is decided by it.
import { change, type Draft } from './draft.ts'
import type { Workspace } from '../domain.ts'
import { changedWorkspaces } from './changes.ts'

/** To be called when the event is recorded, before anything follows from it for other workspaces. */
export function noteRequestId(draft: Draft, requestId: string): void {
  for (const name of changedWorkspaces(draft)) {
    const workspace = draft.workspaces.get(name)
    if (workspace !== undefined && isBegun(draft.before.workspaces.get(name), workspace))
      change(draft, workspace, { requestId })
  }
}

/** A start, a thaw or an end. */
function isBegun(before: Workspace | undefined, after: Workspace): boolean {
  return (
    before?.ticket !== after.ticket ||
    (after.thawRequestedAt !== undefined && before.thawRequestedAt === undefined) ||
    (after.phase === 'stopping' && before.phase !== 'stopping')
  )
}
