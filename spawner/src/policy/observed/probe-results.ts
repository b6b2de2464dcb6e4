// Probe results: the first director that reaches a workspace makes it ready.
import { change, type Draft } from '../state/draft.ts'
import type { Event } from '../domain.ts'
import { becomeReady } from '../lifecycle/transitions.ts'

export function noteReachable(
  draft: Draft,
  event: Extract<Event, { type: 'probe-answered' }>,
): void {
  const workspace = draft.workspaces.get(event.workspace)
  if (workspace?.phase !== 'probing') return
  if (workspace.container?.generation !== event.generation) return
  if (event.reachable) return becomeReady(draft, workspace)
  const { finding, status } = event
  // Given up early: asked again after a rest, as long as the deadline allows.
  change(draft, workspace, {
    probed: workspace.probed.filter((director) => director !== event.director),
    retryAt: draft.now + draft.config.retryAfterMs,
    met: finding && { finding, ...(status === undefined ? {} : { status }) },
  })
}
