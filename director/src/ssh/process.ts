// A process in the container of a seat, through the spawner: what it prints comes in order, what it reads is sent.
import type { Duplex } from 'node:stream'
import type { SessionOrder, SessionPurpose } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import {
  decodeNumber,
  encodeSize,
  frameTypes,
  type TerminalSize,
} from '@berth/shared/session-frames'
import { createSessionLink } from '@berth/shared/session-link'
import type { SetTimer } from '@berth/shared/timer'
import type { LeaseTable } from '../leases/lease-table.ts'
import { spawnerUnreachableDetail } from '../listener/seating.ts'
import type { Spawner } from '../spawner/client.ts'
import type { Reached } from './reach.ts'
import { Refused, refusedIn } from './refused.ts'

export interface ProcessDeps {
  readonly spawner: Pick<Spawner, 'openSession'>
  readonly table: LeaseTable
  /** The host name of this director. */
  readonly director: string
  readonly setTimer: SetTimer
  readonly closing: AbortSignal
  readonly log: Log
}

export interface ProcessOrder {
  readonly purpose: SessionPurpose
  readonly environment?: Readonly<Record<string, string>>
  readonly terminal?: SessionOrder['terminal']
  /** As the client has sent them: an SSH server takes them as they are. */
  readonly terminalModes?: Buffer | undefined
  /** What it printed. Resolves once there may be more. */
  readonly printed: (stream: 'output' | 'errors', bytes: Buffer) => Promise<void> | void
  /** Ends the process. */
  readonly gone: AbortSignal
}

/** How a process has ended. Docker tells a signal only by its number: 128 and the number are the exit code. */
export type ProcessEnd =
  | { readonly code: number }
  /** The name is without SIG. */
  | { readonly signal: string; readonly isDumped: boolean; readonly description: string }

export interface ContainerProcess {
  /** `undefined`: the connection to it was lost. */
  readonly ended: Promise<ProcessEnd | undefined>
  /** @returns whether it may take more */
  write(bytes: Buffer): Promise<boolean>
  endInput(): void
  resize(size: TerminalSize): void
  signal(name: string): void
  /** Ends it, and everything that it has started. */
  destroy(): void
}

/** Resolves once it runs. @throws Refused */
export type StartProcess = (reached: Reached, order: ProcessOrder) => Promise<ContainerProcess>

const openMs = 25_000
const unknownCode = 255

export function createStartProcess(deps: ProcessDeps): StartProcess {
  const { spawner, table, setTimer, closing, log } = deps

  return async ({ person, seat }, { purpose, environment = {}, terminal, printed, gone }) => {
    const { lease, activity } = seat
    const socket: Duplex = await spawner.openSession(gone).catch((error: unknown) => {
      if (!gone.aborted) log.warn({ error }, 'session could not be opened at the spawner')
      throw new Refused('spawner_unreachable', spawnerUnreachableDetail)
    })
    const opened = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<ProcessEnd | undefined>()
    const link = createSessionLink(socket, Buffer.alloc(0), {
      async data(type, bytes) {
        activity.touch()
        await printed(type === frameTypes.errors ? 'errors' : 'output', bytes)
      },
      control(type, payload) {
        if (type === frameTypes.opened) opened.resolve()
        if (type === frameTypes.exit) ended.resolve({ code: decodeNumber(payload) ?? unknownCode })
        if (type === frameTypes.refused) opened.reject(refusedIn(payload))
      },
      closed() {
        opened.reject(new Refused('spawner_unreachable', spawnerUnreachableDetail))
        ended.resolve(undefined)
      },
    })
    const over = AbortSignal.any([gone, closing])
    const leave = (): void => link.destroy()
    const tooLong = setTimer(openMs, leave)
    over.addEventListener('abort', leave, { once: true })
    void ended.promise.finally(() => over.removeEventListener('abort', leave))
    try {
      const order: SessionOrder = {
        director: deps.director,
        workspace: lease.workspace,
        generation: lease.generation,
        user: person.name,
        purpose,
        environment: { ...environment },
        ...(terminal === undefined ? {} : { terminal }),
      }
      link.send(frameTypes.order, Buffer.from(JSON.stringify(order)))
      await opened.promise
    } catch (error) {
      // What was granted has ended: the next try asks again.
      if (error instanceof Refused && error.code === 'workspace_unknown') table.end(seat, lease)
      link.destroy()
      throw error
    } finally {
      tooLong[Symbol.dispose]()
    }
    return {
      ended: ended.promise,
      async write(bytes) {
        activity.touch()
        return link.write(frameTypes.input, bytes)
      },
      endInput: () => link.send(frameTypes.inputEnd),
      resize: (size) => link.send(frameTypes.resize, encodeSize(size)),
      signal: (name) => link.send(frameTypes.signal, Buffer.from(name)),
      destroy: leave,
    }
  }
}
