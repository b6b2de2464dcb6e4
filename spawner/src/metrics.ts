// The spawner's metrics. Their names are a contract with operators. A person's name is never a label.
import { phases } from '@berth/shared/contract'
import { problemCodes } from '@berth/shared/problems'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { CallObserver } from './docker/client/calls.ts'
import type { LoopCounts, LoopObserver } from './loop/observer.ts'
import type { Limits } from './policy/domain.ts'

export interface Metrics {
  readonly calls: CallObserver
  readonly loop: LoopObserver
  /** Entries of the history that were not kept. */
  readonly historyDropped: (count: number) => void
  /** Sets the source of the present numbers, when the loop exists. */
  countFrom(counts: () => LoopCounts): void
}

const startBuckets = [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300]
const callBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]

export function createMetrics(registry: Registry): Metrics {
  const registers = [registry]
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[]) =>
    new Counter({ name, help, labelNames, registers })
  const histogram = <T extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly T[] = [],
  ) => new Histogram({ name, help, labelNames, buckets, registers })

  const readyIn = histogram(
    'berth_ready_duration_seconds',
    'time from the request for a workspace until it is ready',
    startBuckets,
    ['template', 'start'],
  )
  const queueWait = histogram(
    'berth_queue_wait_duration_seconds',
    'time that workspaces that became ready had waited for a place',
    startBuckets,
  )
  const starts = counter('berth_starts_total', 'starts that ended, by outcome', [
    'template',
    'outcome',
  ])
  const refusals = counter('berth_refusals_total', 'seats refused, by reason', ['code'])
  // A counter that appears with its first event shows no increase at that event.
  for (const code of problemCodes) refusals.inc({ code }, 0)
  const activityUnknown = counter(
    'berth_activity_unknown_total',
    'checks at an activity path that told nothing, by what was met',
    ['template', 'finding'],
  )
  const reclaimed = counter('berth_reclaimed_total', 'things whose removal was ordered', ['kind'])
  const dropped = counter('berth_history_dropped_total', 'history entries that were not kept', [])
  const inventories = histogram(
    'berth_reconcile_duration_seconds',
    'duration of an inventory of the engine',
    callBuckets,
  )
  const callTimes = histogram(
    'berth_engine_call_duration_seconds',
    'duration of calls to the engine',
    callBuckets,
    ['call'],
  )
  const callErrors = counter('berth_engine_errors_total', 'calls to the engine that failed', [
    'call',
  ])

  return {
    calls: {
      called: (call, seconds) => callTimes.observe({ call }, seconds),
      failed: (call) => callErrors.inc({ call }),
    },
    loop: {
      inventoryTaken: (seconds) => inventories.observe(seconds),
      ready({ template, kind, seconds, queuedSeconds }) {
        readyIn.observe({ template, start: kind }, seconds)
        // A frozen workspace kept its place: thawing is not a start, and it did not wait.
        if (kind === 'frozen') return
        queueWait.observe(queuedSeconds)
        starts.inc({ template, outcome: 'ready' })
      },
      startFailed: (template) => starts.inc({ template, outcome: 'failed' }),
      activityUnknown: (template, finding) => activityUnknown.inc({ template, finding }),
      refused: (code) => refusals.inc({ code }),
      reclaimed: (kind) => reclaimed.inc({ kind }),
    },
    historyDropped: (count) => dropped.inc(count),
    countFrom: (counts) => countPresent(registers, counts),
  }
}

function countPresent(registers: Registry[], counts: () => LoopCounts): void {
  new Gauge({
    name: 'berth_workspaces',
    help: 'workspaces, by phase',
    labelNames: ['template', 'phase'],
    registers,
    collect() {
      this.reset()
      const templates = new Set<string>()
      for (const { template, phase } of counts().workspaces) {
        if (!templates.has(template))
          for (const other of phases) this.set({ template, phase: other }, 0)
        templates.add(template)
        this.inc({ template, phase })
      }
    },
  })
  new Gauge({
    name: 'berth_queue_length',
    help: 'workspaces that wait for a place',
    registers,
    collect() {
      this.set(counts().queueLength)
    },
  })
  new Gauge({
    name: 'berth_queue_estimate_seconds',
    help: 'estimated time until the last workspace in the queue is ready; NaN if there is no estimate',
    registers,
    collect() {
      this.set((counts().queueEstimateMs() ?? Number.NaN) / 1_000)
    },
  })
  new Gauge({
    name: 'berth_limit',
    help: 'the limits; 0 is no limit',
    labelNames: ['limit'],
    registers,
    collect() {
      const { limits } = counts()
      for (const [limit, value] of Object.entries(limitNames)) this.set({ limit }, limits[value])
    },
  })
}

const limitNames = {
  workspaces: 'maxWorkspaces',
  workspaces_per_user: 'maxWorkspacesPerUser',
  guests: 'maxGuests',
  guests_per_address: 'guestsPerAddress',
  starting: 'maxStarting',
  queue: 'maxQueue',
  memory_bytes: 'maxMemoryBytes',
} as const satisfies Record<string, keyof Limits>
