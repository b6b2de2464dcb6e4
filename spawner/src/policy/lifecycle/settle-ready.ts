// What is due for a workspace that is served: nothing while it is in use, then it is frozen or stopped.
import { isVetoed, withdrawQuestion } from './busy.ts'
import { change, order, rests, type Draft } from '../state/draft.ts'
import type { Workspace } from '../domain.ts'
import { dueStep } from '../state/deadlines.ts'
import { announceEnd, hasOutlived } from './end-of-life.ts'
import { isFreezing } from './freezing.ts'
import { isHeld } from './holds.ts'
import { endNow, isCutOff } from './settle-starts.ts'

export function settleReady(draft: Draft, former: Workspace): void {
  const workspace = announceEnd(draft, former)
  if (!draft.engine.reachable) return
  if (hasOutlived(draft, workspace)) return endNow(draft, workspace, 'lifetime')
  if (isCutOff(draft, workspace)) return endNow(draft, workspace, 'replaced')
  if (isFreezing(workspace)) return
  const step = dueStep(draft.config, workspace, draft.now)
  if (step === undefined) {
    withdrawQuestion(draft, workspace)
    return freezeHeld(draft, draft.workspaces.get(workspace.name) ?? workspace)
  }
  if (step === 'freeze' && rests(draft, workspace)) return
  // Asked under a lease, too: if the application is busy, the requests that a page sends by itself are not interrupted.
  const vetoed = isVetoed(draft, workspace, step)
  const idle = draft.workspaces.get(workspace.name) ?? workspace
  // A busy one has put the step off, and is frozen for a hold as any other.
  if (vetoed && dueStep(draft.config, idle, draft.now) === undefined) freezeHeld(draft, idle)
  if (vetoed || workspace.leasedUntil > draft.now) return
  if (step === 'stop') endNow(draft, idle, 'idle')
  // Frozen by its own idle step, it stays so after a hold.
  else freeze(draft, idle.held === undefined ? idle : change(draft, idle, { held: undefined }))
}

/** The application is not asked whether it is busy: it goes on afterwards. */
function freezeHeld(draft: Draft, workspace: Workspace): void {
  const { held, leasedUntil } = workspace
  if (held === undefined || !isHeld(workspace, draft.now)) return
  if (leasedUntil > draft.now || rests(draft, workspace)) return
  freeze(draft, change(draft, workspace, { held: { ...held, froze: true } }))
}

function freeze(draft: Draft, workspace: Workspace): void {
  const { name, container } = workspace
  if (container === undefined) return
  const { generation } = container
  order(draft, workspace, 'freeze', { type: 'freeze-container', workspace: name, generation })
}
