// What is due for a frozen workspace: it is thawed for the person who asks, or stopped after its idle time.
import { order, rests, type Draft } from '../state/draft.ts'
import type { Workspace } from '../domain.ts'
import { idleStopAt } from '../state/deadlines.ts'
import { isFrozenByHold, isHeld } from './holds.ts'
import { announceEnd, hasOutlived } from './end-of-life.ts'
import { endNow, isCutOff } from './settle-starts.ts'

export function settleFrozen(draft: Draft, workspace: Workspace): void {
  const told = announceEnd(draft, workspace)
  if (!draft.engine.reachable) return
  if (hasOutlived(draft, told)) return endNow(draft, told, 'lifetime')
  const byHold = isFrozenByHold(told)
  if (!byHold && idleStopAt(draft.config, told) <= draft.now) return endNow(draft, told, 'idle')
  if (isCutOff(draft, told)) return endNow(draft, told, 'replaced')
  const { name, container, thawRequestedAt } = told
  const isWanted = thawRequestedAt !== undefined || (byHold && !isHeld(told, draft.now))
  if (!isWanted || container === undefined || rests(draft, told)) return
  const { generation } = container
  order(draft, told, 'thaw', { type: 'thaw-container', workspace: name, generation })
}
