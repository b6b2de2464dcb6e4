// For the model test: what must hold after each decision, and what must hold once the world has been calm for a while.
import type { WorkspaceName } from '@berth/shared/names'
import { decide } from '../decide.ts'
import { inOrder } from '../queue/order.ts'
import { isGroupFull, ownLimitOf } from '../queue/limits.ts'
import { peopleOf, tallyOf } from '../state/tally.ts'
import type { Decision, Generation, SeatReply, State, Step, Workspace } from '../domain.ts'
import {
  checkGuests,
  checkMemory,
  checkOwnLimits,
  checkRunning,
  placed,
  starting,
} from './limit-invariants.ts'
import { broken, type WorldFacts } from './world-facts.ts'

export function checkDecision(world: WorldFacts, before: State, decision: Decision): void {
  checkTimer(world, decision)
  checkAdmissions(world, before, decision.state)
  checkQueue(world, decision.state)
  checkTally(world, decision.state)
  checkSeats(world, decision.state)
  checkNetworks(world, decision.state)
  checkMemory(world, decision.state)
  checkGuests(world, before, decision.state)
  checkRunning(world)
  for (const step of decision.steps) checkStep(world, decision.state, step)
  if (isSeatReply(decision.reply)) checkGrant(world, decision.state, decision.reply)
}

/** A second decision at the same moment orders nothing, and a timer is never set for the past. */
function checkTimer(world: WorldFacts, { state, nextDeadlineAt }: Decision): void {
  if (nextDeadlineAt !== undefined && nextDeadlineAt <= world.now)
    broken(world, 'a timer is set for the past')
  const whole = { ...state, dueAt: Number.NEGATIVE_INFINITY }
  const again = decide(whole, { type: 'tick' }, world.now)
  if (again.steps.length > 0)
    broken(
      world,
      `a second decision at the same moment ordered more steps: ${again.steps.map((step) => step.type).join(', ')}`,
    )
}

function checkAdmissions(world: WorldFacts, before: State, after: State): void {
  const admitted: Workspace[] = []
  const waiting: Workspace[] = []
  let places = 0
  let starts = 0
  for (const workspace of after.workspaces.values()) {
    if (placed.has(workspace.phase)) places++
    if (starting.has(workspace.phase) && workspace.servesSince === undefined) starts++
    if (workspace.phase === 'queued') waiting.push(workspace)
    const former = before.workspaces.get(workspace.name)
    if (starting.has(workspace.phase) && former?.requestedAt !== workspace.requestedAt) {
      if (workspace.milestones.length > 0 && isNewStart(workspace)) admitted.push(workspace)
    } else if (starting.has(workspace.phase) && former?.phase === 'queued') admitted.push(workspace)
  }
  checkHouseRules(world, before, after)
  if (admitted.length === 0) return
  if (after.config.house?.maintenance !== undefined)
    broken(world, `${admitted[0]?.name} was admitted during maintenance`)
  const { maxWorkspaces, maxStarting } = world.config.limits
  if (maxWorkspaces > 0 && places > maxWorkspaces)
    broken(world, 'more workspaces hold a place than allowed')
  if (maxStarting > 0 && starts > maxStarting)
    broken(world, 'more workspaces are starting than allowed')
  for (const workspace of admitted) checkOwnLimits(world, after, workspace)
  for (const first of waiting)
    for (const second of admitted)
      if (first.ticket < second.ticket && !mayBePassed(world, after, first, second))
        broken(world, `${second.name} overtook ${first.name}`)
}

/** Nobody waits for a start that the house rules refuse, unless they waited before, or their workspace is being replaced. */
function checkHouseRules(world: WorldFacts, before: State, after: State): void {
  const { closed, maintenance } = after.config.house ?? {}
  for (const { name, phase, template } of after.workspaces.values()) {
    const was = before.workspaces.get(name)?.phase
    if (phase !== 'queued' || (was !== undefined && was !== 'stopped' && was !== 'failed')) continue
    if (before.reconciledAt === undefined || name === world.restarting) continue
    if (maintenance !== undefined) broken(world, `${name} joined the queue during maintenance`)
    if (closed?.has(template) === true)
      broken(world, `${name} of a closed template joined the queue`)
  }
}

/** A workspace may be passed if a limit holds it back, if its people have another one, or if no network is free. */
function mayBePassed(world: WorldFacts, after: State, first: Workspace, second: Workspace) {
  const own = ownLimitOf(after, first)
  if (own === 'limit_memory' || own === 'limit_user') return true
  if (own !== undefined && isGroupFull(after, first)) return true
  if (peopleOf(first).length > 0 && haveAnother(after, first)) return true
  if (own !== undefined && first.template !== second.template) return true
  return lacksNetwork(world, after, first)
}

