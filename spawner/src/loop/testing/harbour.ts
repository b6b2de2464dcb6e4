// A loop with everything around it under the tests' hands: time, engine, directors, people.
import type { Command, SeatRequest } from '@berth/shared/contract'
import { createLog } from '@berth/shared/log'
import { parseUserName } from '@berth/shared/names'
import type { PolicyConfig } from '../../policy/domain.ts'
import { noLimits } from '../../policy/state/no-limits.ts'
import type { Template } from '../../templates/template.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { createWorkspaces, type WorkspacesDeps } from '../create-workspaces.ts'
import type { LoopObserver } from '../observer.ts'
import type { Reached } from '../points.ts'
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

export function createHarbour(
  options: {
    limits?: Partial<PolicyConfig['limits']>
    reached?: Reached
    store?: Store
    workspaceRoutes?: WorkspacesDeps['workspaceRoutes']
  } = {},
) {
  const time = createFakeTime()
  const engine = createFakeEngine(time.clock)
  const told: string[] = []
  const observer: LoopObserver = {
    looked: () => undefined,
    ready: ({ kind }) => told.push(`ready ${kind}`),
    startFailed: () => told.push('failed'),
    refused: (code) => told.push(`refused ${code}`),
    reclaimed: (kind) => told.push(`reclaimed ${kind}`),
  }
  const lab = template()
  const config: PolicyConfig = {
    limits: { ...noLimits, ...options.limits },
    templates: new Map([[lab.name, lab]]),
    lease: { leaseMs: 10_000, marginMs: 5_000 },
    spareNetworks: 0,
    networkCount: 16,
    presenceMs: 30_000,
    forgetAfterMs: 3_600_000,
    retryAfterMs: 1_000,
    specOf: (of, owner) => engine.specOf(of, owner),
  }
  const workspaces = createWorkspaces({
    engine,
    config,
    reconcileEveryMs: 60_000,
    clock: time.clock,
    setTimer: time.setTimer,
    log: createLog({ service: 'test', level: 'silent' }),
    observer,
    ...(options.reached === undefined ? {} : { reached: options.reached }),
    ...(options.store === undefined ? {} : { store: options.store }),
    ...(options.workspaceRoutes === undefined ? {} : { workspaceRoutes: options.workspaceRoutes }),
  })

  /** A director whose probes succeed at once, unless told otherwise. */
  function director(id = 'd1', reaches = true) {
    const commands: Command[] = []
    const connection = workspaces.connectDirector(id, (command) => {
      commands.push(command)
      if (command.event !== 'probe' || !reaches) return
      const { workspace, generation } = command.data
      const result = { director: id, workspace, generation, reachable: true, ms: 1 }
      queueMicrotask(() => workspaces.answerProbe(result))
    })
    return { id, commands, connection }
  }

  const ask = (
    name: string,
    more: Partial<SeatRequest> = {},
    signal = new AbortController().signal,
  ) =>
    workspaces.askSeat(
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
  return { time, engine, config, workspaces, told, director, ask, [Symbol.asyncDispose]: dispose }
}

/** One that has looked at its engine. */
export async function openHarbour(options: Parameters<typeof createHarbour>[0] = {}) {
  const harbour = createHarbour(options)
  await harbour.workspaces.start()
  return harbour
}

/** Lets everything run that only waits for promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
