// For the model test: simulated people, directors and an engine around `decide`, all random from one seed.
// The world checks the invariants after each decision and throws at the first broken one. Over 300 lines: directors and
// people share the clock, the random numbers and the state of this one object.
import type { Person, SeatRequest } from '@berth/shared/contract'
import { guestOf } from '@berth/shared/guests'
import type { WorkspaceName } from '@berth/shared/names'
import { decide, initialState } from '../decide.ts'
import type {
  DirectorId,
  Event,
  Generation,
  PolicyConfig,
  Recorded,
  RenewedLease,
  ReplyTo,
  SeatReply,
  State,
  Step,
} from '../domain.ts'
import { seatOf } from '../seats/seat-table.ts'
import { nameOf, person, seatRequest } from './scenario.ts'
import { checkDecision } from './invariants.ts'
import { withChanges } from './with-changes.ts'
import { Allowance } from './world-allowance.ts'
import {
  changed,
  firstSettings,
  worldConfig,
  type SettingsChange,
  type TemplateSettings,
  type WorldSettings,
  group,
} from './world-config.ts'
import { WorldEngine } from './world-engine.ts'
import {
  broken,
  type Lease,
  type WorldDirector,
  type WorldFacts,
  type WorldOptions,
} from './world-facts.ts'
import { generator } from './generator.ts'

interface Waiter {
  readonly user: Person
  readonly request: Pick<SeatRequest, 'start' | 'navigation'>
  readonly since: number
  askedAt: number
}

/** Of both templates. */
const isGuest = ({ guests }: WorldOptions, index: number): boolean => guests && index % 4 > 1

/** In the group of everybody, as far as limits of this world go. */
const guest = (index: number): Person => ({
  ...guestOf({ origin: `o${index % 2}`, id: `g${index}` }),
  groups: [group],
})

export class World implements WorldFacts {
  now = 1_000
  state: State
  readonly options: WorldOptions
  config: PolicyConfig
  settings: WorldSettings
  /** Whether a template was renamed or got another prefix: workspaces that were started before that end late. */
  renamed = false
  readonly allowance = new Allowance()
  readonly engine: WorldEngine
  readonly directors = new Map<DirectorId, WorldDirector>()
  /** People whose requests are held, by workspace. */
  readonly waiting = new Map<WorkspaceName, Waiter>()
  /** People who use their workspace all the time. */
  readonly busy = new Set<WorkspaceName>()
  readonly people: readonly Person[]
  spawnerUp = true
  /** The number of the present run of the spawner. */
  incarnation = 1
  crashedAt = 0
  /** The probability that an operation fails or is slow, from 0 to 1. */
  trouble = 0
  served = 0
  readonly history: string[] = []
  readonly ended = new Set<Generation>()
  restarting: WorkspaceName | undefined
  readonly owners = new Map<Generation, Person>()
  /** What the store has. It survives a crash of the spawner. */
  recorded: Recorded = { workspaces: [], nextTicket: 1 }
  #agenda: { at: number; turn: number; run: () => void }[] = []
  #turn = 0
  #random: () => number
  #nextDeadlineAt: number | undefined
  #nextLookAt = 0
  #nextDirector = 1

  constructor(options: WorldOptions) {
    this.options = options
    this.settings = firstSettings(options)
    this.config = worldConfig(options, this.settings)
    this.state = initialState(this.config)
    this.#random = generator(options.seed)
    this.people = Array.from({ length: options.people }, (_, index) =>
      isGuest(options, index) ? guest(index) : person(`p${index}`),
    )
    this.engine = new WorldEngine(this)
    this.addDirector()
    this.addDirector()
  }

  templateOf(user: Person): string {
    const { lab, hub } = this.settings
    return this.people.findIndex(({ name }) => name === user.name) % 2 === 0 ? lab.name : hub.name
  }

  /** The workspace that the person has at present, or would get. */
  workspaceOf(user: Person): WorkspaceName {
    return seatOf(this.state, user, this.templateOf(user)) ?? nameOf(user.name)
  }

  // chance and time

  chance(probability: number): boolean {
    return this.#random() < probability
  }

