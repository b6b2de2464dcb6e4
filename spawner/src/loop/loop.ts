// The loop, put together: one writer, the engine that it watches, what carries out its steps, and its callers.
import { wallText, type Clock } from '@berth/shared/clock'
import type { Route } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import type { WorkspaceName } from '@berth/shared/names'
import { decide, initialState } from '../policy/decide.ts'
import type {
  Announcement,
  Event,
  Generation,
  PolicyConfig,
  ReplyTo,
  State,
  EngineStep,
  Step,
} from '../policy/domain.ts'
import { lifetimeEndsAt } from '../policy/state/deadlines.ts'
import { seatOf } from '../policy/seats/seat-table.ts'
import { estimateMs } from '../policy/asked/estimates.ts'
import { viewOf } from '../policy/asked/view.ts'
import { createActivityPaths } from './activity-paths.ts'
import { createDirectorStreams } from './director-streams.ts'
import type { Engine } from './engine.ts'
import { createEngineWatch } from './engine-watch.ts'
import { createFollowers } from './followers.ts'
import type { HistoryObserver, LoopCounts, LoopObserver } from './observer.ts'
import { pauseNowhere, type Reached } from './pause-points.ts'
import { recordAnnouncement } from './workspace-log.ts'
import { templateRoutes } from './routes.ts'
import { createSeatWaiters } from './seat-waiters.ts'
import { checkServer, checkSession } from './check-session.ts'
import { createStepRunner } from './step-runner.ts'
import type { Store } from './store.ts'
import { systemTimer, type SetTimer } from '@berth/shared/timer'
import { createLeftSessions } from './left-sessions.ts'
import { createHomeSizes } from './home-sizes.ts'
import { createUnusedHomes } from './unused-homes.ts'
import { createUseQuestions } from './use-questions.ts'
import type { Announced, Held, Workspaces } from './workspaces.ts'
import { createWriter, type Submit } from './writer.ts'

export interface LoopDeps {
  readonly engine: Engine
  readonly config: PolicyConfig
  readonly reconcileEveryMs: number
  readonly clock: Clock
  readonly log: Log
  readonly observer: LoopObserver
  /** Absent: no history is kept. */
  readonly history?: HistoryObserver | undefined
  /** Absent: nothing that is recorded outlives the process. */
  readonly store?: Store
  /** Routes that lead to one workspace alone, beside those of the templates. */
  readonly workspaceRoutes?: ((state: State) => readonly Route[]) | undefined
  /** Groups that directors tell of beside those that templates name: who is an administrator. */
  readonly furtherGroups?: readonly string[]
  readonly setTimer?: SetTimer
  readonly reached?: Reached
}

/** The loop as the composition root has it: `web` sees less of it. */
export interface Loop extends Workspaces {
  readonly counts: () => LoopCounts
  /** Replaces templates and limits. */
  readonly reconfigure: (config: PolicyConfig) => void
  /** Routes of single workspaces have come or gone. */
  readonly routesChanged: () => void
}

