// For tests: sends events to `decide`, with an engine that carries out steps at once, and only when the test says so.
// Over 300 lines: one event for each step that the engine can answer.
import type { Person, SeatRequest, ShownPhase } from '@berth/shared/contract'
import {
  parsePrefix,
  parseUserName,
  workspaceName,
  type Prefix,
  type UserName,
  type WorkspaceName,
} from '@berth/shared/names'
import { decide, initialState } from '../decide.ts'
import type {
  Announcement,
  Event,
  Limits,
  Inventory,
  Decision,
  PolicyConfig,
  Recorded,
  RenewedLease,
  ReplyTo,
  SeatReply,
  State,
  Step,
  Workspace,
} from '../domain.ts'
import { noLimits } from './no-limits.ts'
import { sharedSeatOf } from '../seats/seat-table.ts'
import { withChanges } from './with-changes.ts'
import type { Template, TemplatePolicy, TemplateSpec } from '../../templates/template.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'

export const prefix = parsePrefix('lab') as Prefix
export const user = (name: string) => parseUserName(name) as UserName
export const person = (name: string, more: Partial<Person> = {}): Person => ({
  name: user(name),
  subject: `u-${name}`,
  groups: ['staff'],
  ...more,
})
export const nameOf = (name: string): WorkspaceName => workspaceName(prefix, user(name))

export function templateWith(
  policy: Partial<TemplatePolicy> = {},
  spec: Partial<TemplateSpec> = {},
): Template {
  return testTemplate('lab', {
    title: 'Lab',
    spec: {
      home: { path: '/home/user', volume: '{instance}-{user}-home' },
      readyPath: '/api',
      ...spec,
    },
    policy: { idleStopMs: 100_000, idleRemoveMs: 1_000_000, startTimeoutMs: 60_000, ...policy },
  })
}

export interface ScenarioOptions {
  readonly limits?: Partial<Limits>
  readonly policy?: Partial<TemplatePolicy>
  readonly spec?: Partial<TemplateSpec>
  readonly config?: Partial<PolicyConfig>
}

export function configWith(options: ScenarioOptions = {}): PolicyConfig {
  const template = templateWith(options.policy, options.spec)
  return {
    limits: { ...noLimits, ...options.limits },
    templates: new Map([[template.name, template]]),
    lease: { leaseMs: 20_000, marginMs: 10_000 },
    spareNetworks: 0,
    networkCount: 64,
    presenceMs: 30_000,
    forgetAfterMs: 3_600_000,
    retryAfterMs: 5_000,
    specOf: () => 'spec-1',
    partsOf: () => '',
    ...options.config,
  }
}

export const director = 'd1'

/** The request of a page that is opened, unless `more` says otherwise. */
export function seatRequest(who: string | Person, more: Partial<SeatRequest> = {}): SeatRequest {
  return {
    director,
    user: typeof who === 'string' ? person(who) : who,
    template: 'lab',
    protocol: 'http',
    waitMs: 0,
    start: 'start',
    navigation: true,
    ...more,
  }
}

export class Scenario {
  state: State
  now = 1_000_000
  nextDeadlineAt: number | undefined
  /** Steps that were ordered and not carried out yet. */
  readonly orders: Step[] = []
  /** All steps of the last decision. */
  said: readonly Step[] = []
  /** The types of all steps so far, in order. */
  readonly history: string[] = []
  /** Each announcement so far, in order. */
  readonly announced: Announcement[] = []
  #count = 0

  /** What the store has now. */
  recorded: Recorded = { workspaces: [], nextTicket: 1 }

  constructor(options: ScenarioOptions = {}, recorded?: Recorded) {
    this.state = initialState(configWith(options), recorded)
    if (recorded !== undefined) this.recorded = recorded
  }

  hears<E extends Event>(event: E): Decision<ReplyTo<E>> {
    const decision = decide(this.state, event, this.now)
    this.state = decision.state
    this.recorded = withChanges(this.recorded, decision.changes)
    this.nextDeadlineAt = decision.nextDeadlineAt
    this.said = decision.steps
    this.history.push(...decision.steps.map((step) => step.type))
    this.announced.push(...decision.steps.filter((step) => step.type === 'announce'))
    this.orders.push(...decision.steps.filter(isOrder))
    return decision
  }

  /** Lets time pass, and fires the timers that `decide` asked for on the way. */
  passes(ms: number): this {
    const until = this.now + ms
    while (this.nextDeadlineAt !== undefined && this.nextDeadlineAt <= until) {
      this.now = this.nextDeadlineAt
      this.hears({ type: 'tick' })
    }
    this.now = until
    this.hears({ type: 'tick' })
    return this
  }

  looks(look: Partial<Inventory> = {}): this {
    this.hears({
      type: 'inventory-taken',
      inventory: {
        startedAt: this.now,
        containers: [],
        networks: [],
        foreignIndexes: [],
        foreignNames: [],
        subjects: new Map(),
        directors: [director],
        images: new Map(),
        ...look,
      },
    })
    return this
  }

  connects(id = director): this {
    this.hears({ type: 'director-connected', director: id })
    return this
  }

  /** @param more further fields of the request, and the time since which it is held */
  asks(
    who: string | Person,
    more: Partial<SeatRequest> & { since?: number; requestId?: string } = {},
  ): SeatReply {
    const { since, requestId, ...request } = more
    const { reply } = this.hears({
      type: 'seat-requested',
      request: seatRequest(who, request),
      requestId,
      ...(since === undefined ? {} : { since }),
    })
    if (reply === undefined) throw new Error('the seat was not answered')
    return reply
  }

  reports(who: string, lastUseAgoMs: number): readonly string[] {
    const seats = [{ workspace: nameOf(who), user: user(who), lastUseAgoMs, connections: 0 }]
    const { reply = [] } = this.hears({ type: 'activity-reported', director, seats })
    return renewed(reply)
  }