/** Each of its people has another workspace, of a template that was renamed, so other people come first. */
function haveAnother(after: State, workspace: Workspace): boolean {
  const { name, ticket } = workspace
  const people = peopleOf(workspace)
  return people.every((user) =>
    [...after.workspaces.values()].some(
      (other) =>
        other.name !== name &&
        peopleOf(other).includes(user) &&
        (placed.has(other.phase) || (other.phase === 'queued' && other.ticket < ticket)),
    ),
  )
}

const isNewStart = (workspace: Workspace) => workspace.milestones[0]?.phase === 'queued'

/** Apart from limits, the only reason in this world not to start the first workspace in the queue. */
function lacksNetwork(world: WorldFacts, state: State, workspace: Workspace): boolean {
  if (workspace.network !== undefined && state.networks.get(workspace.network)?.status === 'up')
    return false
  for (let index = 0; index < world.config.networkCount; index++) {
    const network = state.networks.get(index)
    if (network === undefined && !state.foreignIndexes.has(index)) {
      if ((state.restingIndexes.get(index) ?? 0) <= world.now) return false
    } else if (network?.status === 'up' && network.workspace === undefined)
      if (network.restsUntil <= world.now) return false
  }
  return true
}

function checkQueue(world: WorldFacts, state: State): void {
  const waiting = [...state.workspaces.values()].filter(({ phase }) => phase === 'queued')
  if (state.reconciledAt === undefined) return
  if (inOrder(state, waiting).join() !== state.queue.join())
    broken(world, 'the queue does not list the waiting workspaces in queue order')
  if (new Set(waiting.map(({ ticket }) => ticket)).size !== waiting.length)
    broken(world, 'two waiting workspaces have the same ticket')
  const { maxQueue } = world.config.limits
  const sent = waiting.filter(({ milestones }) => milestones.length === 1)
  if (maxQueue > 0 && sent.length > maxQueue + placesOf(world))
    broken(world, 'the queue is longer than allowed')
}

/** A person whose workspace is stopped, or lost its container, may join a full queue too. */
const placesOf = (world: WorldFacts) => world.config.limits.maxWorkspaces || world.options.people

function checkNetworks(world: WorldFacts, state: State): void {
  const holders = new Map<number, string>()
  for (const { name, network } of state.workspaces.values()) {
    if (network === undefined) continue
    const other = holders.get(network)
    const isReal = state.networks.get(network)?.workspace === name
    if (other !== undefined && isReal) broken(world, `${name} and ${other} have the same network`)
    if (isReal) holders.set(network, name)
  }
}

/** The tally, which is updated with each change, equals a new count of all workspaces. */
function checkTally(world: WorldFacts, state: State): void {
  const { byTemplate, byPerson, ...counted } = tallyOf(state.workspaces.values())
  for (const what of ['places', 'starting', 'memoryBytes', 'yielding', 'leaving'] as const)
    if (counted[what] !== state.tally[what])
      broken(world, `the tally has a wrong value for ${what}`)
  if (byPerson.size !== state.tally.byPerson.size)
    broken(world, 'the tally has a wrong number of people')
  for (const [user, names] of byPerson)
    if ([...(state.tally.byPerson.get(user) ?? [])].sort().join() !== [...names].sort().join())
      broken(world, `the tally lists wrong workspaces for ${user}`)
  for (const [template, { places, names }] of byTemplate) {
    const noted = state.tally.byTemplate.get(template)
    if (noted?.places !== places || noted.names.size !== names.size)
      broken(world, `the tally has a wrong number of workspaces for ${template}`)
  }
}

/** No person has two seats, no workspace has more people than seats, and directors let no more people in than that. */
function checkSeats(world: WorldFacts, state: State): void {
  const seated = new Set<string>()
  for (const workspace of state.workspaces.values()) {
    const { name, kind, template, seats } = workspace
    if (kind !== 'shared') continue
    const policy = state.config.templates.get(template)?.policy
    const most = policy === undefined || policy.seats <= 1 ? Infinity : policy.seats
    if (seats.length > most) broken(world, `${name} has more people than seats`)
    if ((policy?.seatsTotal ?? 0) > 0 && workspace.container !== undefined)
      if (workspace.served > (policy?.seatsTotal ?? 0))
        broken(world, `${name} served more people than its seats in total`)
    for (const { person } of seats) {
      if (seated.has(`${template} ${person.name}`)) broken(world, `${person.name} has two seats`)
      seated.add(`${template} ${person.name}`)
    }
    const inside = new Set<string>()
    for (const lease of world.leases())
      if (lease.generation === workspace.container?.generation) inside.add(lease.user.name)
    if (inside.size > most)
      broken(world, `directors let more people into ${name} than it has seats`)
  }
}

