// Announces to logs, metrics and followers which workspaces entered another phase by a decision.
import type { Draft } from './state/draft.ts'
import type { Announcement, Workspace } from './domain.ts'
import { startOf } from './lifecycle/transitions.ts'
import { shownPhase } from './state/phases.ts'
import { changedWorkspaces } from './state/changes.ts'

export function announceChanges(draft: Draft): void {
  for (const name of changedWorkspaces(draft)) {
    const before = draft.before.workspaces.get(name)
    const after = draft.workspaces.get(name)
    const phase = shownPhase(after)
    if (shownPhase(before) === phase) continue
    draft.steps.push({
      type: 'announce',
      workspace: name,
      phase,
      ...(after === undefined ? {} : detail(draft, before, after)),
      ...requestIdOf(before, after),
    })
  }
}

/** Of the request that this phase follows from; the end of what it began belongs to it. */
function requestIdOf(
  before: Workspace | undefined,
  after: Workspace | undefined,
): Pick<Announcement, 'requestId'> {
  const requestId = after?.requestId ?? before?.requestId
  return requestId === undefined ? {} : { requestId }
}

function detail(
  draft: Draft,
  before: Workspace | undefined,
  after: Workspace,
): Pick<Announcement, 'start' | 'failure'> {
  if (after.phase === 'failed' && after.failure !== undefined) return { failure: after.failure }
  if (after.phase === 'ready' && before?.phase === 'frozen' && before.thawRequestedAt !== undefined)
    return { start: { kind: 'frozen', ms: draft.now - before.thawRequestedAt } }
  // No person waited for a standby.
  if (after.kind === 'standby') return {}
  if (after.phase !== 'ready' || before?.servesSince !== undefined) return {}
  const start = startOf(after)
  return start === undefined ? {} : { start: { kind: start.kind, ms: draft.now - start.from } }
}
