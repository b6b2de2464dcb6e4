// The loop, put together: one writer, the engine it watches, the steps it hands out, and those who ask it.
import type { Clock } from '@berth/shared/clock'
import type { Route } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import type { WorkspaceName } from '@berth/shared/names'
import { decide, initialState } from '../policy/decide.ts'
import type { Event, Generation, PolicyConfig, State, Step } from '../policy/domain.ts'
import { lifetimeEndsAt } from '../policy/state/deadlines.ts'
import { seatOf } from '../policy/seats/seat-table.ts'
import { estimateMs } from '../policy/asked/estimates.ts'
import { viewOf } from '../policy/asked/view.ts'
import { createDirectorStreams } from './director-streams.ts'
import type { Engine } from './engine.ts'
import { createExecutors } from './executors.ts'
import { createFollowers } from './followers.ts'
import type { LoopCounts, LoopObserver } from './observer.ts'
import { passPoints, type Reached } from './points.ts'
import { createQuestions } from './questions.ts'
import { recordAnnouncement } from './workspace-log.ts'
import { templateRoutes } from './routes.ts'
import { createSeatWaiters } from './seat-waiters.ts'
import type { Store } from './store.ts'
import { systemTimer, type SetTimer } from '@berth/shared/timer'
import { createUnusedHomes } from './unused-homes.ts'
import { createWatch } from './watch.ts'
import type { Announced, Workspaces } from './workspaces.ts'
import { createWriter } from './writer.ts'

export interface WorkspacesDeps {
  readonly engine: Engine
  readonly config: PolicyConfig
  readonly reconcileEveryMs: number
  readonly clock: Clock
  readonly log: Log
  readonly observer: LoopObserver
  /** Absent: nothing that was given outlives the process. */
  readonly store?: Store
  /** Ways in to one workspace alone, beside those of the templates. */
  readonly workspaceRoutes?: (state: State) => readonly Route[]
  readonly setTimer?: SetTimer
  readonly reached?: Reached
}

/** Leases that a report renews. */
type Leases = Extract<Step, { type: 'answer-activity' }>['leases']

/** The loop as the composition root has it: `web` sees less of it. */
export interface Loop extends Workspaces {
  readonly counts: () => LoopCounts
  /** Templates and limits are these from now on. */
  readonly reconfigure: (config: PolicyConfig) => void
}

