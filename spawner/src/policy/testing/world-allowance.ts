// For the model test: how far the world may exceed a limit. When a limit is lowered below the present use, no workspace
// is ended for it: the use may stay, but must not grow.
import type { PolicyConfig, State } from '../domain.ts'
import { holdsPlace } from '../state/phases.ts'
import type { Allowed, EngineFacts, WorldContainer } from './world-facts.ts'

interface Held {
  readonly places: number
  readonly memory: number
  readonly ofTemplate: ReadonlyMap<string, number>
}

export class Allowance implements Allowed {
  #allowed: Held = { places: 0, memory: 0, ofTemplate: new Map() }

  /** Called when the limits change: the present use may stay. */
  renew(state: State, engine: EngineFacts): void {
    const held = heldBy(state, engine)
    const before = this.#allowed
    // Before the first inventory the state does not know what runs.
    this.#allowed = state.reconciledAt === undefined ? most(held, before) : held
  }

  /** Lowers the allowance as workspaces end. */
  shrink(state: State, engine: EngineFacts): void {
    if (state.reconciledAt !== undefined)
      this.#allowed = least(this.#allowed, heldBy(state, engine))
  }

  places({ limits }: PolicyConfig): number {
    return limits.maxWorkspaces === 0
      ? Infinity
      : Math.max(limits.maxWorkspaces, this.#allowed.places)
  }

  memory({ limits }: PolicyConfig): number {
    return limits.maxMemoryBytes === 0
      ? Infinity
      : Math.max(limits.maxMemoryBytes, this.#allowed.memory)
  }

  ofTemplate({ templates }: PolicyConfig, name: string): number {
    const limit = templates.get(name)?.policy.maxWorkspaces ?? 0
    return limit === 0 ? Infinity : Math.max(limit, this.#allowed.ofTemplate.get(name) ?? 0)
  }
}

/** The count of the state, or the count of the running containers if that is higher. */
function heldBy({ tally, workspaces }: State, engine: EngineFacts): Held {
  const running = runningOf(engine.containers.values())
  const ofTemplate = new Map<string, number>()
  for (const workspace of workspaces.values())
    if (holdsPlace(workspace))
      count(ofTemplate, engine.offeredAs(workspace.template, workspace.name))
  return most(running, { places: tally.places, memory: tally.memoryBytes, ofTemplate })
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}

export function runningOf(containers: Iterable<WorldContainer>): Held {
  const ofTemplate = new Map<string, number>()
  let places = 0
  let memory = 0
  for (const { status, countsFor, memoryBytes } of containers) {
    if (status !== 'running' && status !== 'paused') continue
    places++
    memory += memoryBytes
    count(ofTemplate, countsFor)
  }
  return { places, memory, ofTemplate }
}

function most(one: Held, other: Held): Held {
  return combined(one, other, Math.max)
}

function least(one: Held, other: Held): Held {
  return combined(one, other, Math.min)
}

function combined(one: Held, other: Held, pick: (a: number, b: number) => number): Held {
  const names = new Set([...one.ofTemplate.keys(), ...other.ofTemplate.keys()])
  return {
    places: pick(one.places, other.places),
    memory: pick(one.memory, other.memory),
    ofTemplate: new Map(
      [...names].map((name) => [
        name,
        pick(one.ofTemplate.get(name) ?? 0, other.ofTemplate.get(name) ?? 0),
      ]),
    ),
  }
}
