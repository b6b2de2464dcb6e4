// When things fall due: idleness, lifetimes, deadlines. Says when, never what is done about it.
import type { PolicyConfig, Workspace } from './domain.ts'
import { plainPolicy } from '../templates/plain-template.ts'
import type { TemplatePolicy } from '../templates/template.ts'

const never = Number.POSITIVE_INFINITY

/** For containers whose template is no longer offered: they run until nobody uses them, and then go. */
const orphanPolicy: TemplatePolicy = { ...plainPolicy, idleStopMs: 15 * 60_000, idleRemoveMs: 1 }

/** A director that is only now connected gets at least this long to reach a workspace. */
export const probeGraceMs = 10_000

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

/** From then on it is idle: background requests neither get nor renew a lease. */
export function idleAt(config: PolicyConfig, workspace: Workspace): number {
  const { idleStopMs } = policyOf(config, workspace)
  return idleStopMs > 0 ? workspace.lastUseAt + idleStopMs : never
}

/** From then on it may be stopped for idleness. */
export function idleStopAt(config: PolicyConfig, workspace: Workspace): number {
  return Math.max(idleAt(config, workspace), workspace.leasedUntil)
}

/** Meant for stopped ones. */
export function idleRemoveAt(config: PolicyConfig, workspace: Workspace): number {
  const { idleRemoveMs } = policyOf(config, workspace)
  return idleRemoveMs > 0 ? workspace.lastUseAt + idleRemoveMs : never
}

/** The hard end, leases or not. */
export function lifetimeEndsAt(config: PolicyConfig, workspace: Workspace): number {
  const { maxLifetimeMs } = policyOf(config, workspace)
  const startedAt = workspace.container?.startedAt
  return maxLifetimeMs > 0 && startedAt !== undefined ? startedAt + maxLifetimeMs : never
}

/** When someone who waits in the queue counts as gone. */
export function absentAt(config: PolicyConfig, workspace: Workspace): number {
  return workspace.seenAt + config.presenceMs
}

/** When a failed or ended workspace without a container is forgotten. */
export function forgetAt(config: PolicyConfig, workspace: Workspace): number {
  return workspace.phaseSince + config.forgetAfterMs
}
