// For the model test: what must hold after each decision, and what must be true once all has been calm for a while.
import type { WorkspaceName } from '@berth/shared/names'
import { decide } from '../decide.ts'
import { inOrder } from '../queue/order.ts'
import { isGroupFull, ownLimitOf } from '../queue/limits.ts'
import { peopleOf, tallyOf } from '../state/tally.ts'
import type { Decision, Generation, SeatReply, State, Step, Workspace } from '../domain.ts'
import { checkMemory, checkOwnLimits, checkRunning, placed, starting } from './limit-invariants.ts'
import { broken, type WorldFacts } from './world-facts.ts'

export function checkDecision(world: WorldFacts, before: State, decision: Decision): void {
  checkTimer(world, decision)
  checkAdmissions(world, before, decision.state)
  checkQueue(world, decision.state)
  checkTally(world, decision.state)
  checkSeats(world, decision.state)
  checkNetworks(world, decision.state)
  checkMemory(world, decision.state)
  checkRunning(world)
  for (const step of decision.steps) checkStep(world, decision.state, step)
  if (isSeatReply(decision.reply)) checkGrant(world, decision.state, decision.reply)
}

/** Deciding again at the same moment orders nothing, and a timer is never for the past. */
function checkTimer(world: WorldFacts, { state, nextDeadlineAt }: Decision): void {
  if (nextDeadlineAt !== undefined && nextDeadlineAt <= world.now)
    broken(world, 'a timer is set for the past')
  const whole = { ...state, dueAt: Number.NEGATIVE_INFINITY }
  const again = decide(whole, { type: 'tick' }, world.now)
  if (again.steps.length > 0)
    broken(world, `the same was ordered twice: ${again.steps.map((step) => step.type).join(', ')}`)
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
  if (admitted.length === 0) return
  const { maxWorkspaces, maxStarting } = world.config.limits
  if (maxWorkspaces > 0 && places > maxWorkspaces) broken(world, 'more places than allowed')
  if (maxStarting > 0 && starts > maxStarting) broken(world, 'more starts than allowed')
  for (const workspace of admitted) checkOwnLimits(world, after, workspace)
  for (const first of waiting)
    for (const second of admitted)
      if (first.ticket < second.ticket && !mayBePassed(world, after, first, second))
        broken(world, `${second.name} overtook ${first.name}`)
}

/** One of another template, whose own has reached its limit, and one for whom there is no network. */
function mayBePassed(world: WorldFacts, after: State, first: Workspace, second: Workspace) {
  const own = ownLimitOf(after, first)
  if (own === 'limit_memory' || own === 'limit_user') return true
  if (own !== undefined && isGroupFull(after, first)) return true
  if (peopleOf(first).length > 0 && haveAnother(after, first)) return true
  if (own !== undefined && first.template !== second.template) return true
  return lacksNetwork(world, after, first)
}

/** Each of its people goes on with one of a template that had another name or prefix, so others come first. */
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

/** The one reason in this world not to start the first in the queue. */
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
    broken(world, 'the queue is not those who wait in the order that is fair')
  if (new Set(waiting.map(({ ticket }) => ticket)).size !== waiting.length)
    broken(world, 'two wait at the same place')
  const { maxQueue } = world.config.limits
  const sent = waiting.filter(({ milestones }) => milestones.length === 1)
  if (maxQueue > 0 && sent.length > maxQueue + placesOf(world))
    broken(world, 'the queue is too long')
}

/** Those who wait while theirs is stopped, or lost their container, join a full queue too. */
const placesOf = (world: WorldFacts) => world.config.limits.maxWorkspaces || world.options.people

function checkNetworks(world: WorldFacts, state: State): void {
  const holders = new Map<number, string>()
  for (const { name, network } of state.workspaces.values()) {
    if (network === undefined) continue
    const other = holders.get(network)
    const isReal = state.networks.get(network)?.workspace === name
    if (other !== undefined && isReal) broken(world, `${name} and ${other} have one network`)
    if (isReal) holders.set(network, name)
  }
}

/** What was counted as it changed is what there is. */
function checkTally(world: WorldFacts, state: State): void {
  const { byTemplate, byPerson, ...counted } = tallyOf(state.workspaces.values())
  for (const what of ['places', 'starting', 'memoryBytes', 'yielding', 'leaving'] as const)
    if (counted[what] !== state.tally[what]) broken(world, `${what} were counted wrongly`)
  if (byPerson.size !== state.tally.byPerson.size) broken(world, 'people were counted wrongly')
  for (const [user, names] of byPerson)
    if ([...(state.tally.byPerson.get(user) ?? [])].sort().join() !== [...names].sort().join())
      broken(world, `what ${user} has was noted wrongly`)
  for (const [template, { places, names }] of byTemplate) {
    const noted = state.tally.byTemplate.get(template)
    if (noted?.places !== places || noted.names.size !== names.size)
      broken(world, `workspaces of ${template} were counted wrongly`)
  }
}

