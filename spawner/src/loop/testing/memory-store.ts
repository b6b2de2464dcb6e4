// For tests: a store in memory, which fails on demand.
import type { Recorded } from '../../policy/domain.ts'
import { withChanges } from '../../policy/testing/with-changes.ts'
import type { Store } from '../store.ts'

export interface MemoryStore extends Store {
  /** From now on saving throws, or works again. */
  fail(isFailing: boolean): void
  readonly saves: () => number
}

export function createMemoryStore(
  initial: Recorded = { workspaces: [], nextTicket: 1 },
): MemoryStore {
  let recorded = initial
  let orders: ReadonlyMap<string, string> = new Map()
  let isFailing = false
  let saves = 0
  return {
    load: () => recorded,
    save(changes) {
      if (isFailing) throw new Error('the disk is full')
      saves += 1
      recorded = withChanges(recorded, changes)
    },
    loadOrders: () => orders,
    saveOrders(changed) {
      if (isFailing) throw new Error('the disk is full')
      orders = changed
    },
    backup: () => Promise.reject(new Error('memory has no files')),
    fail(value) {
      isFailing = value
    },
    saves: () => saves,
    [Symbol.dispose]: () => undefined,
  }
}
