// For the model test: the limits hold for running containers, for the memory of all places, and for each person.
import type { Phase } from '@berth/shared/contract'
import type { State, Workspace } from '../domain.ts'
import { presentGuests } from '../asked/guests.ts'
import { runningOf } from './world-allowance.ts'
import { group } from './world-config.ts'
import { broken, type WorldFacts } from './world-facts.ts'

export const starting: ReadonlySet<Phase> = new Set(['pulling', 'creating', 'starting', 'probing'])
export const placed: ReadonlySet<Phase> = new Set([...starting, 'ready', 'frozen', 'stopping'])

/** The owner of a private workspace that was given a place, and their group, have no more than they may. */
export function checkOwnLimits(
  world: WorldFacts,
  after: State,
  { kind, template, owner }: Workspace,
) {
  if (kind !== 'private' || owner === undefined) return
  const holding = [...after.workspaces.values()].filter(({ phase }) => placed.has(phase))
  const { maxWorkspacesPerUser } = world.config.limits
  const own = holding.filter((other) => other.owner?.name === owner.name).length
  if (maxWorkspacesPerUser > 0 && own > maxWorkspacesPerUser)
    broken(world, `${owner.name} has more workspaces than one person may have`)
  const maxOfGroup = world.config.templates.get(template)?.policy.maxWorkspacesByGroup[group] ?? 0
  const ofGroup = holding.filter(
    (other) => other.kind === 'private' && other.template === template,
  ).length
  if (maxOfGroup > 0 && ofGroup > maxOfGroup)
    broken(world, `the group ${group} has more workspaces of ${template} than it may have`)
}

/** As many as were there when the limit was set may stay. */
export function checkGuests(world: WorldFacts, before: State, after: State): void {
  const { maxGuests } = world.config.limits
  const [former, present] = [presentGuests(before).length, presentGuests(after).length]
  if (maxGuests > 0 && present > Math.max(maxGuests, former))
    broken(world, `${present} guests have a workspace, more than may`)
}

/** The engine never runs more containers than allowed, whatever the state says. */
export function checkRunning(world: WorldFacts): void {
  const { config, engine, allowance } = world
  const containers = [...engine.containers.values()]
  if (containers.some(({ ghost }) => ghost)) return
  const { places, memory, ofTemplate } = runningOf(containers)
  if (places > allowance.places(config)) broken(world, 'more containers run than allowed')
  if (memory > allowance.memory(config)) broken(world, 'more memory is in use than allowed')
  for (const [template, taken] of ofTemplate)
    if (taken > allowance.ofTemplate(config, template))
      broken(world, `more containers of ${template} run than allowed`)
}

/** The memory of all containers that hold a place never exceeds `MAX_MEMORY`, also before they run. */
export function checkMemory(world: WorldFacts, state: State): void {
  let memory = 0
  for (const { phase, container } of state.workspaces.values()) {
    if (!placed.has(phase) || container === undefined) continue
    const made = world.engine.containers.get(container.generation)
    // A call of a crashed spawner started the container, and no decision could know of that.
    if (made === undefined || made.ghost) continue
    // A container that does not run and is being removed: the place belongs to the container that replaces it.
    const isOver = phase === 'pulling' || phase === 'creating' || phase === 'stopping'
    if (!isOver || made.status === 'running' || made.status === 'paused') memory += made.memoryBytes
  }
  if (memory > world.allowance.memory(world.config))
    broken(world, `the containers that hold a place have ${memory} of memory, more than allowed`)
  if (memory > state.tally.memoryBytes)
    broken(
      world,
      `the tally has ${state.tally.memoryBytes} of memory, but the containers have ${memory}`,
    )
}
