// For the model test: limits hold, for what the engine runs, for the memory of all that hold a place, and for each person.
import type { Phase } from '@berth/shared/contract'
import type { State, Workspace } from '../domain.ts'
import { runningOf } from './world-allowance.ts'
import { group } from './world-config.ts'
import { broken, type WorldFacts } from './world-facts.ts'

export const starting: ReadonlySet<Phase> = new Set(['pulling', 'creating', 'starting', 'probing'])
export const placed: ReadonlySet<Phase> = new Set([...starting, 'ready', 'frozen', 'stopping'])

/** Of a private one that was given a place: its owner and their group have no more than they may. */
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
    broken(world, `the group ${group} has more of ${template} than it may`)
}

/** The engine itself never runs more than allowed, whatever the state says. */
export function checkRunning(world: WorldFacts): void {
  const { config, engine, allowance } = world
  const containers = [...engine.containers.values()]
  if (containers.some(({ ghost }) => ghost)) return
  const { places, memory, ofTemplate } = runningOf(containers)
  if (places > allowance.places(config)) broken(world, 'more containers run than allowed')
  if (memory > allowance.memory(config)) broken(world, 'more memory is in use than allowed')
  for (const [template, taken] of ofTemplate)
    if (taken > allowance.ofTemplate(config, template))
      broken(world, `more of ${template} run than allowed`)
}

/** What the containers that hold a place were made with never comes to more than `MAX_MEMORY`, also before they run. */
export function checkMemory(world: WorldFacts, state: State): void {
  let memory = 0
  for (const { phase, container } of state.workspaces.values()) {
    if (!placed.has(phase) || container === undefined) continue
    const made = world.engine.containers.get(container.generation)
    // A call of a spawner that is dead started it, and no decision could know of that.
    if (made === undefined || made.ghost) continue
    // One that does not run and is removed: its place is for what comes after it.
    const isOver = phase === 'pulling' || phase === 'creating' || phase === 'stopping'
    if (!isOver || made.status === 'running' || made.status === 'paused') memory += made.memoryBytes
  }
  if (memory > world.allowance.memory(world.config))
    broken(world, `containers with ${memory} of memory hold places`)
  if (memory > state.tally.memoryBytes)
    broken(world, `${state.tally.memoryBytes} of memory was counted, where ${memory} is held`)
}
