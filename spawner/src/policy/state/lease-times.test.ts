import assert from 'node:assert/strict'
import { it } from 'node:test'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { leaseTimes } from './lease-times.ts'

const never = { idleFreezeMs: 0, idleStopMs: 0, idleRemoveMs: 0 }
const leaseOf = (...policies: Parameters<typeof testTemplate>[1][]) =>
  leaseTimes(policies.map((more, n) => testTemplate(`t${n}`, more))).leaseMs

it('a lease is at most a quarter of the shortest idle step of any template', () => {
  assert.equal(leaseOf({ policy: never }), 30_000)
  assert.equal(leaseOf({ policy: { ...never, idleStopMs: 60_000 } }), 15_000)
  const freezing = { policy: { ...never, idleFreezeMs: 8_000 } }
  assert.equal(leaseOf({ policy: { ...never, idleStopMs: 60_000 } }, freezing), 2_000)
})

it('the idle time of a seat shortens the lease only if several people share a workspace', () => {
  const idle = { ...never, seatIdleMs: 20_000 }
  assert.equal(leaseOf({ policy: { ...idle, seats: 10 } }), 5_000)
  assert.equal(leaseOf({ policy: { ...idle, seats: 1 } }), 30_000)
})
