import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Registry } from 'prom-client'
import { noLimits } from './policy/testing/no-limits.ts'
import { createMetrics } from './metrics.ts'

describe('the metrics', () => {
  const limits = {
    ...noLimits,
    maxWorkspaces: 3,
    maxWorkspacesPerUser: 1,
    maxStarting: 2,
    maxQueue: 9,
    maxMemoryBytes: 4096,
  }

  it('have the names that operators rely on', async () => {
    const registry = new Registry()
    const metrics = createMetrics(registry)
    metrics.countFrom(() => ({
      workspaces: [{ template: 'lab', phase: 'ready' }],
      queueLength: 4,
      queueEstimateMs: () => 90_000,
      limits,
    }))
    metrics.loop.ready({ template: 'lab', kind: 'cold', seconds: 2, queuedSeconds: 1 })
    metrics.loop.startFailed('lab')
    metrics.loop.activityUnknown('lab', 'not_json')
    metrics.loop.refused('queue_full')
    metrics.loop.reclaimed('network')
    metrics.loop.inventoryTaken(0.1)
    metrics.historyDropped(3)
    metrics.calls.called('container-create', 0.02)
    metrics.calls.failed('container-create')
    const text = await registry.metrics()
    for (const line of [
      'berth_ready_duration_seconds_count{template="lab",start="cold"} 1',
      'berth_starts_total{template="lab",outcome="ready"} 1',
      'berth_starts_total{template="lab",outcome="failed"} 1',
      'berth_activity_unknown_total{template="lab",finding="not_json"} 1',
      'berth_refusals_total{code="queue_full"} 1',
      'berth_workspaces{template="lab",phase="ready"} 1',
      'berth_workspaces{template="lab",phase="failed"} 0',
      'berth_limit{limit="workspaces"} 3',
      'berth_limit{limit="workspaces_per_user"} 1',
      'berth_limit{limit="starting"} 2',
      'berth_limit{limit="queue"} 9',
      'berth_limit{limit="memory_bytes"} 4096',
      'berth_queue_length 4',
      'berth_queue_estimate_seconds 90',
      'berth_queue_wait_duration_seconds_sum 1',
      'berth_engine_call_duration_seconds_count{call="container-create"} 1',
      'berth_engine_errors_total{call="container-create"} 1',
      'berth_reconcile_duration_seconds_count 1',
      'berth_reclaimed_total{kind="network"} 1',
      'berth_history_dropped_total 3',
    ])
      assert.ok(text.includes(`${line}\n`), line)
  })

  it('have NaN as the estimate if there is none', async () => {
    const registry = new Registry()
    const counts = { workspaces: [], queueLength: 2, queueEstimateMs: () => undefined, limits }
    createMetrics(registry).countFrom(() => counts)
    assert.match(await registry.metrics(), /^berth_queue_estimate_seconds NaN$/im)
  })

  it('drop the phases of a template without workspaces', async () => {
    const registry = new Registry()
    let workspaces = [{ template: 'lab', phase: 'ready' as const }]
    createMetrics(registry).countFrom(() => ({
      workspaces,
      queueLength: 0,
      queueEstimateMs: () => 0,
      limits,
    }))
    assert.match(await registry.metrics(), /berth_workspaces\{template="lab",phase="ready"\} 1/)
    workspaces = []
    assert.doesNotMatch(await registry.metrics(), /berth_workspaces\{/)
  })
})
