// The phases of all workspaces as a stream of events, for scripts that follow them. Bounded in number and in memory.
import type { Response } from 'express'
import type { Person } from '@berth/shared/contract'
import { isTheirs } from '../../policy/asked/theirs.ts'
import type { Workspace } from '../../policy/domain.ts'
import { openEventStream } from '../http/event-stream.ts'
import { createStreamLimit } from '../http/stream-limit.ts'
import { momentOf, type ApiDeps } from './handlers.ts'
import { presentWorkspaces, showAbsent, showWorkspace } from './shown.ts'

/** Of the holder of the token, and of each person. */
const maxStreams = 50
/** A new stream begins with the events of all workspaces at once, so the limit must be large enough for them. */
const maxPendingBytes = 16 * 1024 * 1024

export interface FleetEvents {
  /** @param as the person who follows: only what is theirs is sent. Absent: the holder of the token */
  open(response: Response, as?: Person): void
}

export function createFleetEvents(deps: ApiDeps): FleetEvents {
  const { workspaces, hexOf, clock } = deps
  const streams = createStreamLimit(maxStreams, 'event streams')
  return {
    open(response, as) {
      const taken = streams.take(as?.name ?? '')
      let following: Disposable | undefined = undefined
      const stream = openEventStream(response, maxPendingBytes, {
        onClose() {
          taken[Symbol.dispose]()
          following?.[Symbol.dispose]()
        },
      })
      const isShown = (one: Workspace) => as === undefined || isTheirs(workspaces.state(), one, as)
      const show = (one: Workspace) =>
        stream.send('phase', showWorkspace(workspaces.state(), one, deps, momentOf(clock), as))
      const present = presentWorkspaces(workspaces.state()).filter(isShown)
      const seen = new Map(present.map((one) => [one.name, one]))
      for (const one of seen.values()) show(one)
      following = workspaces.followAll(({ workspace: name, phase }) => {
        const one = phase === 'absent' ? undefined : workspaces.state().workspaces.get(name)
        const before = seen.get(name)
        if (one === undefined || !isShown(one)) {
          seen.delete(name)
          if (before !== undefined) stream.send('phase', showAbsent(before, hexOf))
        } else {
          seen.set(name, one)
          show(one)
        }
      })
      if (stream.closed) following[Symbol.dispose]()
    },
  }
}
