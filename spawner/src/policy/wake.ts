// When something falls due by itself. What is due already was handled, or waits for something that will come as an event.
import type { State, Workspace } from './domain.ts'
import {
  absentAt,
  forgetAt,
  idleRemoveAt,
  idleStopAt,
  lifetimeEndsAt,
  probeGraceMs,
} from './due.ts'

export function wakeAt(state: State, now: number): number | undefined {
  let earliest = Number.POSITIVE_INFINITY
  const consider = (at: number | undefined) => {
    if (at !== undefined && at > now && at < earliest) earliest = at
  }
  for (const workspace of state.workspaces.values()) considerWorkspace(state, workspace, consider)
  for (const network of state.networks.values()) {
    consider(network.retryAt)
    if (network.workspace === undefined) consider(network.restsUntil)
    for (const { retryAt } of network.failing) consider(retryAt)
  }
  if (state.queue.length > 0) for (const until of state.restingIndexes.values()) consider(until)
  return earliest === Number.POSITIVE_INFINITY ? undefined : earliest
}

function considerWorkspace(
  state: State,
  workspace: Workspace,
  consider: (at: number | undefined) => void,
): void {
  const { config } = state
  consider(workspace.retryAt)
  switch (workspace.phase) {
    case 'queued':
      return consider(absentAt(config, workspace))
    case 'creating':
      return consider(workspace.retryUntil)
    case 'probing':
      consider(workspace.readyBy)
      if (workspace.readyBy !== undefined) consider(workspace.readyBy + probeGraceMs)
      consider(lifetimeEndsAt(config, workspace))
      consider(workspace.leasedUntil)
      return consider(idleStopAt(config, workspace))
    case 'ready':
    case 'frozen':
      consider(lifetimeEndsAt(config, workspace))
      consider(workspace.leasedUntil)
      return consider(idleStopAt(config, workspace))
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
