// The phases of all workspaces as a stream of events, for scripts that follow them. Bounded in number and in memory.
import type { Response } from 'express'
import { BerthError } from '@berth/shared/problems'
import { openEventStream } from '../http/event-stream.ts'
import { momentOf, type ApiDeps } from './handlers.ts'
import { presentWorkspaces, showAbsent, showWorkspace } from './shown.ts'

const maxStreams = 50
/** A new stream begins with the events of all workspaces at once, so the limit must be large enough for them. */
const maxPendingBytes = 16 * 1024 * 1024

export interface FleetEvents {
  open(response: Response): void
}

export function createFleetEvents({ workspaces, hexOf, clock }: ApiDeps): FleetEvents {
  let open = 0
  return {
    open(response) {
      if (open >= maxStreams)
        throw new BerthError(
          'limit_connections',
          `At most ${maxStreams} event streams may be open at once.`,
          {
            details: { limit: maxStreams },
          },
        )
      open += 1
      let following: Disposable | undefined = undefined
      const stream = openEventStream(response, maxPendingBytes, {
        onClose() {
          open -= 1
          following?.[Symbol.dispose]()
        },
      })
      const seen = new Map(presentWorkspaces(workspaces.state()).map((one) => [one.name, one]))
      for (const one of seen.values())
        stream.send('phase', showWorkspace(workspaces.state(), one, hexOf, momentOf(clock)))
      following = workspaces.followAll(({ workspace: name, phase }) => {
        const one = phase === 'absent' ? undefined : workspaces.state().workspaces.get(name)
        const before = seen.get(name)
        if (one === undefined) {
          seen.delete(name)
          if (before !== undefined) stream.send('phase', showAbsent(before, hexOf))
        } else {
          seen.set(name, one)
          stream.send('phase', showWorkspace(workspaces.state(), one, hexOf, momentOf(clock)))
        }
      })
      if (stream.closed) following[Symbol.dispose]()
    },
  }
}