function checkStep(world: WorldFacts, state: State, step: Step): void {
  switch (step.type) {
    case 'create-container':
      if (state.foreignNames.has(step.workspace))
        broken(world, 'a container is created under a foreign name')
      if (state.networks.get(step.network)?.workspace !== step.workspace)
        broken(world, 'a container is created on a network that is not its own')
      return
    case 'start-container':
      return checkAddress(world, step.workspace, step.network)
    case 'freeze-container':
    case 'stop-container':
    case 'remove-container':
      return checkLeases(world, state, step)
    case 'remove-network':
      return checkAddress(world, undefined, step.index)
    case 'create-network':
      if (state.foreignIndexes.has(step.index))
        broken(world, 'a network is created under the number of a foreign network')
      return
    case 'pull-image':
    case 'attach-director':
    case 'thaw-container':
    case 'rename-container':
    case 'measure-cpu':
    case 'check-activity':
    case 'probe':
    case 'introduce':
    case 'revoke':
    case 'announce':
    case 'announce-home':
    case 'remove-home':
  }
}

/** No workspace gets an address at which a director may still reach another workspace. */
function checkAddress(world: WorldFacts, workspace: string | undefined, network: number): void {
  for (const lease of world.leases())
    if (lease.network === network && lease.workspace !== workspace)
      broken(world, `a director holds a lease of ${lease.workspace} on network ${network}`)
}

function checkLeases(
  world: WorldFacts,
  state: State,
  step: Extract<Step, { generation: Generation; workspace: WorkspaceName }>,
): void {
  const container = world.engine.containers.get(step.generation)
  // A standby keeps the name it was made with, until it is renamed for its owner.
  const isOther = container?.name !== step.workspace && container?.kind !== 'standby'
  // A container that was made late, for a person who has another one now, is removed as a standby.
  const isSurplus =
    container?.status === 'created' && state.workspaces.get(step.workspace)?.kind === 'standby'
  if (container !== undefined && isOther && !isSurplus)
    broken(world, `${step.type} is for a container of ${container.name}`)
  if (container?.status !== 'running' && container?.status !== 'paused') return
  if (step.type === 'remove-container' && !container.ghost)
    broken(world, `${step.workspace} is removed while its container runs`)
  if (step.type !== 'freeze-container' && world.ended.has(step.generation)) return
  const reason = state.workspaces.get(step.workspace)?.stopReason
  if (reason === 'lifetime' || reason === 'failed' || reason === 'cancelled') return
  for (const lease of world.leases())
    if (lease.generation === step.generation)
      broken(world, `${step.type} of ${step.workspace} (${reason}) under a lease`)
}

function isSeatReply(reply: Decision['reply']): reply is SeatReply {
  return typeof reply === 'object' && 'status' in reply
}

function checkGrant(world: WorldFacts, state: State, reply: SeatReply): void {
  if (reply.status !== 'granted') return
  const workspace = state.workspaces.get(reply.workspace)
  if (workspace?.phase !== 'ready')
    broken(world, 'a seat was granted in a workspace that is not ready')
  // A workspace that is being renamed can be reached under its address.
  if (workspace.pending !== undefined && workspace.pending.step !== 'rename')
    broken(world, 'a seat was granted in a workspace with a pending step')
  checkOwner(world, workspace, reply.generation)
  const container = world.engine.containers.get(reply.generation)
  if (container?.status === 'paused' && container.frozenIn === world.incarnation)
    broken(world, 'a seat was granted in a frozen workspace')
  if (workspace.leasedUntil < world.now + world.config.lease.leaseMs + world.config.lease.marginMs)
    broken(world, 'a lease was granted and the state does not have it')
}

/** The first person who was let into a private workspace is the only person who ever is. */
function checkOwner(world: WorldFacts, { owner }: Workspace, generation: Generation): void {
  if (owner === undefined) return
  const first = world.owners.get(generation) ?? owner
  if (first.name !== owner.name || first.subject !== owner.subject)
    broken(world, `${owner.name} was let into a container of ${first.name}`)
  world.owners.set(generation, owner)
}

/** After a calm time, the engine holds exactly what the state has, and each person who stayed is served. */
export function checkCalm(world: WorldFacts): void {
  const { state, engine } = world
  for (const name of world.waiting.keys()) broken(world, `${name} waits and is not served`)
  const planned = new Set([...state.workspaces.values()].map((it) => it.container?.generation))
  for (const container of engine.containers.values())
    if (!planned.has(container.generation))
      broken(world, `container ${container.generation} of ${container.name} is not in the state`)
  for (const { name, container } of state.workspaces.values())
    if (container !== undefined && !engine.containers.has(container.generation))
      broken(world, `the container of ${name} is only in the state`)
  for (const index of engine.networks.keys())
    if (!state.networks.has(index)) broken(world, `network ${index} is not in the state`)
  let spares = 0
  for (const network of state.networks.values()) {
    if (!engine.networks.has(network.index))
      broken(world, `network ${network.index} is only in the state`)
    if (network.workspace === undefined) spares++
    for (const director of world.directors.keys())
      if (!network.attached.includes(director))
        broken(world, `${director} is not attached to network ${network.index}`)
  }
  if (spares > world.config.spareNetworks)
    broken(world, `${spares} networks are spare, more than configured`)
  for (const director of world.directors.values())
    if (!director.introduced) broken(world, `${director.id} was not introduced`)
}
