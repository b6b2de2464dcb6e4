// One decision while it is being made: the state that is changed, the steps ordered so far, the present time.
import type { Person, Phase } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type {
  Container,
  Director,
  DirectorId,
  Generation,
  Home,
  Network,
  NetworkIndex,
  PolicyConfig,
  StandbyFailures,
  State,
  Step,
  Workspace,
  WorkspaceRecord,
  WorkspaceStep,
} from '../domain.ts'
import { editMap, type EditedMap } from './edited-map.ts'
import { closeTally, noteChange, openTally, type OpenTally } from './tally.ts'

export interface Draft {
  readonly before: State
  config: PolicyConfig
  readonly now: number
  readonly steps: Step[]
  readonly workspaces: EditedMap<WorkspaceName, Workspace>
  readonly networks: EditedMap<NetworkIndex, Network>
  readonly directors: EditedMap<DirectorId, Director>
  readonly restingIndexes: EditedMap<NetworkIndex, number>
  readonly departed: EditedMap<WorkspaceName | Generation | NetworkIndex, number>
  /** More than what was touched may have something to do now. */
  concernsAll: boolean
  reconciledAt: number | undefined
  engine: State['engine']
  foreignIndexes: ReadonlySet<NetworkIndex>
  foreignNames: ReadonlySet<string>
  subjects: ReadonlyMap<UserName, string>
  nextTicket: number
  queue: readonly WorkspaceName[]
  measured: State['measured']
  readonly homes: EditedMap<string, Home>
  standbys: ReadonlySet<WorkspaceName>
  readonly standbyFailures: EditedMap<string, StandbyFailures>
  readonly tally: OpenTally
  readonly cancels: EditedMap<string, number>
  recorded: readonly WorkspaceRecord[]
  lastStartAt: number
  images: ReadonlyMap<string, string>
}

export function openDraft(before: State, now: number): Draft {
  const tally = openTally(before.tally)
  const draft: Draft = {
    before,
    config: before.config,
    now,
    steps: [],
    workspaces: editMap(before.workspaces, (former, present) => noteChange(tally, former, present)),
    networks: editMap(before.networks),
    directors: editMap(before.directors),
    restingIndexes: editMap(before.restingIndexes),
    departed: editMap(before.departed),
    concernsAll: false,
    reconciledAt: before.reconciledAt,
    engine: before.engine,
    foreignIndexes: before.foreignIndexes,
    foreignNames: before.foreignNames,
    subjects: before.subjects,
    nextTicket: before.nextTicket,
    queue: before.queue,
    measured: before.measured,
    homes: editMap(before.homes),
    standbys: before.standbys,
    standbyFailures: editMap(before.standbyFailures),
    tally,
    cancels: editMap(before.cancels),
    recorded: before.recorded,
    lastStartAt: before.lastStartAt,
    images: before.images,
  }
  return draft
}

/** @param dueAt when something may fall due by itself */
export function closeDraft(draft: Draft, dueAt: number): State {
  return {
    config: draft.config,
    reconciledAt: draft.reconciledAt,
    engine: draft.engine,
    workspaces: draft.workspaces.result(),
    networks: draft.networks.result(),
    foreignIndexes: draft.foreignIndexes,
    restingIndexes: draft.restingIndexes.result(),
    directors: draft.directors.result(),
    subjects: draft.subjects,
    foreignNames: draft.foreignNames,
    departed: draft.departed.result(),
    nextTicket: draft.nextTicket,
    queue: draft.queue,
    measured: draft.measured,
    homes: draft.homes.result(),
    standbys: draft.standbys,
    standbyFailures: draft.standbyFailures.result(),
    tally: closeTally(draft.tally, draft.before.tally),
    cancels: draft.cancels.result(),
    recorded: draft.recorded,
    lastStartAt: draft.lastStartAt,
    images: draft.images,
    dueAt,
  }
}

/** Nothing waits or has been asked for: what a workspace is made of when it is first heard of. */
export function freshWorkspace(
  draft: Draft,
  identity: { name: WorkspaceName; template: string; owner: Person | undefined },
): Workspace {
  return {
    kind: 'private',
    ...identity,
    seats: [],
    served: 0,
    extendedMs: 0,
    endWarned: false,
    phase: 'queued',
    phaseSince: draft.now,
    requestedAt: draft.now,
    ticket: 0,
    milestones: [],
    changedAt: Number.NEGATIVE_INFINITY,
    probed: [],
    lastUseAt: draft.now,
    leasedUntil: Number.NEGATIVE_INFINITY,
    seenAt: Number.NEGATIVE_INFINITY,
    wanted: false,
    endUntold: false,
    deathUnheard: false,
  }
}

export function change(draft: Draft, workspace: Workspace, patch: Partial<Workspace>): Workspace {
  const changed = { ...workspace, ...patch }
  draft.workspaces.set(changed.name, changed)
  return changed
}

/** Moves a workspace to another phase and notes it. What belonged to the former phase alone is forgotten. */
export function enter(
  draft: Draft,
  workspace: Workspace,
  phase: Phase,
  patch: Partial<Workspace> = {},
): Workspace {
  return change(draft, workspace, {
    phase,
    phaseSince: draft.now,
    milestones: [...workspace.milestones, { phase, at: draft.now }],
    retryAt: undefined,
    retryUntil: undefined,
    pullPercent: undefined,
    veto: undefined,
    thawRequestedAt: undefined,
    held: undefined,
    ...(isUnderWay(phase) ? {} : { requestId: undefined }),
    ...patch,
  })
}

/** What a request began has not come to its end. */
function isUnderWay(phase: Phase): boolean {
  return phase !== 'ready' && phase !== 'frozen' && phase !== 'stopped' && phase !== 'failed'
}

/** Removes a workspace from the state; an older inventory does not bring it back. */
export function drop(draft: Draft, workspace: Workspace): void {
  draft.workspaces.delete(workspace.name)
  draft.departed.set(workspace.name, draft.now)
}

/** A container is gone; an older inventory, which may have it under another name, does not bring it back. */
export function depart(draft: Draft, container: Container | undefined): void {
  if (container !== undefined) draft.departed.set(container.generation, draft.now)
}

/** Marks a step as under way and orders it. */
export function order(
  draft: Draft,
  workspace: Workspace,
  kind: WorkspaceStep,
  step: Step,
): Workspace {
  draft.steps.push(step)
  return change(draft, workspace, {
    pending: { step: kind, since: draft.now },
    retryAt: undefined,
    changedAt: draft.now,
  })
}

export function setNetwork(draft: Draft, network: Network, patch: Partial<Network>): Network {
  const changed = { ...network, ...patch }
  draft.networks.set(changed.index, changed)
  return changed
}

export function withContainer(
  workspace: Workspace,
  patch: Partial<Container>,
): Container | undefined {
  return workspace.container && { ...workspace.container, ...patch }
}

export function byGeneration(draft: Draft, generation: Generation): Workspace | undefined {
  for (const workspace of draft.workspaces.values())
    if (workspace.container?.generation === generation) return workspace
  return undefined
}

/** Nothing can be ordered for it now. */
export function rests(draft: Draft, workspace: Workspace): boolean {
  if (!draft.engine.reachable || workspace.pending !== undefined) return true
  return workspace.retryAt !== undefined && workspace.retryAt > draft.now
}
