// The start of a workspace as a list of steps: done, in progress, or to come. Pure.
import type { Phase, ShownPhase } from '@berth/shared/contract'
import type { Milestone } from '../../policy/domain.ts'

const stepPhases = ['queued', 'pulling', 'creating', 'starting', 'probing'] as const
export type StepPhase = (typeof stepPhases)[number]

/** `passed`: the step was not needed this time. `failed`: the start failed at this step. */
export type StepState = 'done' | 'passed' | 'now' | 'failed' | 'next'

export interface ShownStep {
  readonly phase: StepPhase
  readonly state: StepState
  /** How long the step took, or has taken so far. */
  readonly ms?: number
}

export function showSteps(
  phase: ShownPhase,
  milestones: readonly Milestone[],
  now: number,
): readonly ShownStep[] {
  const spent = spentByPhase(milestones, now)
  const reached = stepReached(phase, milestones)
  return stepPhases.map((step, index) => {
    if (index > reached) return { phase: step, state: 'next' }
    const ms = spent.get(step)
    const state = stateAt(index, reached, phase, ms)
    return state === 'passed' ? { phase: step, state } : { phase: step, state, ms: ms ?? 0 }
  })
}

function stateAt(
  index: number,
  reached: number,
  phase: ShownPhase,
  ms: number | undefined,
): StepState {
  if (index === reached) return phase === 'failed' ? 'failed' : 'now'
  return ms === undefined ? 'passed' : 'done'
}

/** @returns the number of the step; -1 before the first step, the count of the steps after the last one */
function stepReached(phase: ShownPhase, milestones: readonly Milestone[]): number {
  if (phase === 'ready') return stepPhases.length
  if (phase !== 'failed') return stepNumber(phase)
  // After a failure only the milestones show which step the start had reached.
  return stepNumber(milestones.findLast((past) => stepNumber(past.phase) >= 0)?.phase)
}

function stepNumber(phase: ShownPhase | undefined): number {
  return stepPhases.findIndex((step) => step === phase)
}

/** If a workspace was in a phase twice, both times are added. */
function spentByPhase(milestones: readonly Milestone[], now: number): ReadonlyMap<Phase, number> {
  const spent = new Map<Phase, number>()
  milestones.forEach((milestone, index) => {
    const until = milestones[index + 1]?.at ?? now
    const ms = Math.max(0, Math.round(until - milestone.at))
    spent.set(milestone.phase, (spent.get(milestone.phase) ?? 0) + ms)
  })
  return spent
}
