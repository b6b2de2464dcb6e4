// How long a wait will be, from the starts and stays that were measured. Without a measurement there is no estimate.
import type { Measured, PolicyConfig, Workspace } from '../domain.ts'
import { positionOf, type QueueFacts as Order } from '../queue/order.ts'
import { startOf } from '../lifecycle/transitions.ts'
import { isStarting } from '../state/phases.ts'

type EstimateFacts = Order & {
  readonly config: PolicyConfig
  readonly measured: Measured
  readonly tally: { readonly places: number; readonly starting: number }
}

/** @returns milliseconds until the workspace is ready; `undefined` without a measurement */
export function estimateMs(
  known: EstimateFacts,
  workspace: Workspace,
  now: number,
): number | undefined {
  if (workspace.phase === 'queued') return estimateQueued(known, workspace)
  if (!isStarting(workspace)) return undefined
  const start = startOf(workspace)
  if (start === undefined) return undefined
  const usual = usualStart(known.measured, start.kind)
  if (usual === undefined) return undefined
  const left = start.from + usual - now
  return left > 0 ? Math.round(left) : undefined
}

function estimateQueued(known: EstimateFacts, workspace: Workspace): number | undefined {
  const kind = workspace.container === undefined ? 'cold' : 'stopped'
  const startMs = usualStart(known.measured, kind)
  if (startMs === undefined) return undefined
  const position = positionOf(known, workspace) ?? 0
  const { maxWorkspaces, maxStarting } = known.config.limits
  const { places, starting } = known.tally
  let waitMs = 0
  // The workspaces ahead in the queue start `maxStarting` at a time.
  if (maxStarting > 0 && starting + position > maxStarting)
    waitMs = Math.ceil((starting + position - maxStarting) / maxStarting) * startMs
  const short = maxWorkspaces > 0 ? places + position - maxWorkspaces : 0
  if (short > 0) {
    // Within a usual stay each place becomes free once.
    const stayMs = median(known.measured.staysMs)
    if (stayMs === undefined) return undefined
    waitMs = Math.max(waitMs, (short * stayMs) / maxWorkspaces)
  }
  return Math.round(waitMs + startMs)
}

function usualStart(measured: Measured, kind: 'cold' | 'stopped' | 'standby'): number | undefined {
  if (kind === 'stopped') return median(measured.stoppedMs) ?? median(measured.coldMs)
  return median(measured.coldMs)
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]
}
