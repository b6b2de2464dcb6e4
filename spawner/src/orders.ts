// What administrators have ordered and people are told of, by key. It outlives the process.

export interface Orders {
  all(): ReadonlyMap<string, string>
  /** Absent values are removed. An order that cannot be kept throws: it would be forgotten with the next restart. */
  set(changes: Readonly<Record<string, string | undefined>>): void
}

interface OrdersStore {
  loadOrders(): ReadonlyMap<string, string>
  saveOrders(orders: ReadonlyMap<string, string>): void
}

export function createOrders(store: OrdersStore): Orders {
  let orders = store.loadOrders()
  return {
    all: () => orders,
    set(changes) {
      const next = new Map(orders)
      for (const [key, value] of Object.entries(changes))
        if (value === undefined || value === '') next.delete(key)
        else next.set(key, value)
      store.saveOrders(next)
      orders = next
    },
  }
}
