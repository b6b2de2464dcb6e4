// Passes the bytes of one connection on, both ways: with back pressure, half-close, and two pieces in memory for each way: one that is
// written, and the next one.
import type { SetTimer } from '@berth/shared/timer'
import type { Socket } from 'node:net'

export interface RelayHooks {
  /** Asked before a piece of the client is passed on: `undefined` lets it pass, `false` ends the connection. */
  readonly mayPass: () => undefined | Promise<boolean>
  readonly passed: (way: 'in' | 'out', bytes: number) => void
  readonly setTimer: SetTimer
}

/**
 * How long the other way of a connection may be silent after the first one has ended. A client that has closed its socket
 * looks like one that still reads, and a workspace that does not end its own way would keep the connection.
 */
export const silentHalfMs = 10 * 60_000

/**
 * Resolves when both sockets have closed. Neither may have a reader, and each stays open when its other half has ended.
 *
 * @returns whether both sides ended in order
 */
export async function relay(
  client: Socket,
  workspace: Socket,
  { mayPass, passed, setTimer }: RelayHooks,
): Promise<boolean> {
  const closed = [client, workspace].map(whenClosed)
  const end = (): void => {
    client.destroy()
    workspace.destroy()
  }
  let silence: Disposable | undefined
  const halfEnded = (): void => {
    silence?.[Symbol.dispose]()
    silence = setTimer(silentHalfMs, end)
  }
  const passedOn = (way: 'in' | 'out', bytes: number): void => {
    if (silence !== undefined) halfEnded()
    passed(way, bytes)
  }
  // A socket closes in order only when both ways have ended: then nothing is lost.
  for (const each of closed) void each.then(end)
  const ways = [
    pass(client, workspace, mayPass, (bytes) => passedOn('in', bytes)).then(halfEnded),
    pass(
      workspace,
      client,
      () => undefined,
      (bytes) => passedOn('out', bytes),
    ).then(halfEnded),
  ]
  const isWhole = await Promise.all(ways).then(
    () => true,
    () => false,
  )
  if (!isWhole) end()
  await Promise.all([...closed, Promise.allSettled(ways)])
  silence?.[Symbol.dispose]()
  return isWhole
}

/** Throws when it cannot go on. */
async function pass(
  from: Socket,
  to: Socket,
  mayPass: RelayHooks['mayPass'],
  passed: (bytes: number) => void,
): Promise<void> {
  // By default the end of the loop would close the socket in both directions.
  for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const held = mayPass()
    if (held !== undefined && !(await held)) throw new Error('the workspace has ended')
    await write(to, piece)
    passed(piece.length)
  }
  to.end()
}

/** Resolves when the system has taken the piece. */
function write(to: Socket, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    to.write(piece, (error) => (error ? reject(error) : resolve()))
  })
}

function whenClosed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve()
  return new Promise((resolve) => socket.once('close', () => resolve()))
}
