// The open streams of commands, one a director, and what is said on them.
import type { Command, Route } from '@berth/shared/contract'
import type { DirectorId, DirectorStep, Event } from '../policy/domain.ts'
import type { SetTimer } from '@berth/shared/timer'

export interface DirectorStreams extends Disposable {
  connect(director: DirectorId, send: (command: Command) => void): Disposable
  say(step: DirectorStep): void
  /** The ways in may be others: every director that was introduced gets all of them again, where they are. At once,
   * unless they were others a moment ago. */
  routesChanged(): void
}

interface Stream {
  readonly send: (command: Command) => void
  /** The routes that it was sent last, as text; absent: none yet, and nothing before its introduction. */
  routes?: string
}

/** Each snapshot is whole, and thousands of workspaces may have a way in of their own: with one for each of their
 * changes a director could not keep up. */
const snapshotEveryMs = 250

export function createDirectorStreams(deps: {
  /** All ways in that there are at present. */
  routes: () => readonly Route[]
  submit: (event: Event) => void
  setTimer: SetTimer
}): DirectorStreams {
  const { submit, setTimer } = deps
  const streams = new Map<DirectorId, Stream>()
  /** Since the last snapshot that a change led to. */
  let resting: Disposable | undefined
  let changedSince = false

  function sendRoutes(stream: Stream, routes: readonly Route[], text: string): void {
    stream.routes = text
    stream.send({ event: 'routes', data: { routes } })
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
      // Two streams may share one function; the entry has to be this one's alone.
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
          const { workspace, generation } = step
          for (const { send } of streams.values())
            send({ event: 'revoke', data: { workspace, generation } })
        }
      }
    },

    routesChanged,
    [Symbol.dispose]: () => resting?.[Symbol.dispose](),
  }
}