  /** Reports activity of a person in a shared workspace. */
  uses(who: string, lastUseAgoMs = 0, connections = 1): readonly string[] {
    const workspace = this.seatOf(who)
    if (workspace === undefined) return []
    const seats = [{ workspace: workspace.name, user: user(who), lastUseAgoMs, connections }]
    const { reply = [] } = this.hears({ type: 'activity-reported', director, seats })
    return renewed(reply)
  }

  /** The shared workspace of template `lab` in which the person has a seat. */
  seatOf(who: string): Workspace | undefined {
    return sharedSeatOf(this.state, user(who), 'lab')
  }

  /** The engine carries out the ordered steps (of these types), and the steps that follow from them. */
  obeys(...types: readonly Step['type'][]): this {
    for (;;) {
      const at = this.orders.findIndex((step) => types.length === 0 || types.includes(step.type))
      if (at < 0) return this
      const [step] = this.orders.splice(at, 1)
      if (step !== undefined) this.carriesOut(step)
    }
  }

  /** The engine carries out one step that was taken from the orders. */
  carriesOut(step: Step): void {
    const event = this.#outcome(step)
    if (event !== undefined) this.hears(event)
  }

  /** The first ordered step of that type fails. */
  fails(type: Step['type'], retry = false): this {
    const at = this.orders.findIndex((step) => step.type === type)
    const [step] = at < 0 ? [] : this.orders.splice(at, 1)
    const kind = type.split('-')[0]
    if (step === undefined || !('workspace' in step)) throw new Error(`no ${type} was ordered`)
    this.hears({
      type: 'step-failed',
      workspace: step.workspace,
      step: kind as 'pull',
      retry,
      failure: { code: retry ? 'engine_unreachable' : 'start_failed', detail: `${type} failed` },
    })
    return this
  }

  workspace(who: string): Workspace {
    const workspace = this.state.workspaces.get(nameOf(who))
    if (workspace === undefined) throw new Error(`${who} has no workspace`)
    return workspace
  }

  phase(who: string): ShownPhase {
    return this.state.workspaces.get(nameOf(who))?.phase ?? 'absent'
  }

  phases(...people: readonly string[]): readonly ShownPhase[] {
    return people.map((who) => this.phase(who))
  }

  ordered(): readonly string[] {
    return this.orders.map((step) => step.type)
  }

  #imageOf(template: string): string {
    return this.state.config.templates.get(template)?.spec.image ?? ''
  }

  #outcome(step: Step): Event | undefined {
    switch (step.type) {
      case 'pull-image':
        return {
          type: 'image-present',
          workspace: step.workspace,
          image: this.#imageOf(step.template),
        }
      case 'create-container': {
        const generation = `${step.workspace}#${++this.#count}`
        const { memoryBytes = 0 } = this.state.config.templates.get(step.template)?.spec ?? {}
        const container = { generation, spec: 'spec-1', status: 'created', memoryBytes } as const
        return { type: 'container-created', workspace: step.workspace, container }
      }
      case 'start-container':
        return {
          type: 'container-started',
          workspace: step.workspace,
          generation: step.generation,
          address: `10.213.0.${step.network * 16 + 2}`,
        }
      case 'stop-container': {
        const { workspace, generation } = step
        this.hears({ type: 'container-died', generation, exitCode: 143 })
        return { type: 'container-stopped', workspace, generation, exitCode: 143 }
      }
      case 'remove-container': {
        const failure = step.failure && { ...step.failure, log: ['last words'] }
        const { workspace } = step
        return { type: 'container-removed', workspace, ...(failure ? { failure } : {}) }
      }
      case 'create-network':
        return { type: 'network-created', index: step.index }
      case 'remove-network':
        return { type: 'network-removed', index: step.index }
      case 'attach-director':
        return { type: 'director-attached', index: step.index, director: step.director }
      case 'probe': {
        const { workspace, generation } = step
        return {
          type: 'probe-answered',
          director: step.director,
          workspace,
          generation,
          reachable: true,
        }
      }
      case 'freeze-container': {
        const { workspace, generation } = step
        return { type: 'container-frozen', workspace, generation }
      }
      case 'thaw-container': {
        const { workspace, generation } = step
        return { type: 'container-thawed', workspace, generation }
      }
      case 'rename-container': {
        const { workspace, generation } = step
        return { type: 'container-renamed', workspace, generation }
      }
      case 'measure-cpu': {
        const { workspace, generation } = step
        return { type: 'cpu-measured', workspace, generation, percent: 0 }
      }
      case 'check-activity': {
        const { workspace, generation } = step
        return { type: 'activity-answered', workspace, generation, busy: false }
      }
      case 'introduce':
      case 'revoke':
      case 'announce':
      case 'announce-home':
      case 'remove-home':
        return undefined
    }
  }
}

const renewed = (leases: readonly RenewedLease[]): readonly string[] =>
  leases.filter(({ leaseMs }) => leaseMs > 0).map(({ workspace }) => workspace)

const said: ReadonlySet<Step['type']> = new Set(['introduce', 'revoke', 'announce'])
const isOrder = (step: Step) => !said.has(step.type)

/** A scenario with one connected director and an inventory of an empty engine. */
export function begun(options: ScenarioOptions = {}): Scenario {
  return new Scenario(options).looks().connects()
}

/** A scenario as in `begun`, in which the workspaces of these people are ready. */
export function withReady(people: readonly string[], options: ScenarioOptions = {}): Scenario {
  const scenario = begun(options)
  for (const who of people) {
    scenario.asks(who)
    scenario.obeys()
    scenario.asks(who)
  }
  return scenario
}
