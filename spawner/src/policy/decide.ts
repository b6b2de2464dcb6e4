// The decision: records what an event tells, derives what has to be done, and replies. A pure function of one state.
import { settle } from './settle.ts'
import { closeDraft, openDraft, type Draft } from './state/draft.ts'
import type { Decision, Event, PolicyConfig, Recorded, Replies, ReplyTo, State } from './domain.ts'
import { reportActivity } from './observed/activity-reports.ts'
import { announceChanges } from './announce.ts'
import { noteActivity, noteCpu } from './lifecycle/busy.ts'
import {
  connectDirector,
  disconnectDirector,
  noteAttached,
  noteNotAttached,
} from './observed/directors.ts'
import { forgetFailuresOfTemplates } from './lifecycle/forget-failures.ts'
import { takeOverRenamed } from './lifecycle/take-over.ts'
import { end, extend } from './lifecycle/end-of-life.ts'
import { endHold, hold } from './lifecycle/holds.ts'
import { reconcile } from './observed/reconcile.ts'
import { noteDeath, noteDestroyed, noteHealth, noteOutOfMemory } from './observed/engine-events.ts'
import * as steps from './observed/step-results.ts'
import { noteReachable } from './observed/probe-results.ts'
import { cancel, openShared, recordPresence, releasePlace, requestStart } from './asked/start.ts'
import { changedRecords } from './state/records.ts'
import { noteRenamed } from './lifecycle/rename.ts'
import { requestSeat } from './asked/seat.ts'
import { emptyTally } from './state/tally.ts'
import { nextDueAt } from './state/next-deadline.ts'
import { changedWorkspaces } from './state/changes.ts'
import { noteRequestId } from './state/request-ids.ts'

/** @param recorded what the store has from before the start */
export function initialState(config: PolicyConfig, recorded?: Recorded): State {
  return {
    config,
    reconciledAt: undefined,
    engine: { reachable: true },
    workspaces: new Map(),
    networks: new Map(),
    foreignIndexes: new Set(),
    restingIndexes: new Map(),
    directors: new Map(),
    subjects: new Map(),
    foreignNames: new Set(),
    departed: new Map(),
    nextTicket: recorded?.nextTicket ?? 1,
    queue: [],
    measured: new Map(),
    tally: emptyTally,
    cancels: new Map(),
    homes: new Map(recorded?.homes?.map((home) => [home.volume, home])),
    standbys: new Set(),
    standbyFailures: new Map(),
    lastStartAt: Number.NEGATIVE_INFINITY,
    recorded: recorded?.workspaces ?? [],
    images: new Map(),
    dueAt: Number.POSITIVE_INFINITY,
  }
}

export function decide<E extends Event>(state: State, event: E, now: number): Decision<ReplyTo<E>> {
  const draft = openDraft(state, now)
  draft.concernsAll = concernsAll.has(event.type)
  const finish = record(draft, event)
  if ('requestId' in event && event.requestId !== undefined) noteRequestId(draft, event.requestId)
  settle(draft)
  const reply = finish?.()
  announceChanges(draft)
  const dueAt = nextDueAt(draft)
  const after = closeDraft(draft, dueAt)
  const changes = changedRecords(state, after, changedWorkspaces(draft))
  const decision: Decision = {
    state: after,
    steps: draft.steps,
    ...(dueAt === Number.POSITIVE_INFINITY ? {} : { nextDeadlineAt: dueAt }),
    ...(changes && { changes }),
    ...(reply === undefined ? {} : { reply }),
  }
  // `record` pairs each event with its reply; types cannot follow that through a switch.
  return decision as Decision<ReplyTo<E>>
}

/** Events that may change something for workspaces that they do not name. */
const concernsAll: ReadonlySet<Event['type']> = new Set([
  'config-changed',
  'inventory-taken',
  'engine-lost',
  'director-connected',
  'director-gone',
  'director-attached',
  'director-attach-failed',
  'network-created',
  'network-failed',
  'network-removed',
])

/** @returns what is left to do once everything that follows from the event is decided; its result is the reply */
function record(draft: Draft, event: Event): (() => Replies[keyof Replies] | void) | undefined {
  switch (event.type) {
    case 'tick':
      return
    case 'open-requested':
      return openShared(draft, event.template)
    case 'config-changed':
      draft.config = event.config
      takeOverRenamed(draft)
      return void forgetFailuresOfTemplates(draft, draft.before.config)
    case 'inventory-taken':
      return void reconcile(draft, event.inventory)
    case 'engine-lost':
      draft.engine = { reachable: false, detail: event.detail }
      return
    case 'seat-requested':
      return requestSeat(draft, event)
    case 'activity-reported':
      return reportActivity(draft, event)
    case 'start-requested':
      return requestStart(draft, event)
    case 'end-requested':
      return void end(draft, event)
    case 'place-released':
      return void releasePlace(draft, event.workspace, event.user)
    case 'extend-requested':
      return void extend(draft, event)
    case 'hold-requested':
      return void hold(draft, event.workspace, event.ms)
    case 'hold-ended':
      return void endHold(draft, event.workspace)
    case 'cancel-requested':
      return void cancel(draft, event)
    case 'person-present':
      return void recordPresence(draft, event.workspace, event.user)
    case 'director-connected':
      return void connectDirector(draft, event.director)
    case 'director-gone':
      return void disconnectDirector(draft, event.director)
    case 'director-attached':
      return void noteAttached(draft, event.index, event.director)
    case 'director-attach-failed':
      return void noteNotAttached(draft, event.index, event.director)
    case 'probe-answered':
      return void noteReachable(draft, event)
    case 'activity-answered':
      return void noteActivity(draft, event)
    case 'cpu-measured':
      return void noteCpu(draft, event)
    case 'container-died':
      return void noteDeath(draft, event.generation, event.exitCode)
    case 'container-destroyed':
      return void noteDestroyed(draft, event.generation)
    case 'container-out-of-memory':
      return void noteOutOfMemory(draft, event.generation)
    case 'container-health':
      return void noteHealth(draft, event)
    case 'pull-progressed':
      return void steps.notePull(draft, event)
    case 'image-present':
      return void steps.noteImage(draft, event)
    case 'container-created':
      return void steps.noteCreated(draft, event)
    case 'container-started':
      return void steps.noteStarted(draft, event)
    case 'container-frozen':
      return void steps.noteFrozen(draft, event)
    case 'container-thawed':
      return void steps.noteThawed(draft, event)
    case 'container-renamed':
      return void noteRenamed(draft, event)
    case 'container-stopped':
      return void steps.noteStopped(draft, event)
    case 'container-removed':
      return void steps.noteRemoved(draft, event)
    case 'step-failed':
      return void steps.noteStepFailed(draft, event)
    case 'network-created':
      return void steps.noteNetworkCreated(draft, event)
    case 'network-failed':
      return void steps.noteNetworkFailed(draft, event)
    case 'network-removed':
      return void steps.noteNetworkRemoved(draft, event)
  }
}
