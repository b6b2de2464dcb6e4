// How long a wait will be, from the starts and stays that were measured: of the same template, and by the limit that
// stands in the way. Without a measurement there is no estimate, and for a limit whose end nothing tells there is none.
import type { State, Workspace } from '../domain.ts'
import { isGroupFull, waitsFor, type LimitFacts } from '../queue/limits.ts'
import { positionOf } from '../queue/order.ts'
import { startOf } from '../lifecycle/transitions.ts'
import { isStarting } from '../state/phases.ts'

type EstimateFacts = LimitFacts & Pick<State, 'queue' | 'measured'>

/** @returns milliseconds until the workspace is ready; `undefined` where nothing is known */
export function estimateMs(
  known: EstimateFacts,
  workspace: Workspace,
  now: number,
): number | undefined {
  if (workspace.phase === 'queued') return estimateQueued(known, workspace)
  if (!isStarting(workspace)) return undefined
  const start = startOf(workspace)
  if (start === undefined) return undefined
  const usual = usualStart(known, workspace, start.kind)
  if (usual === undefined) return undefined
  const left = start.from + usual - now
  return left > 0 ? Math.round(left) : undefined
}

function estimateQueued(known: EstimateFacts, workspace: Workspace): number | undefined {
  const kind = workspace.container === undefined ? 'cold' : 'stopped'
  const startMs = usualStart(known, workspace, kind)
  if (startMs === undefined) return undefined
  const waitMs = usualWait(known, workspace, startMs)
  return waitMs === undefined ? undefined : Math.round(waitMs + startMs)
}

/** Until the limit that stands in the way lets it through. */
function usualWait(
  known: EstimateFacts,
  workspace: Workspace,
  startMs: number,
): number | undefined {
  const position = positionOf(known, workspace) ?? 0
  const { limits, templates } = known.config
  const { places, starting, byTemplate } = known.tally
  switch (waitsFor(known, workspace)) {
    case undefined:
      return 0
    case 'starting':
      return usualTurns(starting + position, limits.maxStarting) * startMs
    case 'limit_total': {
      const stays = [...known.measured.values()].flatMap(({ staysMs }) => staysMs)
      const turns = usualTurns(starting + position, limits.maxStarting)
      const free = untilFree(stays, places + position, limits.maxWorkspaces)
      return free === undefined ? undefined : Math.max(free, turns * startMs)
    }
    case 'limit_template': {
      // The members of a group are not told apart in what was measured.
      if (isGroupFull(known, workspace)) return undefined
      const { template } = workspace
      const taken = byTemplate.get(template)?.places ?? 0
      const ahead = queuedAhead(known, workspace)
      const stays = known.measured.get(template)?.staysMs ?? []
      const most = templates.get(template)?.policy.maxWorkspaces ?? 0
      return untilFree(stays, taken + ahead + 1, most)
    }
    case 'maintenance':
    case 'limit_user':
    case 'limit_memory':
      return undefined
  }
}

/** Those ahead start `most` at a time. */
function usualTurns(count: number, most: number): number {
  return most > 0 && count > most ? Math.ceil((count - most) / most) : 0
}

/** Within a usual stay each place becomes free once. */
function untilFree(stays: readonly number[], wanted: number, places: number): number | undefined {
  const stayMs = median(stays)
  return stayMs === undefined ? undefined : (Math.max(0, wanted - places) * stayMs) / places
}

function queuedAhead({ queue, workspaces }: EstimateFacts, { name, template }: Workspace): number {
  const ahead = queue.slice(0, Math.max(0, queue.indexOf(name)))
  return ahead.filter((other) => workspaces.get(other)?.template === template).length
}

function usualStart(
  { measured }: EstimateFacts,
  { template }: Workspace,
  kind: 'cold' | 'stopped' | 'standby',
): number | undefined {
  const { coldMs = [], stoppedMs = [] } = measured.get(template) ?? {}
  if (kind === 'stopped') return median(stoppedMs) ?? median(coldMs)
  return median(coldMs)
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]
}
