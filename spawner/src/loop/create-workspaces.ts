// The loop, put together: one writer, the engine it watches, the steps it hands out, and those who ask it.
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import { workspaceName, type WorkspaceName } from '@berth/shared/names'
import { decide, initialState } from '../policy/decide.ts'
import type { Event, PolicyConfig, State, Step } from '../policy/domain.ts'
import { viewOf } from '../policy/view.ts'
import { createDirectorStreams } from './director-streams.ts'
import type { Engine } from './engine.ts'
import { createExecutors } from './executors.ts'
import { createFollowers } from './followers.ts'
import type { LoopCounts, LoopObserver } from './observer.ts'
import { passPoints, type Reached } from './points.ts'
import { recordAnnouncement } from './records.ts'
import { createSeatWaiters } from './seat-waiters.ts'
import { systemTimer, type SetTimer } from './timer.ts'
import { createWatch } from './watch.ts'
import type { Workspaces } from './workspaces.ts'
import { createWriter } from './writer.ts'

export interface WorkspacesDeps {
  readonly engine: Engine
  readonly config: PolicyConfig
  readonly reconcileEveryMs: number
  readonly clock: Clock
  readonly log: Log
  readonly observer: LoopObserver
  readonly setTimer?: SetTimer
  readonly reached?: Reached
}

/** Leases that a report renews, by the number of the question. */
type Leases = Extract<Step, { type: 'answer-activity' }>['leases']

export function createWorkspaces(
  deps: WorkspacesDeps,
): Workspaces & { readonly counts: () => LoopCounts } {
  const { engine, config, clock, log, observer } = deps
  const { setTimer = systemTimer, reached = passPoints } = deps
  const tell = (event: Event): void => writer.tell(event)
  const base = { engine, config, clock, log, setTimer, tell, reached }

  const executors = createExecutors(base)
  const streams = createDirectorStreams({ templates: config.templates, tell })
  const followers = createFollowers()
  const signEveryMs = config.presenceMs / 3
  const waiters = createSeatWaiters({ ...base, signEveryMs, refused: observer.refused })
  const reports = new Map<number, (leases: Leases) => void>()
  let lastReport = 0

  const writer = createWriter({
    ...base,
    decide,
    initial: initialState(config),
    carryOut,
    changed(before, after) {
      waiters.changed(before, after)
      followers.changed(before, after)
    },
  })
  const watch = createWatch({
    ...base,
    everyMs: deps.reconcileEveryMs,
    looked: observer.looked,
  })

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
      case 'ask-activity':
      case 'introduce':
      case 'revoke':
        return streams.say(step)
      case 'answer-seat':
        return waiters.answered(step.id, step.reply)
      case 'answer-open':
        return
      case 'answer-activity':
        return reports.get(step.id)?.(step.leases)
      case 'announce':
        if (step.phase === 'absent') executors.abandonPull(step.workspace)
        return recordAnnouncement({ log, observer }, step, state)
    }
  }

  const ready = (): boolean => {
    const { looked, engine: seen } = writer.state()
    return looked && seen.reachable && watch.listening()
  }

  return {
    start: () => watch.start(),
    ready,
    askSeat: (request, signal) => waiters.ask(request, signal),

    async reportActivity(director, seats) {
      lastReport += 1
      const id = lastReport
      // The policy answers while it is told.
      let leases: Leases = []
      reports.set(id, (answer) => {
        leases = answer
      })
      const named = seats.map(({ workspace, generation, user, lastUseAgoMs, connections }) => ({
        workspace: workspace as WorkspaceName,
        ...(generation === undefined ? {} : { generation }),
        user,
        lastUseAgoMs,
        connections,
      }))
      tell({ type: 'activity-reported', id, director, seats: named })
      reports.delete(id)
      return leases
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

    seen(person, template) {
      const workspace = nameFor(config, person.name, template)
      if (workspace !== undefined) tell({ type: 'seen', workspace, user: person })
    },
    requestStart: (person, template) => tell({ type: 'start-asked', template, user: person }),
    cancelStart: (person, template) => tell({ type: 'cancel-asked', template, user: person }),
    view: (person, template) => viewOf(writer.state(), person, template, clock.now(), clock.wall()),

    follow(person, template, changed) {
      const workspace = nameFor(config, person.name, template)
      if (workspace === undefined) return { [Symbol.dispose]: () => undefined }
      return followers.follow(workspace, changed)
    },

    templateNamed(name) {
      const isOnly = name === '' && config.templates.size === 1
      const known = isOnly ? config.templates.values().next().value : config.templates.get(name)
      return known === undefined ? undefined : { name: known.name, title: known.title }
    },

    counts() {
      const { workspaces, queue } = writer.state()
      return { workspaces: [...workspaces.values()], queueLength: queue.length }
    },

    async [Symbol.asyncDispose]() {
      waiters[Symbol.dispose]()
      writer[Symbol.dispose]()
      await Promise.all([watch[Symbol.asyncDispose](), executors[Symbol.asyncDispose]()])
    },
  }
}

function nameFor(
  config: PolicyConfig,
  user: Parameters<typeof workspaceName>[1],
  template: string,
): WorkspaceName | undefined {
  const known = config.templates.get(template)
  return known === undefined ? undefined : workspaceName(known.prefix, user)
}
