// Sessions, codes and grants, in memory only. A restart of the provider ends all sessions.
import type { Clock } from '@berth/shared/clock'
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

interface Entry {
  payload: AdapterPayload
  readonly endsAt: number
}

const defaultLimit = 100_000

/** @param limit how many entries are kept; beyond it the oldest are removed */
export function createMemoryStore(clock: Clock, limit = defaultLimit): AdapterFactory {
  const entries = new Map<string, Entry>()
  const uids = new Map<string, string>()

  function drop(key: string): void {
    const uid = entries.get(key)?.payload.uid
    if (uid !== undefined && uids.get(uid) === key) uids.delete(uid)
    entries.delete(key)
  }

  function find(key: string): AdapterPayload | undefined {
    const entry = entries.get(key)
    if (entry === undefined) return undefined
    if (entry.endsAt > clock.now()) return entry.payload
    drop(key)
    return undefined
  }

  function makeRoom(): void {
    if (entries.size < limit) return
    const now = clock.now()
    for (const [key, entry] of entries) if (entry.endsAt <= now) drop(key)
    for (const key of entries.keys()) {
      if (entries.size < limit) return
      drop(key)
    }
  }

  return (model): Adapter => {
    const keyOf = (id: string): string => `${model}:${id}`
    return {
      upsert: async (id, payload, expiresInS) => {
        const key = keyOf(id)
        drop(key)
        makeRoom()
        const lifeMs = expiresInS === undefined ? Number.POSITIVE_INFINITY : expiresInS * 1_000
        entries.set(key, { payload, endsAt: clock.now() + lifeMs })
        if (model === 'Session' && payload.uid !== undefined) uids.set(payload.uid, key)
      },
      find: async (id) => find(keyOf(id)),
      findByUid: async (uid) => find(uids.get(uid) ?? ''),
      findByUserCode: async () => undefined,
      consume: async (id) => {
        const entry = entries.get(keyOf(id))
        if (entry === undefined) return
        entry.payload = { ...entry.payload, consumed: Math.floor(clock.wall() / 1_000) }
      },
      destroy: async (id) => {
        drop(keyOf(id))
      },
      revokeByGrantId: async (grantId) => {
        for (const [key, entry] of entries) if (entry.payload.grantId === grantId) drop(key)
      },
    }
  }
}
