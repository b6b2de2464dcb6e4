// The open streams of commands, one a director, and what is said on them.
import type { Command, Route } from '@berth/shared/contract'
import type { DirectorId, Event, Step } from '../policy/domain.ts'
import { isShared, type Template } from '../templates/template.ts'

export type DirectorStep = Extract<
  Step,
  { type: 'probe' | 'ask-activity' | 'introduce' | 'revoke' }
>

export interface DirectorStreams {
  connect(director: DirectorId, send: (command: Command) => void): Disposable
  say(step: DirectorStep): void
}

export function createDirectorStreams(deps: {
  templates: ReadonlyMap<string, Template>
  tell: (event: Event) => void
}): DirectorStreams {
  const { tell } = deps
  const streams = new Map<DirectorId, (command: Command) => void>()
  const routes = [...deps.templates.values()].map(routeOf)

  return {
    connect(director, send) {
      // Two streams may share one function; the entry has to be this one's alone.
      const own = (command: Command): void => send(command)
      streams.set(director, own)
      tell({ type: 'director-connected', director })
      return {
        [Symbol.dispose]() {
          if (streams.get(director) !== own) return
          streams.delete(director)
          tell({ type: 'director-gone', director })
        },
      }
    },

    say(step) {
      switch (step.type) {
        case 'ask-activity': {
          const { workspace, generation, address, path, deadlineMs } = step
          const data = { workspace, generation, address, path, deadlineMs }
          return streams.get(step.director)?.({ event: 'ask', data })
        }
        case 'introduce':
          return streams.get(step.director)?.({ event: 'routes', data: { routes } })
        case 'probe': {
          const { workspace, generation, address, path, deadlineMs } = step
          const data = { workspace, generation, address, path, deadlineMs }
          return streams.get(step.director)?.({ event: 'probe', data })
        }
        case 'revoke': {
          const { workspace, generation } = step
          for (const send of streams.values())
            send({ event: 'revoke', data: { workspace, generation } })
        }
      }
    },
  }
}

function routeOf(template: Template): Route {
  return {
    template: template.name,
    prefix: template.prefix,
    port: template.spec.port,
    hosts: [...template.route.hosts],
    ...(template.route.path === undefined ? {} : { path: template.route.path }),
    ...(template.route.listenPort === undefined ? {} : { listenPort: template.route.listenPort }),
    shared: isShared(template),
    readyPath: template.spec.readyPath,
    passIdentity: [...template.passIdentity],
    passTokens: [...template.passTokens],
    backgroundRequests: [...template.backgroundRequests],
    connectionIdleMs: template.connectionIdleMs,
  }
}
