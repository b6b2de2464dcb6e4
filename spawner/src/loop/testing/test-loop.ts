// For tests: a loop with a fake engine, fake time, directors and people.
import type { Command, SeatRequest } from '@berth/shared/contract'
import { createLog } from '@berth/shared/log'
import { parseUserName } from '@berth/shared/names'
import type { PolicyConfig } from '../../policy/domain.ts'
import { noLimits } from '../../policy/testing/no-limits.ts'
import type { Template } from '../../templates/template.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { createLoop, type LoopDeps } from '../loop.ts'
import type { LoopObserver } from '../observer.ts'
import type { Reached } from '../pause-points.ts'
import type { Store } from '../store.ts'
import { createFakeEngine } from './fake-engine.ts'
import { createFakeTime } from '@berth/shared/testing/fake-time'

export function userOf(name: string) {
  const parsed = parseUserName(name)
  if (parsed === undefined) throw new TypeError(name)
  return { name: parsed, subject: `u-${name}`, groups: [] }
}

function template(): Template {
  return testTemplate('lab', {
    title: 'Lab',
    spec: { readyPath: '/ready', stopTimeoutMs: 1_000 },
    policy: { idleStopMs: 60_000, idleRemoveMs: 120_000, startTimeoutMs: 30_000 },
    backgroundRequests: ['GET /api/*'],
  })
}

export function createTestLoop(
  options: {
    limits?: Partial<PolicyConfig['limits']>
    reached?: Reached
    store?: Store
    workspaceRoutes?: LoopDeps['workspaceRoutes']
    history?: LoopDeps['history']
    /** In addition to `lab`. */
    templates?: readonly Template[]
  } = {},
) {
  const time = createFakeTime()
  const engine = createFakeEngine(time.clock)
  const told: string[] = []
  const observer: LoopObserver = {
    inventoryTaken: () => undefined,
    ready: ({ kind }) => told.push(`ready ${kind}`),
    startFailed: () => told.push('failed'),
    activityUnknown: (template, finding) => told.push(`${template}: ${finding}`),
    refused: (code) => told.push(`refused ${code}`),
    reclaimed: (kind) => told.push(`reclaimed ${kind}`),
  }
  const lab = template()
  const config: PolicyConfig = {
    limits: { ...noLimits, ...options.limits },
    templates: new Map([lab, ...(options.templates ?? [])].map((one) => [one.name, one])),
    lease: { leaseMs: 10_000, marginMs: 5_000 },
    spareNetworks: 0,
    networkCount: 16,
    presenceMs: 30_000,
    forgetAfterMs: 3_600_000,
    retryAfterMs: 1_000,
    specOf: (of, owner) => engine.specOf(of, owner),
    partsOf: (of, owner) => engine.partsOf(of, owner),
  }
  const workspaces = createLoop({
    engine,
    config,
    reconcileEveryMs: 60_000,
    clock: time.clock,
    setTimer: time.setTimer,
    log: createLog({ service: 'test', level: 'silent' }),
    observer,
    history: options.history,
    ...(options.reached === undefined ? {} : { reached: options.reached }),
    ...(options.store === undefined ? {} : { store: options.store }),
    ...(options.workspaceRoutes === undefined ? {} : { workspaceRoutes: options.workspaceRoutes }),
  })

  /** @param reaches whether its probes succeed, at once */
  function director(id = 'd1', reaches = true) {
    const commands: Command[] = []
    const connection = workspaces.connectDirector(id, (command) => {
      commands.push(command)
      if (command.event !== 'probe' || !reaches) return
      const { workspace, generation } = command.data
      const result = { director: id, workspace, generation, reachable: true, ms: 1 }
      queueMicrotask(() => workspaces.reportProbe(result))
    })
    return { id, commands, connection }
  }

  const requestSeat = (
    name: string,
    more: Partial<SeatRequest> = {},
    signal = new AbortController().signal,
  ) =>
    workspaces.requestSeat(
      {
        director: 'd1',
        user: userOf(name),
        template: 'lab',
        protocol: 'http',
        waitMs: 60_000,
        start: 'start',
        navigation: false,
        ...more,
      },
      signal,
    )

  const dispose = () => workspaces[Symbol.asyncDispose]()
  return {
    time,
    engine,
    config,
    workspaces,
    told,
    director,
    requestSeat,
    [Symbol.asyncDispose]: dispose,
  }
}

/** A loop that has taken its first inventory. */
export async function startTestLoop(options: Parameters<typeof createTestLoop>[0] = {}) {
  const loop = createTestLoop(options)
  await loop.workspaces.start()
  return loop
}

/** Runs everything that only waits for promises. */
export async function flush(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
