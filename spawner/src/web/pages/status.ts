// The status of a workspace as `/.berth/status` and its events show it. Pure.
import type { WorkspaceStatus } from '@berth/shared/contract'
import { problemTitle } from '@berth/shared/problems'
import type { WorkspaceView } from '../../loop/workspaces.ts'
import { plainText } from '../http/plain-text.ts'
import { showSteps, type ShownStep } from './steps.ts'

export interface ShownStatus extends WorkspaceStatus {
  /** Whole per cent; set while an image of known size is pulled. */
  readonly pullPercent?: number
  readonly steps: readonly ShownStep[]
  /** A person has stopped it or left the queue, and nobody has asked for a start since. */
  readonly cancelled?: boolean
  /** How long ago the person last used it, as directors have told, which takes them up to ten seconds. Set while it runs. */
  readonly lastUseAgoMs?: number
}

const detailLimit = 1_000

export function showStatus(view: WorkspaceView): ShownStatus {
  const { status } = view
  const problem = shownProblem(view)
  const percent = shownPercent(view)
  return {
    ...status,
    elapsedMs: Math.max(0, Math.round(status.elapsedMs)),
    ...(status.etaMs === undefined ? {} : { etaMs: Math.max(0, Math.round(status.etaMs)) }),
    ...(percent === undefined ? {} : { pullPercent: percent }),
    ...(problem === undefined ? {} : { problem }),
    ...(view.cancelled === true ? { cancelled: true } : {}),
    ...(view.lastUseAgoMs === undefined
      ? {}
      : { lastUseAgoMs: Math.max(0, Math.round(view.lastUseAgoMs)) }),
    steps: showSteps(status.phase, view.milestones, view.now),
  }
}

function shownProblem(view: WorkspaceView): WorkspaceStatus['problem'] {
  const failure = view.refusal?.failure ?? view.failure
  if (failure !== undefined)
    return {
      code: failure.code,
      title: problemTitle(failure.code),
      detail: plainText(failure.detail, detailLimit),
    }
  const problem = view.status.problem
  return problem && { ...problem, detail: plainText(problem.detail, detailLimit) }
}

function shownPercent({ status, pullPercent }: WorkspaceView): number | undefined {
  if (status.phase !== 'pulling' || pullPercent === undefined) return undefined
  return Number.isFinite(pullPercent)
    ? Math.round(Math.min(100, Math.max(0, pullPercent)))
    : undefined
}