export function createWorkspaces(deps: WorkspacesDeps): Loop {
  const { engine, config, clock, log, observer, store } = deps
  const { setTimer = systemTimer, reached = passPoints, workspaceRoutes } = deps
  const tell = (event: Event): void => writer.tell(event)
  const templates = () => writer.state().config.templates
  const base = { engine, clock, log, setTimer, tell, reached }

  const executors = createExecutors({ ...base, templates })
  const homes = createUnusedHomes({ engine, log })
  const streams = createDirectorStreams({ routes, tell, setTimer })
  const followers = createFollowers()
  const signEveryMs = config.presenceMs / 3
  const waiters = createSeatWaiters({ ...base, signEveryMs, refused: observer.refused })
  const reports = createQuestions<Leases>()
  const opened = createQuestions<WorkspaceName | undefined>()
  const followsAll = new Set<(announced: Announced) => void>()
  /** Workspaces may have come or gone, and with them their ways in: no other decision looks through them all. */
  let arePresentOthers = false

  const writer = createWriter({
    ...base,
    decide,
    initial: initialState(config, store?.load()),
    store,
    carryOut,
    changed(before, after) {
      waiters.changed(before, after)
      followers.changed(before, after)
      if (arePresentOthers || before.config !== after.config) streams.routesChanged()
      arePresentOthers = false
    },
  })
  const watch = createWatch({
    ...base,
    everyMs: deps.reconcileEveryMs,
    looked: observer.looked,
  })

  function routes(): readonly Route[] {
    const state = writer.state()
    return [...templateRoutes(state.config), ...(workspaceRoutes?.(state) ?? [])]
  }

  function carryOut(step: Step, state: State): void {
    switch (step.type) {
      case 'pull-image':
      case 'create-container':
      case 'freeze-container':
      case 'thaw-container':
      case 'rename-container':
      case 'measure-cpu':
      case 'start-container':
      case 'stop-container':
      case 'remove-container':
      case 'create-network':
      case 'remove-network':
      case 'attach-director':
        if (step.type === 'remove-container') observer.reclaimed('container')
        if (step.type === 'remove-network') observer.reclaimed('network')
        return executors.carryOut(step)
      case 'probe':
      case 'check-activity':
      case 'introduce':
      case 'revoke':
        return streams.say(step)
      case 'answer-seat':
        return waiters.answered(step.id, step.reply)
      case 'answer-open':
        return opened.answered(step.id, step.workspace)
      case 'answer-activity':
        return reports.answered(step.id, step.leases)
      case 'remove-home':
      case 'announce-home':
        return homes.carryOut(step)
      case 'announce':
        if (step.phase === 'absent') executors.abandonPull(step.workspace)
        recordAnnouncement({ log, observer }, step, state)
        arePresentOthers ||= workspaceRoutes !== undefined
        for (const heard of [...followsAll]) heard(step)
    }
  }

  /** Whose container a lease is for, and when that ends. */
  function termsOf(name: WorkspaceName): { generation?: Generation; endsAt?: string } {
    const state = writer.state()
    const workspace = state.workspaces.get(name)
    if (workspace?.container === undefined) return {}
    const { generation } = workspace.container
    const endsAt = lifetimeEndsAt(state.config, workspace)
    if (!Number.isFinite(endsAt)) return { generation }
    return { generation, endsAt: new Date(clock.wall() + endsAt - clock.now()).toISOString() }
  }

  const ready = (): boolean => {
    const { reconciledAt, engine: seen } = writer.state()
    return reconciledAt !== undefined && seen.reachable && watch.listening() && writer.keeps()
  }

  return {
    start: () => watch.start(),
    ready,
    askSeat: (request, signal) => waiters.ask(request, signal),

    async reportActivity(director, seats) {
      const named = seats.map(({ workspace, generation, ...seat }) => ({
        ...seat,
        workspace: workspace as WorkspaceName,
        ...(generation === undefined ? {} : { generation }),
      }))
      const leases = reports.ask((id) =>
        tell({ type: 'activity-reported', id, director, seats: named }),
      )
      return (leases ?? []).map((lease) => ({ ...lease, ...termsOf(lease.workspace) }))
    },

    answerProbe: ({ director, workspace, generation, reachable }) =>
      tell({
        type: 'probe-answered',
        director,
        workspace: workspace as WorkspaceName,
        generation,
        reachable,
      }),

    connectDirector: (director, send) => streams.connect(director, send),

    answerAsk: ({ workspace, generation, busy, lastActivityAgoMs }) =>
      tell({
        type: 'activity-answered',
        workspace: workspace as WorkspaceName,
        generation,
        ...(busy === undefined ? {} : { busy }),
        ...(lastActivityAgoMs === undefined ? {} : { lastActivityAgoMs }),
      }),

    seen(person, template, only) {
      const workspace = only ?? seatOf(writer.state(), person, template)
      if (workspace !== undefined) tell({ type: 'person-present', workspace, user: person })
    },
    requestStart: (person, template, only) =>
      tell({ type: 'start-requested', template, user: person, ...named(only) }),
    cancelStart: (person, template, only) =>
      tell({ type: 'cancel-requested', template, user: person, ...named(only) }),
    view: (person, template, only) =>
      viewOf(writer.state(), person, template, clock.now(), clock.wall(), only),

    follow: (person, template, changed, only) =>
      followers.follow(writer.state(), person, template, changed, only),

    templateNamed(name) {
      const isOnly = name === '' && templates().size === 1
      const known = isOnly ? templates().values().next().value : templates().get(name)
      return known === undefined ? undefined : { name: known.name, title: known.title }
    },

    end: (workspace, how) => tell({ type: 'end-requested', workspace, how }),
    extend: (workspace, user) => tell({ type: 'extend-requested', workspace, user }),

    open: (template) => opened.ask((id) => tell({ type: 'open-requested', template, id })),

    state: () => writer.state(),

    followAll(heard) {
      // One of its own: the same function may follow twice.
      const own = (announced: Announced): void => heard(announced)
      followsAll.add(own)
      return { [Symbol.dispose]: () => void followsAll.delete(own) }
    },

    async logs(name, lines, signal) {
      const generation = writer.state().workspaces.get(name)?.container?.generation
      return generation === undefined ? [] : engine.logs(generation, lines, signal)
    },

    reconfigure: (changed) => tell({ type: 'config-changed', config: changed }),

    counts() {
      const state = writer.state()
      const { workspaces, queue, config: present } = state
      const last = workspaces.get(queue.at(-1) ?? ('' as WorkspaceName))
      return {
        workspaces: workspaces.values(),
        queueLength: queue.length,
        queueEstimateMs: () => (last === undefined ? 0 : estimateMs(state, last, clock.now())),
        limits: present.limits,
      }
    },

    async [Symbol.asyncDispose]() {
      waiters[Symbol.dispose]()
      streams[Symbol.dispose]()
      writer[Symbol.dispose]()
      await Promise.all([
        watch[Symbol.asyncDispose](),
        executors[Symbol.asyncDispose](),
        homes[Symbol.asyncDispose](),
      ])
    },
  }
}

const named = (only: WorkspaceName | undefined) => (only === undefined ? {} : { workspace: only })