export function createLoop(deps: LoopDeps): Loop {
  const { engine, config, clock, log, observer, store, history } = deps
  const { setTimer = systemTimer, reached = pauseNowhere, workspaceRoutes } = deps
  const submit: Submit = (event, onReply) => writer.submit(event, onReply)
  const templates = () => writer.state().config.templates
  const base = { engine, clock, log, setTimer, submit, reached }

  const steps = createStepRunner({ ...base, templates })
  const activityPaths = createActivityPaths({ log })
  const homes = createUnusedHomes({ engine, log })
  const leftSessions = createLeftSessions({ engine, log })
  const exists = (volume: string): boolean => writer.state().homes.has(volume)
  const homeSizes = createHomeSizes({ engine, exists, clock, log })
  const streams = createDirectorStreams({
    routes,
    groups: deps.furtherGroups ?? [],
    submit,
    setTimer,
  })
  const useQuestions = createUseQuestions({ send: streams.sendToAll, setTimer })
  const followers = createFollowers()
  const presentEveryMs = config.presenceMs / 3
  const waiters = createSeatWaiters({
    ...base,
    presentEveryMs,
    refused({ user, template, workspace }, refusal) {
      observer.refused(refusal.failure.code)
      const named = refusal.workspace ?? workspace
      const asked = { person: user.name, template, ...(named && { workspace: named }) }
      history?.refused(asked, refusal)
    },
  })
  const followsAll = new Set<(announced: Announced) => void>()
  /** Workspaces may have come or gone, and their own routes with them: no other decision looks through all of them. */
  let mayRoutesDiffer = false
  /** Of the present decision. */
  let announcements: Announcement[] = []

  const writer = createWriter({
    ...base,
    decide,
    initial: initialState(config, store?.load()),
    store,
    carryOut,
    changed(before, after) {
      waiters.changed(before, after)
      followers.changed(before, after)
      if (mayRoutesDiffer || before.config !== after.config) streams.routesChanged()
      mayRoutesDiffer = false
      tellHistory(before, after)
      if (before.reconciledAt === undefined && after.reconciledAt !== undefined)
        leftSessions.found(after)
    },
  })
  const watch = createEngineWatch({
    ...base,
    everyMs: deps.reconcileEveryMs,
    inventoryTaken: observer.inventoryTaken,
  })

  function routes(): readonly Route[] {
    const state = writer.state()
    return [...templateRoutes(state.config), ...(workspaceRoutes?.(state) ?? [])]
  }

  function tellHistory(before: State, after: State): void {
    const now = clock.now()
    for (const announcement of announcements) {
      const [was, is] = [before, after].map((of) => of.workspaces.get(announcement.workspace))
      history?.moved({ announcement, before: was, after: is, now })
    }
    announcements = []
    if (before.tally !== after.tally || before.queue !== after.queue)
      history?.counted(after.tally, after.queue.length, after.config.limits)
  }

  function carryOut(step: Step, state: State): void {
    switch (step.type) {
      case 'probe':
      case 'check-activity':
      case 'introduce':
      case 'revoke':
        return streams.say(step)
      case 'remove-home':
      case 'announce-home':
        return homes.carryOut(step)
      case 'announce':
        if (step.phase === 'absent') steps.abandonPull(step.workspace)
        if (step.phase === 'ready') leftSessions.ready(step.workspace)
        recordAnnouncement({ log, observer }, step, state)
        announcements.push(step)
        mayRoutesDiffer ||= workspaceRoutes !== undefined
        for (const follower of [...followsAll]) follower(step)
        return
      default:
        if (step.type === 'remove-container') observer.reclaimed('container')
        if (step.type === 'remove-network') observer.reclaimed('network')
        return steps.run(step, requestIdOf(step, state))
    }
  }

  /** There is none where the writer is deciding something else just now: callers of these come from outside. */
  function replyTo<E extends Event>(event: E): ReplyTo<E> | undefined {
    let given: ReplyTo<E> | undefined
    submit(event, (reply) => {
      given = reply
    })
    return given
  }

  /** Which container a lease is for, and when its lifetime ends. */
  function termsOf(name: WorkspaceName): { generation?: Generation; endsAt?: string } {
    const state = writer.state()
    const workspace = state.workspaces.get(name)
    if (workspace?.container === undefined) return {}
    const { generation } = workspace.container
    const endsAt = lifetimeEndsAt(state.config, workspace)
    if (!Number.isFinite(endsAt)) return { generation }
    return { generation, endsAt: wallText(clock.wallOf(endsAt)) }
  }

  const ready = (): boolean => {
    const { reconciledAt, engine: seen } = writer.state()
    return reconciledAt !== undefined && seen.reachable && watch.isListening() && writer.isSaving()
  }

  return {
    start: () => watch.start(),
    ready,
    requestSeat(request, signal, requestId) {
      // A page that is forgotten in a tab asks as well, and wakes or starts nothing.
      // Nor did the person come whom an administrator impersonates.
      if (request.start !== 'no' && request.impersonation === undefined)
        history?.seen(request.user.name)
      return waiters.request(request, signal, requestId)
    },

    async reportActivity(director, seats) {
      for (const { user, connections } of seats) if (connections > 0) history?.active(user)
      const reported = seats.map(({ workspace, generation, ...seat }) => ({
        ...seat,
        workspace: workspace as WorkspaceName,
        ...(generation === undefined ? {} : { generation }),
      }))
      const renewed = replyTo({ type: 'activity-reported', director, seats: reported })
      return (renewed ?? []).map((lease) => ({ ...lease, ...termsOf(lease.workspace) }))
    },

    reportProbe: ({ director, workspace, generation, reachable, finding, status }) =>
      submit({
        type: 'probe-answered',
        director,
        workspace: workspace as WorkspaceName,
        generation,
        reachable,
        ...(finding === undefined ? {} : { finding }),
        ...(status === undefined ? {} : { status }),
      }),

    reportActivityCheck(result) {
      const { generation, busy, lastActivityAgoMs } = result
      const workspace = result.workspace as WorkspaceName
      const template = templates().get(writer.state().workspaces.get(workspace)?.template ?? '')
      const { finding, status } = result
      if (template !== undefined) activityPaths.note(template, { finding, status })
      if (template !== undefined && finding !== undefined)
        observer.activityUnknown(template.name, finding)
      submit({
        type: 'activity-answered',
        workspace,
        generation,
        ...(busy === undefined ? {} : { busy }),
        ...(lastActivityAgoMs === undefined ? {} : { lastActivityAgoMs }),
        ...(finding === undefined ? {} : { finding }),
        ...(status === undefined ? {} : { status }),
      })
    },

    usesOf: useQuestions.ask,
    reportUses: useQuestions.report,

    connectDirector: (director, send) => streams.connect(director, send),

    reportPresence(person, template, only) {
      const workspace = only ?? seatOf(writer.state(), person, template)
      if (workspace !== undefined) submit({ type: 'person-present', workspace, user: person })
    },
    requestStart(person, template, only, requestId) {
      submit({ type: 'start-requested', template, user: person, ...named(only), requestId })
      const { refusal } = viewOf(writer.state(), person, template, clock.now(), 0, only)
      if (refusal !== undefined) history?.refused({ person: person.name, template }, refusal)
    },
    noteVisit: (person) => history?.seen(person.name),
    cancelStart: (person, template, only, requestId) =>
      submit({ type: 'cancel-requested', template, user: person, ...named(only), requestId }),
    view(person, template, only) {
      return viewOf(writer.state(), person, template, clock.now(), clock.wallOf(0), only)
    },

    follow: (person, template, changed, only) =>
      followers.follow(writer.state(), person, template, changed, only),

    templateNamed(name) {
      const isOnly = name === '' && templates().size === 1
      const known = isOnly ? templates().values().next().value : templates().get(name)
      return known === undefined ? undefined : { name: known.name, title: known.title }
    },

    end: (workspace, how, requestId) =>
      submit({ type: 'end-requested', workspace, how, requestId }),
    release: (workspace, user) => submit({ type: 'place-released', workspace, user }),
    hold(workspace, ms) {
      submit({ type: 'hold-requested', workspace, ms })
      return heldIn(writer.state(), workspace)
    },
    endHold(workspace) {
      const held = heldIn(writer.state(), workspace)
      submit({ type: 'hold-ended', workspace })
      return held
    },
    extend: (workspace, user) => submit({ type: 'extend-requested', workspace, user }),
    openShared: (template, requestId) => replyTo({ type: 'open-requested', template, requestId }),

    homeSize: (person, template) => homeSizes.of(template, person),
    measureHomes: () => homeSizes.measure(),
    homesTotal: () => homeSizes.total(),
    followHomeSizes: (changed) => homeSizes.follow(changed),

    state: () => writer.state(),

    followAll(changed) {
      // A function of its own for each call: the same one may follow twice.
      const follower = (announced: Announced): void => changed(announced)
      followsAll.add(follower)
      return { [Symbol.dispose]: () => void followsAll.delete(follower) }
    },

    async logs(name, lines, signal) {
      const generation = writer.state().workspaces.get(name)?.container?.generation
      return generation === undefined ? [] : engine.logs(generation, lines, signal)
    },

    followLog(name, lines, signal) {
      const generation = writer.state().workspaces.get(name)?.container?.generation
      return generation === undefined ? nothing() : engine.followLog(generation, lines, signal)
    },

    async openSession(order, signal) {
      const checked = checkSession(writer.state(), order)
      return checked.ok ? engine.openSession(order.generation, checked.value, signal) : checked
    },

    async admitDirector(asked, signal) {
      const checked = checkServer(writer.state(), asked)
      return checked.ok ? engine.admitKey(asked.generation, asked.key, signal) : checked
    },

    routesChanged: () => streams.routesChanged(),
    reconfigure: (changed) => submit({ type: 'config-changed', config: changed }),

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
        steps[Symbol.asyncDispose](),
        homes[Symbol.asyncDispose](),
        leftSessions[Symbol.asyncDispose](),
        homeSizes[Symbol.asyncDispose](),
      ])
    },
  }
}

/** There is no container whose log could be read. */
async function* nothing(): AsyncGenerator<never> {}

const named = (only: WorkspaceName | undefined) => (only === undefined ? {} : { workspace: only })

function heldIn(state: State, name: WorkspaceName): Held | undefined {
  const workspace = state.workspaces.get(name)
  return workspace && { phase: workspace.phase, since: workspace.phaseSince }
}

/** Of the request that began what the step belongs to. */
function requestIdOf(step: EngineStep, state: State): string | undefined {
  return 'workspace' in step ? state.workspaces.get(step.workspace)?.requestId : undefined
}
