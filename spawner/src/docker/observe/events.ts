// The engine's events about our containers, translated for the loop, until the stream ends.
import type { Readable } from 'node:stream'
import type { Clock } from '@berth/shared/clock'
import { labels } from '@berth/shared/labels'
import { z } from 'zod'
import type { EngineEvent } from '../../loop/engine.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { readLines } from '../client/lines.ts'
import { healthOf } from '../containers/container-state.ts'

const eventSchema = z.object({
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
})

export interface EventDeps extends EngineClient {
  readonly clock: Clock
  readonly instance: string
}

/** @param onOpen called when no event can be missed any more */
export async function* engineEvents(
  deps: EventDeps,
  onOpen: () => void,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent> {
  const { docker, call, instance } = deps
  const filters = {
    type: ['container' as const],
    label: [`${labels.instance}=${instance}`],
    event: ['die', 'oom', 'destroy', 'health_status'],
  }
  // The engine answers a moment before it subscribes. `since` covers the events of that moment.
  const since = Math.floor(deps.clock.wall()) / 1_000
  const stream = (await call('events', { signal }, () =>
    docker.getEvents({ filters, since, abortSignal: signal }),
  )) as Readable
  try {
    onOpen()
    for await (const line of readLines(stream)) {
      const event = translate(line)
      if (event !== undefined) yield event
    }
  } finally {
    stream.destroy()
  }
}

/** @returns `undefined` for an event that is not about a workspace's container */
export function translate(line: string): EngineEvent | undefined {
  const { data: event } = eventSchema.safeParse(parseJson(line))
  if (event?.Actor.Attributes[labels.workspace] === undefined) return undefined
  const generation = event.Actor.ID
  const [action = '', detail] = event.Action.split(': ')
  switch (action) {
    case 'die': {
      const exitCode = Number(event.Actor.Attributes['exitCode'] ?? 0)
      return { type: 'container-died', generation, exitCode }
    }
    case 'oom':
      return { type: 'container-out-of-memory', generation }
    case 'destroy':
      return { type: 'container-destroyed', generation }
    case 'health_status': {
      const health = healthOf(detail)
      return health === undefined ? undefined : { type: 'container-health', generation, health }
    }
    default:
      return undefined
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
