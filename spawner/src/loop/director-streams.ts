// The open streams of commands, one for each director, and the commands that are sent on them.
import type { Command, Route } from '@berth/shared/contract'
import type { DirectorId, DirectorStep, Event } from '../policy/domain.ts'
import type { SetTimer } from '@berth/shared/timer'

export interface DirectorStreams extends Disposable {
  connect(director: DirectorId, send: (command: Command) => void): Disposable
  say(step: DirectorStep): void
  /** @returns how many directors get it */
  readonly sendToAll: (command: Command) => number
  /** The routes may have changed: every director that was introduced gets all of them again, if they did. At once,
   * unless they were sent a moment ago. */
  routesChanged(): void
}

interface Stream {
  readonly send: (command: Command) => void
  /** The routes that were sent last, as text; absent: the director was not introduced yet. */
  routes?: string
}

/** Each snapshot has all routes, and thousands of workspaces may have a route of their own: a director could not keep up
 * with a snapshot for each change. */
const snapshotEveryMs = 250

export function createDirectorStreams(deps: {
  /** All routes at present. */
  routes: () => readonly Route[]
  /** Groups that decide something beside the templates. */
  groups?: readonly string[]
  submit: (event: Event) => void
  setTimer: SetTimer
}): DirectorStreams {
  const { groups = [], submit, setTimer } = deps
  const streams = new Map<DirectorId, Stream>()
  /** Runs after each snapshot that a change led to. */
  let resting: Disposable | undefined
  let changedSince = false

  function sendRoutes(stream: Stream, routes: readonly Route[], text: string): void {
    stream.routes = text
    stream.send({ event: 'routes', data: groups.length === 0 ? { routes } : { routes, groups } })
  }

  function sendChanged(): void {
    const introduced = [...streams.values()].filter(({ routes }) => routes !== undefined)
    if (introduced.length === 0) return
    const routes = deps.routes()
    const text = JSON.stringify(routes)
    for (const stream of introduced) if (stream.routes !== text) sendRoutes(stream, routes, text)
  }

  function rested(): void {
    resting = undefined
    if (changedSince) routesChanged()
  }

  function routesChanged(): void {
    changedSince = resting !== undefined
    if (changedSince) return
    resting = setTimer(snapshotEveryMs, rested)
    sendChanged()
  }

  return {
    connect(director, send) {
      // Two streams may share one function, but each needs an entry of its own.
      const own: Stream = { send: (command) => send(command) }
      streams.set(director, own)
      submit({ type: 'director-connected', director })
      return {
        [Symbol.dispose]() {
          if (streams.get(director) !== own) return
          streams.delete(director)
          submit({ type: 'director-gone', director })
        },
      }
    },

    say(step) {
      switch (step.type) {
        case 'introduce': {
          const stream = streams.get(step.director)
          const routes = deps.routes()
          if (stream !== undefined) sendRoutes(stream, routes, JSON.stringify(routes))
          return
        }
        case 'check-activity':
        case 'probe': {
          const { workspace, generation, address, path, deadlineMs } = step
          const data = { workspace, generation, address, path, deadlineMs }
          const event = step.type === 'probe' ? 'probe' : 'ask'
          return streams.get(step.director)?.send({ event, data })
        }
        case 'revoke': {
          const { workspace, generation, reason } = step
          const data = { workspace, generation, ...(reason === undefined ? {} : { reason }) }
          for (const { send } of streams.values()) send({ event: 'revoke', data })
        }
      }
    },

    sendToAll(command) {
      for (const { send } of streams.values()) send(command)
      return streams.size
    },

    routesChanged,
    [Symbol.dispose]: () => resting?.[Symbol.dispose](),
  }
}
