// How long a lease lasts: never so long that an idle step would have to wait for it.
import type { LeaseTimes } from '../domain.ts'
import { isShared, type Template } from '../../templates/template.ts'

const longestLeaseMs = 30_000

/** At most a quarter of the shortest idle step. Directors report every quarter of a lease, so half is margin enough. */
export function leaseTimes(templates: Iterable<Template>): LeaseTimes {
  let leaseMs = longestLeaseMs
  for (const template of templates)
    for (const stepMs of idleSteps(template))
      if (stepMs > 0) leaseMs = Math.min(leaseMs, Math.floor(stepMs / 4))
  return { leaseMs, marginMs: Math.ceil(leaseMs / 2) }
}

function idleSteps(template: Template): readonly number[] {
  const { idleFreezeMs, idleStopMs, idleRemoveMs, seatIdleMs } = template.policy
  const steps = [idleFreezeMs, idleStopMs, idleRemoveMs]
  return isShared(template) ? [...steps, seatIdleMs] : steps
}
