// One GET from a workspace, on a connection of its own that is closed after it. Answers are read as those that are
// forwarded: an application whose answers are repaired there must get ready, too.
import type { Address } from '@berth/shared/contract'
import { Client } from 'undici'
import { repairFirstAnswer } from '../forward/answer-repair.ts'
import { originOf } from '../forward/connection-pools.ts'
import { createConnector } from '../forward/connector.ts'

export interface Response {
  readonly statusCode: number
  readonly body: AsyncIterable<Buffer>
}

export interface GetOptions<T> {
  readonly address: Address
  /** The workspace's name, for the Host header. */
  readonly workspace: string
  readonly path: string
  readonly accept: string
  readonly connectMs: number
  readonly signal: AbortSignal
  /** Reads what is wanted of the response; the connection is closed when it is done. */
  readonly read: (response: Response) => T | Promise<T>
}

const maxHeaderBytes = 64 * 1024

/** Never rejects. @returns `undefined` where no response came, or `read` failed */
export async function get<T>(options: GetOptions<T>): Promise<T | undefined> {
  const { address, workspace, path, accept, connectMs, signal, read } = options
  const client = new Client(originOf(address), {
    connect: createConnector(connectMs, (socket) => {
      repairFirstAnswer(socket, maxHeaderBytes)
    }),
    maxHeaderSize: maxHeaderBytes,
    // The signal is the deadline.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  try {
    const headers = { host: `${workspace}:${address.port}`, accept, connection: 'close' }
    const { statusCode, body } = await client.request({ method: 'GET', path, headers, signal })
    body.on('error', () => undefined)
    return await read({ statusCode, body })
  } catch {
    // undici rejects as well for a path that no request may have: no answer then, as from a wrong port.
    return undefined
  } finally {
    void client.destroy()
  }
}
