// The stream of commands that each director keeps open. A second stream of the same director replaces the first.
import { Router } from 'express'
import { internalPaths } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { BerthError } from '@berth/shared/problems'
import type { Workspaces } from '../../loop/workspaces.ts'
import { openEventStream, type EventStream } from '../http/event-stream.ts'

/** This is many times the size of a snapshot of routes and a burst of probe commands. */
const maxPendingBytes = 4 * 1024 * 1024
/** The id or the host name of a container. The spawner uses it in calls to the engine. */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/

export const commandsPath = decodeURIComponent(internalPaths.commands(':id'))

export function createDirectorStream(workspaces: Workspaces, log: Log): Router {
  const router = Router()
  const streams = new Map<string, EventStream>()

  router.get(commandsPath, (request, response, next) => {
    // Express would answer HEAD with this route, but a stream needs a body.
    if (request.method === 'HEAD') {
      next()
      return
    }
    const director = String(request.params['id'])
    if (!idPattern.test(director))
      throw new BerthError('bad_request', 'The path does not contain a valid id of a director.')
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
    // The stream may have been dropped while the first commands were sent.
    if (stream.closed) connection[Symbol.dispose]()
    replaced?.close()
    log.info({ director }, 'director connected')
  })

  return router
}
