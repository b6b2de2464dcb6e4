// A stand-in for the loop in tests of the web: it returns the view that
// the test sets and records the calls. It decides nothing.
import type {
  ActivityCheckResult,
  Command,
  Person,
  ProbeResult,
  SeatAnswer,
  SeatRequest,
} from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { WorkspaceView, Workspaces } from '../../loop/workspaces.ts'
import { initialState } from '../../policy/decide.ts'
import type { Failure, Milestone, PolicyConfig, SeatRefusal } from '../../policy/domain.ts'
import { noLimits } from '../../policy/testing/no-limits.ts'

export interface ViewChange {
  readonly phase?: WorkspaceView['status']['phase']
  readonly position?: number
  readonly etaMs?: number
  readonly elapsedMs?: number
  readonly endsAt?: string
  readonly title?: string
  readonly pullPercent?: number
  readonly milestones?: readonly Milestone[]
  readonly failure?: Failure
  readonly ended?: boolean
  readonly outOfMemory?: boolean
  readonly now?: number
  readonly refusal?: WorkspaceView['refusal']
  readonly endWarned?: boolean
  readonly offer?: WorkspaceView['offer']
  readonly leaves?: boolean
  readonly cancelled?: boolean
  readonly lastUseAgoMs?: number
  readonly owned?: boolean
  readonly idle?: WorkspaceView['idle']
  readonly more?: Partial<WorkspaceView['status']>
}

export interface StandIn extends Workspaces {
  /** Sets the view and calls all followers. */
  show(change: ViewChange): void
  reply: (request: SeatRequest, signal: AbortSignal) => Promise<SeatAnswer | SeatRefusal>
  readonly calls: { readonly name: string; readonly person?: Person; readonly template?: string }[]
  readonly probes: ProbeResult[]
  readonly asks: ActivityCheckResult[]
  readonly directors: Map<string, (command: Command) => void>
  readonly followers: Set<() => void>
  /** Resolves at the next call of the method with that name. */
  called(name: string): Promise<void>
}

const nothingOffered: PolicyConfig = {
  limits: noLimits,
  templates: new Map(),
  lease: { leaseMs: 30_000, marginMs: 15_000 },
  spareNetworks: 0,
  networkCount: 16,
  presenceMs: 30_000,
  forgetAfterMs: 3_600_000,
  retryAfterMs: 2_000,
  specOf: () => '',
  partsOf: () => '',
}

/** @param offered the config of the state, for tests that need templates */
export function createStandIn(
  templates = [{ name: 'lab', title: 'JupyterLab' }],
  offered: PolicyConfig['templates'] = new Map(),
): StandIn {
  let shown: ViewChange = {}
  const waiters = new Map<string, (() => void)[]>()
  const calls: StandIn['calls'] = []
  const followers = new Set<() => void>()
  const directors: StandIn['directors'] = new Map()
  const probes: ProbeResult[] = []
  const asks: ActivityCheckResult[] = []

  function note(name: string, person?: Person, template?: string): void {
    calls.push({ name, ...(person && { person }), ...(template !== undefined && { template }) })
    for (const resolve of waiters.get(name)?.splice(0) ?? []) resolve()
  }

  return {
    calls,
    probes,
    asks,
    directors,
    followers,
    reply: async () => ({ status: 'waiting', workspace: name('lab-alice'), phase: 'queued' }),
    show(change) {
      shown = change
      for (const changed of followers) changed()
    },
    called(name) {
      return new Promise((resolve) => {
        waiters.set(name, [...(waiters.get(name) ?? []), resolve])
      })
    },
    start: async () => undefined,
    ready: () => true,
    requestSeat(request, signal) {
      note('requestSeat', request.user, request.template)
      return this.reply(request, signal)
    },
    reportActivity: async (_director, seats) =>
      seats.map(({ workspace }) => ({ workspace, leaseMs: 60_000 })),
    reportProbe(result) {
      probes.push(result)
    },
    reportActivityCheck: (result) => void asks.push(result),
    usesOf: async () => [],
    reportUses: () => note('reportUses'),
    connectDirector(director, send) {
      note('connectDirector')
      directors.set(director, send)
      return {
        [Symbol.dispose]() {
          if (directors.get(director) === send) directors.delete(director)
          note('disconnectDirector')
        },
      }
    },
    reportPresence: (person, template) => note('reportPresence', person, template),
    requestStart: (person, template) => note('requestStart', person, template),
    noteVisit: (person) => note('noteVisit', person),
    cancelStart: (person, template) => note('cancelStart', person, template),
    view: (person, template) => viewOf(shown, person, template),
    follow(_person, _template, changed) {
      followers.add(changed)
      note('follow')
      return {
        [Symbol.dispose]() {
          followers.delete(changed)
          note('unfollow')
        },
      }
    },
    end: () => note('end'),
    release: () => note('release'),
    hold: (workspace) => {
      note('hold')
      return workspace === 'lab-ann' ? { phase: 'frozen', since: 7 } : undefined
    },
    endHold: (workspace) => {
      note('endHold')
      return workspace === 'lab-ann' ? { phase: 'frozen', since: 7 } : undefined
    },
    extend: (_workspace, person) => note('extend', person),
    openShared: () => undefined,
    homeSize: () => undefined,
    measureHomes: () => note('measureHomes'),
    homesTotal: () => undefined,
    followHomeSizes: () => ({ [Symbol.dispose]: () => undefined }),
    state: () => initialState({ ...nothingOffered, templates: offered }),
    followAll: () => ({ [Symbol.dispose]: () => undefined }),
    logs: async () => [],
    async *followLog() {
      yield []
    },
    openSession: async () => ({
      ok: false,
      failure: { code: 'conflict', detail: 'There is no session.' },
      retry: false,
    }),
    admitDirector: async () => ({ ok: true, value: undefined }),
    templateNamed: (wanted) => templates.find((template) => template.name === wanted),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function viewOf(shown: ViewChange, person: Person, template: string): WorkspaceView {
  const { phase = 'queued', position, etaMs, endsAt, pullPercent, failure, refusal } = shown
  return {
    status: {
      template,
      workspace: `${template}-${person.name}`,
      phase,
      elapsedMs: shown.elapsedMs ?? 0,
      ...(position === undefined ? {} : { position }),
      ...(etaMs === undefined ? {} : { etaMs }),
      ...(endsAt === undefined ? {} : { endsAt }),
      ...shown.more,
    },
    title: shown.title ?? 'JupyterLab',
    milestones: shown.milestones ?? [],
    ended: shown.ended ?? false,
    now: shown.now ?? 0,
    ...(pullPercent === undefined ? {} : { pullPercent }),
    ...(failure === undefined ? {} : { failure }),
    ...(refusal === undefined ? {} : { refusal }),
    ...(shown.endWarned === undefined ? {} : { endWarned: shown.endWarned }),
    ...(shown.offer === undefined ? {} : { offer: shown.offer }),
    ...(shown.outOfMemory === undefined ? {} : { outOfMemory: shown.outOfMemory }),
    ...(shown.leaves === undefined ? {} : { leaves: shown.leaves }),
    ...(shown.cancelled === undefined ? {} : { cancelled: shown.cancelled }),
    ...(shown.lastUseAgoMs === undefined ? {} : { lastUseAgoMs: shown.lastUseAgoMs }),
    ...(shown.owned === undefined ? {} : { owned: shown.owned }),
    ...(shown.idle === undefined ? {} : { idle: shown.idle }),
  }
}

function name(text: string) {
  return text as WorkspaceName
}
