// A hold: a workspace that nobody uses at the moment is frozen while its files are copied, and thawed afterwards. It asks
// nobody to wait: a person who comes meanwhile gets the workspace thawed as ever, and the hold is over.
import type { WorkspaceName } from '@berth/shared/names'
import type { Workspace } from '../domain.ts'
import { change, type Draft } from '../state/draft.ts'

/** A command that died ends no hold. */
const longestHoldMs = 10 * 60_000
/** The command that copies asks again each minute. */
const afterRestartMs = 90_000

/** Again before it is over: longer. */
export function hold(draft: Draft, name: WorkspaceName, ms: number): void {
  const workspace = draft.workspaces.get(name)
  if (workspace?.phase !== 'ready' && workspace?.phase !== 'frozen') return
  // Frozen for another reason, it stays so without a hold.
  if (workspace.phase === 'frozen' && workspace.held === undefined) return
  const until = draft.now + Math.min(ms, longestHoldMs)
  change(draft, workspace, { held: { until, froze: workspace.held?.froze ?? false } })
}

export function endHold(draft: Draft, name: WorkspaceName): void {
  const workspace = draft.workspaces.get(name)
  if (workspace?.held === undefined) return
  change(draft, workspace, { held: { ...workspace.held, until: draft.now } })
}

export function isHeld({ held }: Workspace, now: number): boolean {
  return held !== undefined && held.until > now
}

/** What is known of a hold after the spawner was started again: a command that still copies asks again. */
export function restoredHold(now: number): Workspace['held'] {
  return { until: now + afterRestartMs, froze: true }
}

/** Only the hold keeps it frozen, so no idle step and no eviction may end it. */
export function isFrozenByHold({ held }: Workspace): boolean {
  return held?.froze === true
}
