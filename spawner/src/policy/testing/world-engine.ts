// For the model test: an engine with latencies, failures, lost or late results, and events that may be missing.
// Over 300 lines: one method for each engine call, all on the same containers and networks.
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type {
  Container,
  DirectorId,
  EngineStep as Order,
  Event,
  Failure,
  Generation,
  Inventory,
  NetworkIndex,
  WorkspaceStep,
} from '../domain.ts'
import type { Template } from '../../templates/template.ts'
import { specOf } from './world-config.ts'
import { broken, type EngineFacts, type WorldContainer, type WorldFacts } from './world-facts.ts'

const awayFailure: Failure = { code: 'engine_unreachable', detail: 'the engine did not answer' }
const hardFailure: Failure = { code: 'start_failed', detail: 'the engine refused' }
const workspaceSteps: Partial<Record<Order['type'], WorkspaceStep>> = {
  'pull-image': 'pull',
  'create-container': 'create',
  'start-container': 'start',
  'freeze-container': 'freeze',
  'thaw-container': 'thaw',
  'rename-container': 'rename',
  'stop-container': 'stop',
  'remove-container': 'remove',
}

export class WorldEngine implements EngineFacts {
  readonly containers = new Map<Generation, WorldContainer>()
  readonly networks = new Map<NetworkIndex, Set<DirectorId>>()
  readonly foreignNetworks = new Set<NetworkIndex>()
  readonly foreignNames = new Set<string>()
  readonly homes = new Map<UserName, string>()
  /** What is wrong with a person's workspace: it exits at once, or never listens. */
  readonly faults = new Map<WorkspaceName, 'exits' | 'mute'>()
  /** Steps under way for the present spawner. */
  readonly underWay = new Map<WorkspaceName, Order>()
  /** Workspaces that use a whole processor. */
  readonly computing = new Set<WorkspaceName>()
  up = true
  /** Whether the result of some step never arrived. */
  silenced = false
  #made = 0
  readonly #world: WorldFacts

  constructor(world: WorldFacts) {
    this.#world = world
  }

  containerOf(workspace: WorkspaceName): WorldContainer | undefined {
    for (const container of this.containers.values())
      if (container.name === workspace) return container
    return undefined
  }

  reaches(director: DirectorId, generation: Generation): boolean {
    const container = this.containers.get(generation)
    if (container?.status !== 'running' || this.faults.get(container.workspace) === 'mute')
      return false
    return this.networks.get(container.network)?.has(director) === true
  }

  // orders

  carryOut(order: Order): void {
    const world = this.#world
    const { incarnation } = world
    const kind = workspaceSteps[order.type]
    if (kind !== undefined && 'workspace' in order) {
      const other = this.underWay.get(order.workspace)
      if (other !== undefined && other.type !== 'pull-image')
        broken(world, `${order.type} is ordered while ${other.type} is under way`)
      this.underWay.set(order.workspace, order)
    }
    // The engine uses the template as it is when the step is ordered.
    const template = 'template' in order ? world.config.templates.get(order.template) : undefined
    const isTroubled = world.chance(world.trouble)
    const outcome = isTroubled
      ? (['lost', 'void', 'hard', 'silent'] as const)[world.between(0, 3)]
      : 'fine'
    const slow = isTroubled ? 4_000 : 250
    world.later(world.between(1, slow), () => {
      // A call of a crashed spawner still takes effect, but only for a short time.
      const isOver = world.incarnation !== incarnation && world.now > world.crashedAt + 300
      const works = this.up && !isOver && outcome !== 'void' && outcome !== 'hard'
      const event = works ? this.#carry(order, template, incarnation) : undefined
      const isSilent = outcome === 'silent' && kind !== 'pull' && world.chance(0.2)
      if (isSilent) this.silenced = true
      world.later(world.between(1, slow), () => {
        if (world.incarnation !== incarnation) return
        if (isSilent) {
          if ('workspace' in order) this.#done(order)
          return
        }
        if ('workspace' in order) this.#done(order)
        const isKnown = event !== undefined && outcome !== 'lost'
        const answer = isKnown ? event : this.#failure(order, this.up && outcome === 'hard')
        if (answer !== undefined) world.hears(answer)
      })
    })
  }

