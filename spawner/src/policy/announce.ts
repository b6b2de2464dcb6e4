// Tells logs, metrics and followers which workspaces are in another phase after a decision than before.
import type { Draft } from './draft.ts'
import type { Step, Workspace } from './domain.ts'
import { startOf } from './lifecycle.ts'

export function announceChanges(draft: Draft): void {
  for (const name of draft.workspaces.touched) {
    const before = draft.before.workspaces.get(name)
    const after = draft.workspaces.get(name)
    if (before?.phase === after?.phase) continue
    draft.steps.push({
      type: 'announce',
      workspace: name,
      phase: after?.phase ?? 'absent',
      ...(after === undefined ? {} : detail(draft, before, after)),
    })
  }
}

function detail(
  draft: Draft,
  before: Workspace | undefined,
  after: Workspace,
): Pick<Extract<Step, { type: 'announce' }>, 'start' | 'failure'> {
  if (after.phase === 'failed' && after.failure !== undefined) return { failure: after.failure }
  if (after.phase !== 'ready' || before?.servesSince !== undefined) return {}
  const start = startOf(after)
  return start === undefined ? {} : { start: { kind: start.kind, ms: draft.now - start.from } }
}
