// Records all events of an engine from now on, in order, so that a limit can be asserted for every moment.
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { DeadlineError } from '../run/deadline.ts'
import type { Engine } from './engine.ts'

export interface EngineEvent {
  readonly type: 'container' | 'network' | 'volume' | 'image'
  /** `create`, `start`, `die`, `destroy`, `connect`, `pull`, `exec_start: …`. */
  readonly action: string
  readonly id: string
  /** A container's or network's name. */
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  /** Milliseconds since the epoch, by the engine's clock. */
  readonly at: number
}

export interface EngineHistory extends AsyncDisposable {
  readonly events: readonly EngineEvent[]
  /** The first event that matches, past or future. */
  first(
    what: string,
    withinMs: number,
    matches: (event: EngineEvent) => boolean,
  ): Promise<EngineEvent>
}

interface Line {
  readonly Type: EngineEvent['type']
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes?: Record<string, string> }
  readonly timeNano: number
}

export async function watchEngine(engine: Engine): Promise<EngineHistory> {
  const ended = new AbortController()
  const events: EngineEvent[] = []
  const waiting = new Set<() => void>()
  // The engine answers before its subscription is active. The parameter `since` includes the events in between.
  const since = (Date.now() / 1_000).toFixed(3)
  const stream = await engine.stream('/events', { since }, ended.signal)
  stream.on('error', () => stream.destroy())
  const lines = createInterface({ input: stream })
  lines.on('line', (line) => {
    events.push(eventOf(JSON.parse(line) as Line))
    for (const look of waiting) look()
  })

  return {
    events,
    first(what, withinMs, matches) {
      const found = Promise.withResolvers<EngineEvent>()
      const late = (): void => found.reject(new DeadlineError(what, withinMs))
      const timer = setTimeout(late, withinMs)
      const look = (): void => {
        const event = events.find(matches)
        if (event !== undefined) found.resolve(event)
      }
      waiting.add(look)
      look()
      return found.promise.finally(() => {
        clearTimeout(timer)
        waiting.delete(look)
      })
    },
    async [Symbol.asyncDispose]() {
      ended.abort()
      lines.close()
    },
  }
}

function eventOf({ Type, Action, Actor, timeNano }: Line): EngineEvent {
  const attributes = Actor.Attributes ?? {}
  return {
    type: Type,
    action: Action,
    id: Actor.ID,
    name: attributes['name'] ?? '',
    attributes,
    at: timeNano / 1e6,
  }
}

/** A period of time, such as the life of a container. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** The largest number that overlap at any moment. A period that ends when another begins does not overlap it. */
export function mostAtOnce(spans: readonly Span[]): number {
  const changes = spans.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ])
  changes.sort((one, other) => one.at - other.at || one.by - other.by)
  let now = 0
  let most = 0
  for (const { by } of changes) {
    now += by
    most = Math.max(most, now)
  }
  return most
}

/**
 * Those who start at once may be made in any order among themselves, the engine willing: of those who asked before
 * somebody, only the others that may be starting just then are not made yet.
 *
 * @param asked the names of workspaces in the order of asking
 */
export function assertMadeInOrder(
  events: readonly EngineEvent[],
  asked: readonly string[],
  startingAtOnce: number,
): void {
  const created = events.filter(({ action }) => action === 'create').map(({ name }) => name)
  const made = new Set<string>()
  for (const name of created) {
    const earlier = asked.slice(0, Math.max(0, asked.indexOf(name)))
    const passed = earlier.filter((other) => !made.has(other))
    assert.ok(passed.length < startingAtOnce, `${name} was made before ${passed.join(', ')}`)
    made.add(name)
  }
}

/** An event of a workspace of this deployment: other deployments may use the same engine. */
export function isOfWorkspace(berth: {
  readonly instance: string
}): (event: EngineEvent) => boolean {
  return ({ type, attributes }) =>
    type === 'container' &&
    attributes['berth.instance'] === berth.instance &&
    attributes['berth.workspace'] !== undefined
}