  between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1))
  }

  later(ms: number, run: () => void): void {
    this.#agenda.push({ at: this.now + ms, turn: this.#turn++, run })
  }

  passes(ms: number): void {
    const until = this.now + ms
    for (;;) {
      const at = this.#nextAt()
      if (at > until) break
      this.now = Math.max(this.now, at)
      this.#runDue()
    }
    this.now = until
  }

  #nextAt(): number {
    let next = Math.min(
      this.#nextLookAt,
      this.spawnerUp ? (this.#nextDeadlineAt ?? Infinity) : Infinity,
    )
    for (const { at } of this.#agenda) next = Math.min(next, at)
    for (const waiter of this.waiting.values()) next = Math.min(next, waiter.askedAt + 2_500)
    return next
  }

  #runDue(): void {
    const due = this.#agenda.filter(({ at }) => at <= this.now)
    this.#agenda = this.#agenda.filter(({ at }) => at > this.now)
    due.sort((a, b) => a.at - b.at || a.turn - b.turn)
    for (const { run } of due) run()
    if (this.spawnerUp && this.#nextDeadlineAt !== undefined && this.#nextDeadlineAt <= this.now)
      this.hears({ type: 'tick' })
    if (this.#nextLookAt <= this.now) this.look()
    for (const waiter of this.waiting.values())
      if (waiter.askedAt + 2_500 <= this.now) this.#askAgain(waiter)
  }

  // the spawner

  /** @returns the reply, or `undefined` while the spawner is down */
  hears<E extends Event>(event: E): ReplyTo<E> | undefined {
    if (!this.spawnerUp) return undefined
    const before = this.state
    const decision = decide(before, event, this.now)
    const { state, steps, nextDeadlineAt, changes } = decision
    this.recorded = withChanges(this.recorded, changes)
    this.history.push(`${this.now} ${describe(event)} -> ${steps.map(describe).join(', ')}`)
    this.state = state
    this.#nextDeadlineAt = nextDeadlineAt
    if (before.reconciledAt === undefined && state.reconciledAt !== undefined) {
      this.engine.takeOverRenamed()
      this.allowance.renew(before, this.engine)
    }
    checkDecision(this, before, decision)
    this.allowance.shrink(state, this.engine)
    for (const step of steps) this.#carryOut(step)
    return decision.reply
  }

  /** Changes limits or templates. A spawner that is down has them when it starts. */
  reconfigure(change: SettingsChange): void {
    const before = this.settings
    this.settings = changed(before, change)
    const isRenamed = (one: TemplateSettings, other: TemplateSettings) =>
      one.name !== other.name || one.prefix !== other.prefix
    this.renamed ||=
      isRenamed(before.lab, this.settings.lab) || isRenamed(before.hub, this.settings.hub)
    this.config = worldConfig(this.options, this.settings)
    this.history.push(`${this.now} settings ${JSON.stringify(this.settings)}`)
    // Before the first inventory the spawner does not know what runs.
    if (this.state.reconciledAt !== undefined) this.engine.takeOverRenamed()
    this.allowance.renew(this.state, this.engine)
    this.hears({ type: 'config-changed', config: this.config })
  }

  #carryOut(step: Step): void {
    switch (step.type) {
      case 'announce':
      case 'announce-home':
      case 'remove-home':
        return
      case 'check-activity':
        return this.#askActivity(step)
      case 'introduce': {
        const director = this.directors.get(step.director)
        if (director !== undefined) director.introduced = true
        return
      }
      case 'revoke':
        for (const director of this.directors.values()) this.#hearRevoke(director, step)
        return
      case 'probe':
        return this.#probe(step)
      default:
        this.engine.carryOut(step)
    }
  }

  look(): void {
    this.#nextLookAt = this.now + 5_000
    if (this.spawnerUp) this.engine.look()
  }

  crash(): void {
    if (!this.spawnerUp) return
    this.history.push(`${this.now} crash`)
    this.incarnation++
    this.crashedAt = this.now
    this.engine.forgetOrders()
    this.state = initialState(this.config, this.recorded)
    this.spawnerUp = false
    this.#nextDeadlineAt = undefined
    for (const director of this.directors.values()) this.#lose(director)
    this.later(this.between(1, 4_000), () => this.revive())
  }

  revive(): void {
    if (this.spawnerUp) return
    this.spawnerUp = true
    this.state = initialState(this.config, this.recorded)
    this.allowance.renew(this.state, this.engine)
    this.look()
    for (const director of this.directors.values()) this.#reconnect(director)
  }

  // directors

  addDirector(): void {
    const id = `d${this.#nextDirector++}`
    const director = { id, connected: false, introduced: false, leases: new Map() }
    this.directors.set(id, director)
    this.#reconnect(director)
    const every = Math.max(1, Math.floor(this.config.lease.leaseMs / 4))
    const report = () => {
      if (this.directors.get(id) !== director) return
      this.#report(director)
      this.later(every, report)
    }
    this.later(every, report)
  }

  /** Replaces the container of the director, which loses its leases and connections. */
  replaceDirector(id: DirectorId): void {
    this.directors.delete(id)
    this.engine.forgetDirector(id)
    this.hears({ type: 'director-gone', director: id })
    this.addDirector()
  }

  breakStream(id: DirectorId): void {
    const director = this.directors.get(id)
    if (director === undefined) return
    this.#lose(director)
    this.hears({ type: 'director-gone', director: id })
    this.#reconnect(director)
  }

  #lose(director: WorldDirector): void {
    director.connected = false
    director.introduced = false
  }

  #reconnect(director: WorldDirector): void {
    this.later(this.between(1, 1_500), () => {
      if (!this.spawnerUp || director.connected || !this.directors.has(director.id)) return
      director.connected = true
      this.hears({ type: 'director-connected', director: director.id })
    })
  }

  #hearRevoke(director: WorldDirector, step: Extract<Step, { type: 'revoke' }>): void {
    // A revoke is not guaranteed to arrive, and leases are safe without it.
    if (!director.connected || this.chance(this.trouble)) return
    for (const [who, lease] of director.leases)
      if (lease.generation === step.generation) director.leases.delete(who)
  }

  #probe(step: Extract<Step, { type: 'probe' }>): void {
    const director = this.directors.get(step.director)
    if (director?.connected !== true) return
    const givesUpAt = this.now + step.deadlineMs
    const attempt = () => {
      if (!director.connected) return
      const reachable = this.engine.reaches(director.id, step.generation)
      if (!reachable && this.now < givesUpAt) return this.later(400, attempt)
      const { workspace, generation } = step
      this.hears({
        type: 'probe-answered',
        director: director.id,
        workspace,
        generation,
        reachable,
      })
    }
    this.later(this.between(1, 60), attempt)
  }

  /** An application that computes answers that it is busy. A frozen or mute application does not answer. */
  #askActivity(step: Extract<Step, { type: 'check-activity' }>): void {
    const director = this.directors.get(step.director)
    if (director?.connected !== true) return
    const { workspace, generation } = step
    const { incarnation } = this
    this.later(this.between(1, 60), () => {
      if (this.incarnation !== incarnation) return
      const isReached = this.engine.reaches(director.id, generation)
      const busy = this.engine.computing.has(workspace)
      const said = isReached ? { busy } : {}
      this.hears({ type: 'activity-answered', workspace, generation, ...said })
    })
  }

  #report(director: WorldDirector): void {
    const sentAt = this.now
    for (const [name, lease] of director.leases)
      if (lease.until <= this.now) director.leases.delete(name)
      else if (this.busy.has(name)) director.leases.set(name, { ...lease, lastUseAt: this.now })
    if (!this.spawnerUp || director.leases.size === 0) return
    this.later(this.between(0, 30), () => {
      const reported = new Map(director.leases)
      const seats = [...reported].map(([who, { workspace, generation, user, lastUseAt }]) => ({
        workspace,
        generation,
        user: user.name,
        lastUseAgoMs: this.now - lastUseAt,
        connections: this.busy.has(who) ? 1 : 0,
      }))
      const kept = this.hears({ type: 'activity-reported', director: director.id, seats })
      if (kept === undefined) return
      for (const [name, lease] of reported) {
        const isOf = ({ workspace, user }: RenewedLease): boolean =>
          workspace === lease.workspace && user === lease.user.name
        const renewed = kept.find(isOf)
        if (renewed === undefined) director.leases.delete(name)
        else if (renewed.leaseMs > 0)
          director.leases.set(name, { ...lease, until: sentAt + renewed.leaseMs })
      }
    })
  }

  /** Leases that have not expired at their director. */
  *leases(): Iterable<Lease> {
    for (const director of this.directors.values())
      for (const lease of director.leases.values()) if (lease.until > this.now) yield lease
  }

  // people

  ask(
    user: Person,
    request: Pick<SeatRequest, 'start' | 'navigation'>,
    since?: number,
    answered: (reply: SeatReply) => void = () => undefined,
  ): void {
    const directors = [...this.directors.values()]
    const director = directors[this.between(0, directors.length - 1)]
    if (director === undefined || !this.spawnerUp) return
    const askedAt = this.now
    const who = nameOf(user.name)
    const held = director.leases.get(who)
    const fails = held !== undefined && !this.engine.reaches(director.id, held.generation)
    if (fails) director.leases.delete(who)
    const reply = this.hears({
      type: 'seat-requested',
      request: seatRequest(user, {
        director: director.id,
        template: this.templateOf(user),
        ...request,
        ...(fails ? { unreachable: held.generation } : {}),
      }),
      ...(since === undefined ? {} : { since }),
    })
    if (reply === undefined) return
    if (reply.status === 'granted') {
      this.served++
      const { owner, network } = this.engine.containers.get(reply.generation) ?? {}
      // As in `removeNetwork`: no director reaches anything by a lease on a network that an operator removed.
      const isThere = network !== undefined && this.engine.networks.has(network)
      if (owner !== undefined && owner.subject !== user.subject)
        broken(this, `${user.subject} got a seat in the workspace of ${owner.subject}`)
      director.leases.set(who, {
        workspace: reply.workspace,
        generation: reply.generation,
        network: isThere ? network : undefined,
        user,
        until: askedAt + reply.leaseMs,
        lastUseAt: this.now,
      })
    }
    answered(reply)
  }

  /** The person arrives and stays until served. */
  comes(user: Person, request: Pick<SeatRequest, 'start' | 'navigation'>): void {
    const name = nameOf(user.name)
    if (this.waiting.has(name)) return
    const waiter = { user, request, since: this.now, askedAt: this.now }
    this.waiting.set(name, waiter)
    this.#askAgain(waiter)
  }

  /** The owner in the portal, an administrator or a script ends the workspace. */
  endsAtOnce(name: WorkspaceName, how: 'stop' | 'remove' | 'restart'): void {
    const generation = this.state.workspaces.get(name)?.container?.generation
    if (generation !== undefined) this.ended.add(generation)
    this.restarting = how === 'restart' ? name : undefined
    this.hears({ type: 'end-requested', workspace: name, how })
    this.restarting = undefined
  }

  /** An administrator takes the person's place. */
  releases(workspace: WorkspaceName, { name: user }: Person): void {
    this.hears({ type: 'place-released', workspace, user })
    const after = this.state.workspaces.get(workspace)
    if (!this.spawnerUp || after === undefined) return
    if (after.kind === 'shared' && after.seats.some(({ person }) => person.name === user))
      broken(this, `${user} kept a seat in ${workspace} that was released`)
    if (after.kind === 'private' && after.phase === 'queued' && after.owner?.name === user)
      broken(this, `${user} kept a place in the queue that was released`)
  }

  leaves(user: Person): void {
    this.waiting.delete(nameOf(user.name))
    this.busy.delete(nameOf(user.name))
  }

  #askAgain(waiter: Waiter): void {
    const name = nameOf(waiter.user.name)
    waiter.askedAt = this.now
    this.ask(waiter.user, waiter.request, waiter.since, (reply) => {
      if (reply.status === 'granted') this.waiting.delete(name)
      if (reply.status !== 'refused') return
      if (reply.failure.code === 'identity_reused') return void this.waiting.delete(name)
      // The person presses the button of the failure page, or opens the page again.
      const { user } = waiter
      const { phase } = this.state.workspaces.get(this.workspaceOf(user)) ?? {}
      if (phase === 'failed' && this.chance(0.5))
        this.hears({ type: 'start-requested', template: this.templateOf(user), user })
      else this.waiting.set(name, { ...waiter, since: this.now })
    })
  }

  /** From now on, no operation fails, and no rule of the house keeps people out. People who wait continue to wait, and the others do nothing. */
  calmDown(): void {
    this.trouble = 0
    this.busy.clear()
    this.engine.recover()
    this.reconfigure({ maintenance: false, lab: { isClosed: false }, hub: { isClosed: false } })
    this.revive()
  }
}

function describe(thing: Event | Step): string {
  const { type, ...rest } = thing
  return `${type} ${JSON.stringify(rest, (key, value: unknown) => (['owner', 'subjects', 'config'].includes(key) ? undefined : value))}`
}