/** Nobody sits in two places, none has more people than seats, and no director lets in more than that. */
function checkSeats(world: WorldFacts, state: State): void {
  const seated = new Set<string>()
  for (const workspace of state.workspaces.values()) {
    const { name, kind, template, seats } = workspace
    if (kind !== 'shared') continue
    const policy = state.config.templates.get(template)?.policy
    const most = policy === undefined || policy.seats <= 1 ? Infinity : policy.seats
    if (seats.length > most) broken(world, `${name} has more people than seats`)
    if ((policy?.seatsTotal ?? 0) > 0 && workspace.container !== undefined)
      if (workspace.served > (policy?.seatsTotal ?? 0)) broken(world, `${name} served too many`)
    for (const { person } of seats) {
      if (seated.has(`${template} ${person.name}`)) broken(world, `${person.name} has two seats`)
      seated.add(`${template} ${person.name}`)
    }
    const inside = new Set<string>()
    for (const lease of world.leases())
      if (lease.generation === workspace.container?.generation) inside.add(lease.user.name)
    if (inside.size > most) broken(world, `more people are let into ${name} than it has seats`)
  }
}

function checkStep(world: WorldFacts, state: State, step: Step): void {
  switch (step.type) {
    case 'create-container':
      if (state.foreignNames.has(step.workspace)) broken(world, 'a foreign name was used')
      if (state.networks.get(step.network)?.workspace !== step.workspace)
        broken(world, 'a container was to be made on a network that is not its own')
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
      if (state.foreignIndexes.has(step.index)) broken(world, 'a foreign network was touched')
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

/** Nobody gets an address by which a director may still reach somebody else's workspace. */
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
  // What stood by has the name it was made with, until it has its owner's.
  const isOther = container?.name !== step.workspace && container?.kind !== 'standby'
  // What was made late for somebody who has another by now goes as nobody's.
  const isSurplus =
    container?.status === 'created' && state.workspaces.get(step.workspace)?.kind === 'standby'
  if (container !== undefined && isOther && !isSurplus)
    broken(world, `${step.type} is for a container of ${container.name}`)
  if (container?.status !== 'running' && container?.status !== 'paused') return
  if (step.type === 'remove-container' && !container.ghost)
    broken(world, `${step.workspace} was to be removed while it runs`)
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
  if (workspace?.phase !== 'ready') broken(world, 'a seat was granted in what is not ready')
  // It can be reached under its address while its name follows.
  if (workspace.pending !== undefined && workspace.pending.step !== 'rename')
    broken(world, 'a seat was granted in what is being stopped')
  checkOwner(world, workspace, reply.generation)
  const container = world.engine.containers.get(reply.generation)
  if (container?.status === 'paused' && container.frozenIn === world.incarnation)
    broken(world, 'a seat was granted in what is frozen')
  if (workspace.leasedUntil < world.now + world.config.lease.leaseMs + world.config.lease.marginMs)
    broken(world, 'a lease was granted and not recorded')
}

/** Whoever was let into a private one is the only one who ever is. */
function checkOwner(world: WorldFacts, { owner }: Workspace, generation: Generation): void {
  if (owner === undefined) return
  const first = world.owners.get(generation) ?? owner
  if (first.name !== owner.name || first.subject !== owner.subject)
    broken(world, `${owner.name} was let into a container of ${first.name}`)
  world.owners.set(generation, owner)
}

/** After a calm time: the engine holds what is planned and nothing else, and nobody who stayed is unserved. */
export function checkCalm(world: WorldFacts): void {
  const { state, engine } = world
  for (const name of world.waiting.keys()) broken(world, `${name} waits and is not served`)
  const planned = new Set([...state.workspaces.values()].map((it) => it.container?.generation))
  for (const container of engine.containers.values())
    if (!planned.has(container.generation))
      broken(world, `container ${container.generation} of ${container.name} is in no plan`)
  for (const { name, container } of state.workspaces.values())
    if (container !== undefined && !engine.containers.has(container.generation))
      broken(world, `${name} has a container only in the plan`)
  for (const index of engine.networks.keys())
    if (!state.networks.has(index)) broken(world, `network ${index} is in no plan`)
  let spares = 0
  for (const network of state.networks.values()) {
    if (!engine.networks.has(network.index))
      broken(world, `network ${network.index} is only in the plan`)
    if (network.workspace === undefined) spares++
    for (const director of world.directors.keys())
      if (!network.attached.includes(director))
        broken(world, `${director} is not on network ${network.index}`)
  }
  if (spares > world.config.spareNetworks) broken(world, `${spares} networks stand idle`)
  for (const director of world.directors.values())
    if (!director.introduced) broken(world, `${director.id} was not introduced`)
}
