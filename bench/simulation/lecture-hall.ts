// People arrive at an even rate and stay. The policy is the real one; the engine is a model whose times were measured.
import type { Step } from '../../spawner/src/policy/domain.ts'
import { begun, nameOf, type Scenario } from '../../spawner/src/policy/testing/scenario.ts'
import { scaleLinear } from 'd3-scale'
import { testTemplate } from '../../spawner/src/templates/testing/test-template.ts'
import { quantile } from '../report/case.ts'

export interface Arrivals {
  readonly people: number
  readonly withinMs: number
}

export interface Hall extends Arrivals {
  readonly standby: number
  /** MAX_STARTING. */
  readonly starting?: number
}

export interface Waits {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly mostMs: number
  readonly peakMemoryGiB: number
}

/**
 * What each step takes: how long the engine is busy with it alone, and how long it lasts besides. As measured: ten
 * containers that are started at once on two cores take 107 ms each, one alone 230 ms. What has to do with networks takes
 * longer the more of them there are.
 */
const engine: Partial<
  Record<Step['type'], (networks: number) => { readonly busyMs: number; readonly lastsMs: number }>
> = {
  'create-network': (networks) => ({ busyMs: between(createMs, networks), lastsMs: 0 }),
  'attach-director': (networks) => ({ busyMs: between(attachMs, networks), lastsMs: 0 }),
  'create-container': () => ({ busyMs: 15, lastsMs: 10 }),
  'start-container': () => ({ busyMs: 107, lastsMs: 120 }),
  'rename-container': () => ({ busyMs: 5, lastsMs: 8 }),
}
/** By the number of networks, with one director on all of them. */
const createMs = [
  [0, 81],
  [50, 166],
  [100, 213],
  [200, 231],
  [300, 297],
] as const
const attachMs = [
  [0, 50],
  [50, 57],
  [100, 87],
  [200, 185],
  [300, 375],
] as const

const between = (measured: readonly (readonly [number, number])[], networks: number): number =>
  scaleLinear(
    measured.map(([count]) => count),
    measured.map(([, ms]) => ms),
  )(networks)

/** From its start until the application answers. */
const applicationMs = 1_000
const memoryGiB = 0.5

/** A queue of what happens, by its time. */
class Agenda {
  readonly #due: { readonly at: number; readonly run: () => void }[] = []

  add(at: number, run: () => void): void {
    let place = this.#due.length
    while (place > 0 && (this.#due[place - 1]?.at ?? 0) < at) place -= 1
    this.#due.splice(place, 0, { at, run })
  }

  next(): { readonly at: number; readonly run: () => void } | undefined {
    return this.#due.pop()
  }
}

/** The standbys are ready when the first person comes. */
export function simulate({ people, withinMs, standby, starting = 8 }: Hall): Waits {
  // Standbys are for templates without a home.
  const template = testTemplate('lab', {
    spec: { memoryBytes: memoryGiB * 1024 ** 3 },
    policy: { idleStopMs: 1e9, idleRemoveMs: 1e9, standby },
  })
  const story = begun({
    limits: { maxStarting: starting },
    config: {
      templates: new Map([[template.name, template]]),
      networkCount: people + standby + 64,
      presenceMs: 1e9,
      spareNetworks: 8,
    },
  })
  const agenda = new Agenda()
  const hall = new Progress(story, agenda)
  hall.settle()
  hall.until(story.now + 600_000)
  const began = story.now
  for (let index = 0; index < people; index += 1)
    agenda.add(began + (index * withinMs) / people, () => hall.arrives(`p${index}`))
  hall.until(began + withinMs + 3_600_000)
  const waits = hall.waits
  if (waits.length !== people) throw new Error(`${people - waits.length} people got no workspace`)
  return {
    p50Ms: quantile(waits, 0.5),
    p95Ms: quantile(waits, 0.95),
    mostMs: Math.max(...waits),
    peakMemoryGiB: hall.peak * memoryGiB,
  }
}

class Progress {
  readonly waits: number[] = []
  peak = 0
  readonly #story: Scenario
  readonly #agenda: Agenda
  readonly #waiting = new Map<string, { readonly who: string; readonly since: number }>()
  #announced = 0
  #engineFreeAt = 0

  constructor(story: Scenario, agenda: Agenda) {
    this.#story = story
    this.#agenda = agenda
  }

  arrives(who: string): void {
    this.#waiting.set(nameOf(who), { who, since: this.#story.now })
    this.#asks(who)
    this.settle()
  }

  /** Everything that is due until then happens, the timers of the policy among it. */
  until(end: number): void {
    for (let next = this.#agenda.next(); next !== undefined; next = this.#agenda.next()) {
      if (next.at > end) {
        this.#agenda.add(next.at, next.run)
        break
      }
      this.#passTo(next.at)
      next.run()
      this.settle()
    }
    this.#passTo(end)
    this.settle()
  }

  #passTo(at: number): void {
    const { nextDeadlineAt, now } = this.#story
    if (nextDeadlineAt !== undefined && nextDeadlineAt <= at) this.#story.passes(at - now)
    else this.#story.now = Math.max(now, at)
  }

  /** Puts the ordered steps on the agenda, and lets those in whose workspaces have become ready. */
  settle(): void {
    for (const step of this.#story.orders.splice(0)) this.#plan(step)
    const { announced } = this.#story
    for (; this.#announced < announced.length; this.#announced += 1) {
      const { workspace, phase } = announced[this.#announced] ?? {}
      const waiting = phase === 'ready' ? this.#waiting.get(workspace ?? '') : undefined
      if (waiting !== undefined) this.#asks(waiting.who)
    }
    this.peak = Math.max(this.peak, this.#story.state.workspaces.size)
  }

  #asks(who: string): void {
    const name = nameOf(who)
    const waiting = this.#waiting.get(name)
    if (waiting === undefined || this.#story.asks(who).status !== 'granted') return
    this.#waiting.delete(name)
    this.waits.push(this.#story.now - waiting.since)
  }

  #plan(step: Step): void {
    const { now } = this.#story
    const cost = engine[step.type]?.(this.#story.state.networks.size)
    if (step.type === 'probe') {
      this.#agenda.add(now + applicationMs, () => this.#story.carriesOut(step))
      return
    }
    if (cost === undefined) {
      this.#agenda.add(now, () => this.#story.carriesOut(step))
      return
    }
    this.#engineFreeAt = Math.max(this.#engineFreeAt, now) + cost.busyMs
    this.#agenda.add(this.#engineFreeAt + cost.lastsMs, () => this.#story.carriesOut(step))
  }
}