  #done(order: Order & { workspace: WorkspaceName }): void {
    if (this.underWay.get(order.workspace) === order) this.underWay.delete(order.workspace)
  }

  forgetOrders(): void {
    this.underWay.clear()
  }

  #failure(order: Order, isHard: boolean): Event | undefined {
    switch (order.type) {
      case 'create-network':
      case 'remove-network':
        return { type: 'network-failed', index: order.index, taken: false }
      case 'attach-director': {
        const gone = !this.#world.directors.has(order.director)
        const { index, director } = order
        return { type: 'director-attach-failed', index, director, gone }
      }
      case 'measure-cpu': {
        const { workspace, generation } = order
        return { type: 'cpu-measured', workspace, generation }
      }
      default: {
        const step = workspaceSteps[order.type]
        if (step === undefined) return undefined
        const failure = isHard ? hardFailure : awayFailure
        const { workspace } = order
        return { type: 'step-failed', workspace, step, failure, retry: !isHard }
      }
    }
  }

  /** Applies the step to the engine. @returns its result */
  #carry(order: Order, template: Template | undefined, incarnation: number): Event | undefined {
    const world = this.#world
    switch (order.type) {
      case 'pull-image': {
        if (template === undefined) return this.#failure(order, true)
        const { image } = template.spec
        return { type: 'image-present', workspace: order.workspace, image }
      }
      case 'create-container':
        return template === undefined ? this.#failure(order, true) : this.#create(order, template)
      case 'start-container':
        return this.#start(order, world.incarnation !== incarnation)
      case 'freeze-container':
        return this.#turn(order, incarnation, 'running', 'paused', 'container-frozen')
      case 'thaw-container':
        return this.#turn(order, incarnation, 'paused', 'running', 'container-thawed')
      case 'rename-container':
        return this.#rename(order)
      case 'measure-cpu': {
        const { workspace, generation } = order
        const container = this.containers.get(generation)
        if (container?.status !== 'running') return undefined
        const percent = this.computing.has(workspace) ? 100 : 0
        return { type: 'cpu-measured', workspace, generation, percent }
      }
      case 'stop-container': {
        const { workspace, generation } = order
        const container = this.containers.get(generation)
        if (container !== undefined) this.ends(container, 143)
        return { type: 'container-stopped', workspace, generation, exitCode: 143 }
      }
      case 'remove-container': {
        const { workspace, generation, failure } = order
        this.containers.delete(generation)
        const removed = { type: 'container-removed', workspace } as const
        return failure === undefined ? removed : { ...removed, failure }
      }
      case 'create-network': {
        const { index } = order
        if (this.foreignNetworks.has(index)) return { type: 'network-failed', index, taken: true }
        if (!this.networks.has(index)) this.networks.set(index, new Set())
        return { type: 'network-created', index }
      }
      case 'remove-network': {
        const { index } = order
        for (const container of this.containers.values())
          if (isOn(container, this.networks.get(index)) && isPlanned(world, container.generation))
            broken(world, `network ${index} is removed while ${container.workspace} uses it`)
        this.networks.delete(index)
        return { type: 'network-removed', index }
      }
      case 'attach-director': {
        const { index, director } = order
        const network = this.networks.get(index)
        if (network === undefined || !world.directors.has(director)) return undefined
        network.add(director)
        return { type: 'director-attached', index, director }
      }
    }
  }

  #create(
    order: Extract<Order, { type: 'create-container' }>,
    template: Template,
  ): Event | undefined {
    const { workspace, kind, network, owner } = order
    const spec = specOf(template)
    if (this.foreignNames.has(workspace))
      return {
        type: 'step-failed',
        workspace,
        step: 'create',
        failure: { code: 'name_taken', detail: 'the name is taken' },
        retry: false,
      }
    let existing = this.containerOf(workspace)
    const fits = existing?.network === network && existing.spec === spec
    if (existing?.status === 'created' && !fits) {
      this.containers.delete(existing.generation)
      existing = undefined
    }
    if (existing !== undefined && existing.status !== 'created' && !existing.ghost)
      broken(this.#world, `a second container of ${workspace} is created`)
    if (existing !== undefined && existing.owner?.subject !== owner?.subject)
      return {
        type: 'step-failed',
        workspace,
        step: 'create',
        failure: { code: 'identity_reused', detail: 'it is of somebody who had the name before' },
        retry: false,
      }
    const container: WorldContainer = existing ?? {
      generation: `g${++this.#made}`,
      workspace,
      name: workspace,
      template: template.name,
      countsFor: this.offeredAs(template.name, workspace),
      kind,
      owner,
      memoryBytes: template.spec.memoryBytes,
      spec,
      network,
      joined: this.networks.get(network),
      status: 'created',
      startedAt: undefined,
      finishedAt: undefined,
      exitCode: undefined,
      ghost: false,
    }
    this.containers.set(container.generation, container)
    if (owner !== undefined) this.homes.set(owner.name, owner.subject)
    return { type: 'container-created', workspace, container: asSeen(container) }
  }

  #start(order: Extract<Order, { type: 'start-container' }>, isGhost: boolean): Event | undefined {
    const world = this.#world
    const { workspace, generation } = order
    const container = this.containers.get(generation)
    if (container === undefined || !this.networks.has(order.network))
      return {
        type: 'step-failed',
        workspace,
        step: 'start',
        failure: hardFailure,
        retry: false,
      }
    container.network = order.network
    container.joined = this.networks.get(order.network)
    if (container.status === 'created' || container.status === 'exited') {
      container.status = 'running'
      container.startedAt = world.now
      container.exitCode = undefined
      container.ghost = isGhost
      if (this.faults.get(workspace) === 'exits')
        world.later(world.between(0, 100), () => this.ends(container, 1))
    }
    return { type: 'container-started', workspace, generation, address: addressOf(container) }
  }

  /** Changes the status from `from` to `to`. A container that has the status `to` stays as it is. */
  #turn(
    order: Extract<Order, { type: 'freeze-container' | 'thaw-container' }>,
    incarnation: number,
    from: 'running' | 'paused',
    to: 'running' | 'paused',
    type: 'container-frozen' | 'container-thawed',
  ): Event {
    const { workspace, generation } = order
    const container = this.containers.get(generation)
    if (container?.status === from) {
      container.status = to
      container.frozenIn = incarnation
    }
    if (container?.status === to) return { type, workspace, generation }
    const step = type === 'container-frozen' ? 'freeze' : 'thaw'
    return { type: 'step-failed', workspace, step, failure: hardFailure, retry: false }
  }

  #rename(order: Extract<Order, { type: 'rename-container' }>): Event {
    const { workspace, generation } = order
    const container = this.containers.get(generation)
    const isTaken = [...this.containers.values()].some(
      (other) => other !== container && other.name === workspace,
    )
    if (container === undefined || isTaken || this.foreignNames.has(workspace))
      return {
        type: 'step-failed',
        workspace,
        step: 'rename',
        failure: isTaken ? { code: 'name_taken', detail: 'the name is taken' } : hardFailure,
        retry: false,
      }
    container.name = workspace
    return { type: 'container-renamed', workspace, generation }
  }

  // events that no step caused

  ends(container: WorldContainer, exitCode: number): void {
    if (container.status !== 'running' && container.status !== 'paused') return
    container.status = 'exited'
    container.exitCode = exitCode
    container.finishedAt = this.#world.now
    container.ghost = false
    const { generation } = container
    this.#tells({ type: 'container-died', generation, exitCode })
  }

  destroy(container: WorldContainer): void {
    this.ends(container, 137)
    this.containers.delete(container.generation)
    this.#tells({ type: 'container-destroyed', generation: container.generation })
  }

  freezeByHand(container: WorldContainer): void {
    if (container.status !== 'running') return
    container.status = 'paused'
    container.frozenIn = 0
  }

  removeNetwork(index: NetworkIndex): void {
    this.networks.delete(index)
    for (const director of this.#world.directors.values())
      for (const [name, lease] of director.leases)
        if (lease.network === index) director.leases.delete(name)
  }

  restart(): void {
    for (const container of this.containers.values()) this.ends(container, 137)
    this.goAway()
  }

  goAway(): void {
    this.up = false
    this.#world.hears({ type: 'engine-lost', detail: 'connection refused' })
    this.#world.later(this.#world.between(100, 9_000), () => (this.up = true))
  }

  /** The templates have changed: one that was renamed takes its containers over. */
  takeOverRenamed(): void {
    // A standby that was claimed has the name of its owner's workspace.
    const names = new Map<Generation | undefined, WorkspaceName>()
    const { state, recorded } = this.#world
    for (const { generation, name } of recorded.workspaces) names.set(generation, name)
    for (const { container, name } of state.workspaces.values())
      names.set(container?.generation, name)
    for (const container of this.containers.values()) {
      const name = names.get(container.generation) ?? container.workspace
      container.countsFor = this.offeredAs(container.countsFor, name)
    }
  }

  /** The name under which a template is offered that may have been renamed: that of its prefix. */
  offeredAs(name: string, workspace: WorkspaceName): string {
    const { templates } = this.#world.config
    if (templates.has(name)) return name
    const renamed = [...templates.values()].find(({ prefix }) => workspace.startsWith(`${prefix}-`))
    return renamed?.name ?? name
  }

  recover(): void {
    this.up = true
    this.faults.clear()
    this.computing.clear()
  }

  forgetDirector(id: DirectorId): void {
    for (const attached of this.networks.values()) attached.delete(id)
  }

  #tells(event: Event): void {
    const world = this.#world
    const { incarnation } = world
    if (!this.up || world.chance(world.trouble * 0.3)) return
    world.later(world.between(0, 80), () => {
      if (world.incarnation === incarnation) world.hears(event)
    })
  }

  // an inventory takes time, and reads containers and networks at different moments

  look(): void {
    const world = this.#world
    const { incarnation, now: startedAt } = world
    const slow = world.chance(world.trouble) ? 3_000 : 60
    let containers: Inventory['containers'] = []
    world.later(world.between(0, slow), () => {
      containers = this.#seenContainers()
    })
    world.later(slow + world.between(0, slow), () => {
      const inventory = { startedAt, containers, ...this.#seenRest() }
      world.later(world.between(0, slow), () => {
        if (world.incarnation !== incarnation) return
        if (this.up) world.hears({ type: 'inventory-taken', inventory })
        else world.hears({ type: 'engine-lost', detail: 'connection refused' })
      })
    })
  }

  #seenContainers(): Inventory['containers'] {
    return [...this.containers.values()].map((container) => ({
      workspace: container.workspace,
      template: container.template,
      kind: container.kind,
      owner: container.owner,
      network: container.network,
      container: asSeen(container),
      ...(container.finishedAt === undefined
        ? {}
        : { finishedAgoMs: this.#world.now - container.finishedAt }),
    }))
  }

  #seenRest(): Omit<Inventory, 'startedAt' | 'containers'> {
    return {
      networks: [...this.networks].map(([index, attached]) => ({
        index,
        egress: 'internet',
        attached: [...attached],
      })),
      foreignIndexes: [...this.foreignNetworks],
      foreignNames: [...this.foreignNames],
      images: new Map(),
      subjects: new Map(this.homes),
      directors: [...this.#world.directors.keys()],
    }
  }
}

const addressOf = ({ network }: WorldContainer) =>
  `10.213.${network >> 4}.${(network & 15) * 16 + 2}`

/** A paused container counts as up, because it keeps its address. */
const isUp = ({ status }: WorldContainer) => status === 'running' || status === 'paused'

function asSeen(container: WorldContainer): Container {
  return {
    generation: container.generation,
    spec: container.spec,
    memoryBytes: container.memoryBytes,
    status: container.status,
    ...(container.exitCode === undefined ? {} : { exitCode: container.exitCode }),
    ...(container.startedAt === undefined ? {} : { startedAt: container.startedAt }),
    ...(container.name === container.workspace ? {} : { name: container.name }),
    ...(isUp(container) ? { address: addressOf(container) } : {}),
  }
}

const isOn = ({ joined }: WorldContainer, network: ReadonlySet<DirectorId> | undefined) =>
  joined !== undefined && joined === network

/** Whether the state keeps or starts this container. A container that is about to be removed does not count. */
function isPlanned(world: WorldFacts, generation: Generation): boolean {
  for (const { container, phase } of world.state.workspaces.values())
    if (container?.generation === generation)
      return phase === 'starting' || (phase !== 'stopping' && container.status !== 'created')
  return false
}
