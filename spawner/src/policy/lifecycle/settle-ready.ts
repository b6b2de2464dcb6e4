// What is due for a workspace that is served: nothing while it is in use, then it is frozen or stopped.
import { isVetoed, withdrawQuestion } from './busy.ts'
import { order, rests, type Draft } from '../state/draft.ts'
import type { Workspace } from '../domain.ts'
import { dueStep } from '../state/deadlines.ts'
import { announceEnd, hasOutlived } from './end-of-life.ts'
import { isFreezing } from './freezing.ts'
import { endNow, isCutOff } from './settle-starts.ts'

export function settleReady(draft: Draft, former: Workspace): void {
  const workspace = announceEnd(draft, former)
  if (!draft.engine.reachable) return
  if (hasOutlived(draft, workspace)) return endNow(draft, workspace, 'lifetime')
  if (isCutOff(draft, workspace)) return endNow(draft, workspace, 'replaced')
  if (isFreezing(workspace)) return
  const step = dueStep(draft.config, workspace, draft.now)
  if (step === undefined) return withdrawQuestion(draft, workspace)
  if (step === 'freeze' && rests(draft, workspace)) return
  // Asked under a lease, too: if the application is busy, the requests that a page sends by itself are not interrupted.
  if (isVetoed(draft, workspace, step) || workspace.leasedUntil > draft.now) return
  const idle = draft.workspaces.get(workspace.name) ?? workspace
  if (step === 'stop') endNow(draft, idle, 'idle')
  else freeze(draft, idle)
}

function freeze(draft: Draft, workspace: Workspace): void {
  const { name, container } = workspace
  if (container === undefined) return
  const { generation } = container
  order(draft, workspace, 'freeze', { type: 'freeze-container', workspace: name, generation })
}
