// When something falls due by itself. What is due already was handled, or waits for something that will come as an event.
import type { Draft } from './draft.ts'
import type { Network, PolicyConfig, Workspace } from '../domain.ts'
import {
  absentAt,
  endNoticeAt,
  forgetAt,
  idleRemoveAt,
  idleStepsAt,
  idleStopAt,
  lastAnswerMs,
  lifetimeEndsAt,
  probeGraceMs,
  quietAt,
} from './deadlines.ts'
import { nextSeatEndAt } from '../seats/seat-ends.ts'

type Consider = (at: number | undefined) => void

/** Never too late. Too early where only what was touched was looked at, which a tick then puts right. */
export function nextDueAt(draft: Draft): number {
  const isWhole = draft.concernsAll
  let earliest = isWhole ? Number.POSITIVE_INFINITY : draft.before.dueAt
  const consider: Consider = (at) => {
    if (at !== undefined && at > draft.now && at < earliest) earliest = at
  }
  const workspaces = isWhole ? draft.workspaces.keys() : draft.workspaces.touched
  for (const name of workspaces)
    considerWorkspace(draft.config, draft.workspaces.get(name), consider)
  const networks = isWhole ? draft.networks.keys() : draft.networks.touched
  for (const index of networks) considerNetwork(draft.networks.get(index), consider)
  if (draft.tally.starting === 0) consider(quietAt(draft))
  for (const until of draft.restingIndexes.values()) consider(until)
  for (const { until } of draft.standbyFailures.values()) consider(until)
  return earliest
}

function considerNetwork(network: Network | undefined, consider: Consider): void {
  if (network === undefined) return
  consider(network.retryAt)
  if (network.workspace === undefined) consider(network.restsUntil)
  for (const { retryAt } of network.failing) consider(retryAt)
}

function considerWorkspace(
  config: PolicyConfig,
  workspace: Workspace | undefined,
  consider: Consider,
): void {
  if (workspace === undefined) return
  consider(workspace.retryAt)
  consider(workspace.renameAt)
  switch (workspace.phase) {
    case 'queued':
      consider(nextSeatEndAt(config, workspace))
      return consider(absentAt(config, workspace))
    case 'creating':
      return consider(workspace.retryUntil)
    case 'probing':
      consider(workspace.readyBy)
      if (workspace.readyBy !== undefined) {
        consider(workspace.readyBy + lastAnswerMs)
        consider(workspace.readyBy + probeGraceMs)
      }
      return considerRunning(config, workspace, consider)
    case 'ready':
    case 'frozen':
      return considerRunning(config, workspace, consider)
    case 'stopped':
      if (workspace.container === undefined) return consider(forgetAt(config, workspace))
      return consider(idleRemoveAt(config, workspace))
    case 'failed':
      return consider(forgetAt(config, workspace))
    case 'pulling':
    case 'starting':
    case 'stopping':
  }
}

function considerRunning(config: PolicyConfig, workspace: Workspace, consider: Consider): void {
  consider(lifetimeEndsAt(config, workspace))
  consider(nextSeatEndAt(config, workspace))
  consider(endNoticeAt(config, workspace))
  if (workspace.phase === 'ready') {
    const { freeze, stop } = idleStepsAt(config, workspace)
    consider(freeze)
    consider(stop)
  } else consider(idleStopAt(config, workspace))
  consider(workspace.veto?.question?.until)
  consider(workspace.held?.until)
  // One whose network is gone is given up when no lease is left.
  consider(workspace.leasedUntil)
}
