// Kills the process of a service, as in a crash, and waits until the engine has restarted it.
import assert from 'node:assert/strict'
import { inspected } from '../engine/belongings.ts'
import { eventually } from '../run/deadline.ts'
import type { Deployment, Role } from './deployment.ts'

export async function killProcess(berth: Deployment, role: Role): Promise<void> {
  const [service] = await berth.services(role)
  assert.ok(service && service.State.Pid > 0, `${role} runs`)
  process.kill(service.State.Pid, 'SIGKILL')
  await eventually(`${role} is dead or was started again`, 15_000, async () => {
    const { State } = await inspected(berth.engine, service.Id)
    return State.Pid !== service.State.Pid
  })
}

export async function restarted(berth: Deployment, role: Role): Promise<void> {
  await eventually(`${role} is healthy again`, 60_000, async () => {
    const [service] = await berth.services(role)
    const health = (service?.State as { Health?: { Status: string } } | undefined)?.Health
    return service?.State.Running === true && health?.Status === 'healthy'
  })
}
