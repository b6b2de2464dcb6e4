// For the model test: how far the world may exceed a limit. When a limit is lowered below the present use, no workspace
// is ended for it: the use may stay, but must not grow.
import type { PolicyConfig, State } from '../domain.ts'
import type { Allowed, WorldContainer } from './world-facts.ts'

interface Held {
  readonly places: number
  readonly memory: number
  readonly ofTemplate: ReadonlyMap<string, number>
}

export class Allowance implements Allowed {
  #allowed: Held = { places: 0, memory: 0, ofTemplate: new Map() }

  /** Called when the limits change: the present use may stay. */
  renew(state: State, containers: Iterable<WorldContainer>): void {
    const held = heldBy(state, containers)
    const before = this.#allowed
    // Before the first inventory the state does not know what runs.
    this.#allowed = state.reconciledAt === undefined ? most(held, before) : held
  }

  /** Lowers the allowance as workspaces end. */
  shrink(state: State, containers: Iterable<WorldContainer>): void {
    if (state.reconciledAt !== undefined)
      this.#allowed = least(this.#allowed, heldBy(state, containers))
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
function heldBy({ tally }: State, containers: Iterable<WorldContainer>): Held {
  const running = runningOf(containers)
  const counted = new Map([...tally.byTemplate].map(([name, { places }]) => [name, places]))
  return most(running, {
    places: tally.places,
    memory: tally.memoryBytes,
    ofTemplate: counted,
  })
}

export function runningOf(containers: Iterable<WorldContainer>): Held {
  const ofTemplate = new Map<string, number>()
  let places = 0
  let memory = 0
  for (const { status, template, memoryBytes } of containers) {
    if (status !== 'running' && status !== 'paused') continue
    places++
    memory += memoryBytes
    ofTemplate.set(template, (ofTemplate.get(template) ?? 0) + 1)
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
