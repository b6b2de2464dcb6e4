// When things fall due: idleness, lifetimes, deadlines. Says when, never what is done about it.
import type { PolicyConfig, Workspace } from '../domain.ts'
import type { TemplatePolicy } from '../../templates/template.ts'
import { unlimitedPolicy } from '../../templates/unlimited-policy.ts'

const never = Number.POSITIVE_INFINITY

/** For containers whose template is no longer offered: they run until no person uses them, and are then removed. */
const orphanPolicy: TemplatePolicy = {
  ...unlimitedPolicy,
  idleStopMs: 15 * 60_000,
  idleRemoveMs: 1,
}

/** A director that is only now connected gets at least this long to reach a workspace. */
export const probeGraceMs = 10_000

/** A director that probes until the start timeout has this long to tell what it met. */
export const lastAnswerMs = 2_000

/** How long the page of a workspace is expected to load after the start. */
const quietMs = 10_000

/** Its end is announced this long before, or a tenth of the lifetime where that is shorter. */
const endNoticeMs = 10 * 60_000

export function policyOf(
  config: PolicyConfig,
  workspace: { readonly template: string },
): TemplatePolicy {
  return config.templates.get(workspace.template)?.policy ?? orphanPolicy
}

/** How long a director may hold a lease that is given now, the margin included. */
export function leaseSpan(config: PolicyConfig): number {
  return config.lease.leaseMs + config.lease.marginMs
}

/** From then on networks may be made and removed in advance. Meant for a time without starts. */
export function quietAt({ lastStartAt }: { readonly lastStartAt: number }): number {
  return lastStartAt + quietMs
}

/** An idle step, counted from the last use, but not before a busy application is asked again. */
function stepAt(workspace: Workspace, stepMs: number): number {
  // No person has used a standby yet.
  if (stepMs === 0 || workspace.kind === 'standby') return never
  const usedAt = Math.max(workspace.lastUseAt, workspace.activeAt ?? -never)
  return Math.max(usedAt + stepMs, workspace.veto?.busyUntil ?? -never)
}

/** When each idle step of one that runs is due by the last use, whether or not a lease is still running. */
export function idleStepsAt(
  config: PolicyConfig,
  workspace: Workspace,
): { readonly freeze: number; readonly stop: number } {
  const { idleFreezeMs, idleStopMs } = policyOf(config, workspace)
  return { freeze: stepAt(workspace, idleFreezeMs), stop: stepAt(workspace, idleStopMs) }
}

/** From then on it is idle: background requests neither get nor renew a lease. Meant for those that run. */
export function idleAt(config: PolicyConfig, workspace: Workspace): number {
  const { freeze, stop } = idleStepsAt(config, workspace)
  return Math.min(freeze, stop)
}

/** The idle step that is due by the last use. Meant for those that run. */
export function dueStep(
  config: PolicyConfig,
  workspace: Workspace,
  now: number,
): 'freeze' | 'stop' | undefined {
  const { freeze, stop } = idleStepsAt(config, workspace)
  if (stop <= now) return 'stop'
  return freeze <= now ? 'freeze' : undefined
}

/** From then on it may be stopped for idleness. A frozen one that is never stopped is stopped to be removed. */
export function idleStopAt(config: PolicyConfig, workspace: Workspace): number {
  const { idleStopMs, idleRemoveMs } = policyOf(config, workspace)
  const stepMs = idleStopMs === 0 && workspace.phase === 'frozen' ? idleRemoveMs : idleStopMs
  return Math.max(stepAt(workspace, stepMs), workspace.leasedUntil)
}

/** Meant for stopped ones. */
export function idleRemoveAt(config: PolicyConfig, workspace: Workspace): number {
  return stepAt(workspace, policyOf(config, workspace).idleRemoveMs)
}

/** The hard end, leases or not. */
export function lifetimeEndsAt(config: PolicyConfig, workspace: Workspace): number {
  const { maxLifetimeMs } = policyOf(config, workspace)
  if (maxLifetimeMs === 0) return never
  const end = livesSince(workspace) + maxLifetimeMs + workspace.extendedMs
  return Math.max(end, workspace.endsNotBefore ?? -never)
}

/** Lifetimes of people count from its start, or from the claim of a standby; `never` while it has not started. */
function livesSince({ container, stoodByMs = 0 }: Workspace): number {
  return container?.startedAt === undefined ? never : container.startedAt + stoodByMs
}

/** When the end of its lifetime is announced. */
export function endNoticeAt(config: PolicyConfig, workspace: Workspace): number {
  return lifetimeEndsAt(config, workspace) - endNotice(config, workspace)
}

/** How long before the end it is announced. */
export function endNotice(config: PolicyConfig, workspace: Workspace): number {
  return Math.min(endNoticeMs, policyOf(config, workspace).maxLifetimeMs / 10)
}

/** From then on it accepts no new people, and ends when the last person leaves. */
export function drainsAt(config: PolicyConfig, workspace: Workspace): number {
  const { drainAfterMs } = policyOf(config, workspace)
  return drainAfterMs > 0 ? livesSince(workspace) + drainAfterMs : never
}

/** When someone who waits in the queue counts as gone. */
export function absentAt(config: PolicyConfig, workspace: Workspace): number {
  return workspace.seenAt + config.presenceMs
}

/** When a failed or ended workspace without a container is forgotten. */
export function forgetAt(config: PolicyConfig, workspace: Workspace): number {
  return workspace.phaseSince + config.forgetAfterMs
}
