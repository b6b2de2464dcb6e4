// One pool of connections per generation of a workspace: created when it is needed, destroyed with the generation
// (CVE-2026-48931).
import { isIP } from 'node:net'
import type { Address } from '@berth/shared/contract'
import { Pool, type Dispatcher } from 'undici'
import { repairFirstAnswer } from './answer-repair.ts'
import { createConnector } from './connector.ts'

export interface PoolKey {
  /** The container's id. */
  readonly generation: string
  /** An IP address that was checked against the pool of networks: nothing is resolved here. */
  readonly address: Address
}

export interface ConnectionPools extends AsyncDisposable {
  get(key: PoolKey): Dispatcher
  /** For one request, on a connection of its own that ends with it. */
  fresh(key: PoolKey): Dispatcher
  /** Ends every connection to that generation. Requests that had not been sent come back as `not-sent`. */
  destroy(generation: string): Promise<void>
  /** Accepts no more requests for that generation; requests in flight are completed. */
  retire(generation: string): void
  /** How many generations have a pool. */
  readonly size: number
}

export interface PoolLimits {
  readonly connectTimeoutMs: number
  /** How long an idle connection is kept when the workspace does not say. */
  readonly idleMs: number
  /** The longest that an idle connection is kept when the workspace says how long. */
  readonly idleMaxMs: number
  readonly maxHeaderBytes: number
}

// Idle connections are short-lived: a server may close one at the moment it is used, and the request fails.
const defaults: PoolLimits = {
  connectTimeoutMs: 1_000,
  idleMs: 1_000,
  idleMaxMs: 10_000,
  maxHeaderBytes: 64 * 1024,
}

export function createConnectionPools(limits: Partial<PoolLimits> = {}): ConnectionPools {
  const { connectTimeoutMs, idleMs, idleMaxMs, maxHeaderBytes } = { ...defaults, ...limits }
  const pools = new Map<string, { readonly origin: string; readonly pool: Pool }>()

  function open(origin: string): Pool {
    return new Pool(origin, {
      pipelining: 1,
      connect: createConnector(connectTimeoutMs, (socket) => {
        repairFirstAnswer(socket, maxHeaderBytes)
      }),
      allowH2: false,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMaxMs,
      maxHeaderSize: maxHeaderBytes,
      // The exchange has its own deadlines: a slow upload or a slow answer is not an error.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  /** Pools of one request each, until it has ended. */
  const singles = new Map<string, Set<Pool>>()

  function track(generation: string, pool: Pool): void {
    const known = singles.get(generation) ?? new Set()
    singles.set(generation, known.add(pool))
  }

  function untrack(generation: string, pool: Pool): void {
    const known = singles.get(generation)
    known?.delete(pool)
    if (known?.size === 0) singles.delete(generation)
  }

  async function destroy(generation: string): Promise<void> {
    const own = [...(singles.get(generation) ?? [])]
    singles.delete(generation)
    const entry = pools.get(generation)
    if (entry !== undefined) own.push(entry.pool)
    pools.delete(generation)
    await Promise.all(own.map((pool) => pool.destroy()))
  }

  return {
    get({ generation, address }) {
      const origin = originOf(address)
      const known = pools.get(generation)
      if (known?.origin === origin) return known.pool
      const pool = open(origin)
      pools.set(generation, { origin, pool })
      if (known !== undefined) void known.pool.destroy()
      return pool
    },
    fresh({ generation, address }) {
      // A pool of its own: the shared one would choose a kept connection again. Closing it waits for the request.
      const pool = open(originOf(address))
      track(generation, pool)
      setImmediate(() => void pool.close().finally(() => untrack(generation, pool)))
      return pool
    },
    destroy,
    retire(generation) {
      const entry = pools.get(generation)
      if (entry === undefined) return
      pools.delete(generation)
      void entry.pool.close()
    },
    get size() {
      return pools.size
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...new Set([...pools.keys(), ...singles.keys()])].map(destroy))
    },
  }
}

/** @throws TypeError for anything but an IP address */
export function originOf({ host, port, scheme = 'http' }: Address): string {
  switch (isIP(host)) {
    case 4:
      return `${scheme}://${host}:${port}`
    case 6:
      return `${scheme}://[${host}]:${port}`
    default:
      throw new TypeError('an address of a workspace is an IP address')
  }
}
