// The stream of commands that each director keeps open. A second one of the same director takes the first one's place.
import { Router } from 'express'
import { internalPaths } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { BerthError } from '@berth/shared/problems'
import type { Workspaces } from '../../loop/workspaces.ts'
import { openEventStream, type EventStream } from '../http/event-stream.ts'

/** Snapshots of routes and a burst of probes fit in many times over. */
const maxPendingBytes = 4 * 1024 * 1024
/** A container's id or host name: it ends up in calls to the engine. */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/

export const commandsPath = decodeURIComponent(internalPaths.commands(':id'))

export function createDirectorStream(workspaces: Workspaces, log: Log): Router {
  const router = Router()
  const streams = new Map<string, EventStream>()

  router.get(commandsPath, (request, response, next) => {
    // Express answers HEAD by the same route, and a stream without a body would be no stream.
    if (request.method === 'HEAD') {
      next()
      return
    }
    const director = String(request.params['id'])
    if (!idPattern.test(director))
      throw new BerthError('bad_request', 'This is no id of a director.')
    let connection: Disposable | undefined = undefined
    const stream: EventStream = openEventStream(response, maxPendingBytes, {
      onClose() {
        connection?.[Symbol.dispose]()
        if (streams.get(director) === stream) streams.delete(director)
        log.info({ director }, 'director disconnected')
      },
    })
    const replaced = streams.get(director)
    streams.set(director, stream)
    connection = workspaces.connectDirector(director, (command) =>
      stream.send(command.event, command.data),
    )
    // It may have been dropped while it was sent its first commands.
    if (stream.closed) connection[Symbol.dispose]()
    replaced?.close()
    log.info({ director }, 'director connected')
  })

  return router
}
