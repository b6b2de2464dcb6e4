// The log of a workspace as a stream of events. Each follows one container after another, and occupies a connection to the
// engine, so their number is bounded.
import { once } from 'node:events'
import type { Response } from 'express'
import { BerthError } from '@berth/shared/problems'
import { systemTimer, pause } from '@berth/shared/timer'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { Workspace } from '../../policy/domain.ts'
import { openEventStream } from '../http/event-stream.ts'
import { plainText } from '../http/plain-text.ts'
import { awaitWorkspace } from './await-workspace.ts'
import { findOwnWorkspace } from './find-workspace.ts'
import type { Asked } from './handlers.ts'

export interface LogEvents {
  /** @throws BerthError */
  open(response: Response, asked: Pick<Asked, 'name' | 'as'>, lines: number): void
}

const maxPendingBytes = 1024 * 1024
/** Of all people together, and of one person or the holder of the token. */
const maxStreams = 20
const maxOwnStreams = 4
/** A container that ends again and again is not followed more often than that. */
const restMs = 1_000

export function createLogEvents(workspaces: Workspaces): LogEvents {
  const open: { readonly user: string }[] = []

  function take(user: string): Disposable {
    const own = open.filter((one) => one.user === user).length
    const limit = open.length >= maxStreams ? maxStreams : maxOwnStreams
    if (open.length >= maxStreams || own >= maxOwnStreams)
      throw new BerthError(
        'limit_connections',
        `At most ${limit} logs may be followed at once. Close some tabs, or read the log without following it.`,
        { details: { limit } },
      )
    const taken = { user }
    open.push(taken)
    return { [Symbol.dispose]: () => void open.splice(open.indexOf(taken), 1) }
  }

  return {
    open(response, asked, lines) {
      const { name } = findOwnWorkspace(workspaces.state(), asked)
      const taken = take(asked.as?.name ?? '')
      const gone = new AbortController()
      const stream = openEventStream(response, maxPendingBytes, {
        onClose() {
          gone.abort()
          taken[Symbol.dispose]()
        },
      })

      async function followOne(): Promise<void> {
        let begins = true
        for await (const further of workspaces.followLog(name, lines, gone.signal)) {
          stream.send('lines', { lines: further.map((line) => plainText(line)), begins })
          begins = false
          // The engine is read no faster than the reader reads.
          if (!stream.flowing && !stream.closed)
            await once(response, 'drain', { signal: gone.signal }).catch(() => undefined)
        }
      }

      /** Rejects once the workspace is another person's. */
      async function followAll(): Promise<void> {
        while (!gone.signal.aborted) {
          await followOne()
          stream.send('end', {})
          await pause(systemTimer, restMs, gone.signal)
          await awaitWorkspace(workspaces, name, isRunning, gone.signal)
          if (!gone.signal.aborted) findOwnWorkspace(workspaces.state(), asked)
        }
      }

      followAll().catch(() => stream.close())
    },
  }
}

function isRunning(workspace: Workspace | undefined): boolean {
  const phase = workspace?.phase
  return phase === 'starting' || phase === 'probing' || phase === 'ready' || phase === 'frozen'
}
