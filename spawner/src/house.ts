// What administrators have ordered for everybody: closed templates, maintenance, a message on the pages. Kept across
// restarts.
import type { HouseRules } from './policy/domain.ts'

export interface House {
  rules(): HouseRules
  /** What the pages show to everybody; empty: nothing. */
  message(): string
  /** Nobody may start the template anew. Without a reason it is open again. */
  close(template: string, why: string | undefined): void
  /** Nobody new is admitted. Without a reason people are admitted again. */
  maintain(why: string | undefined): void
  announce(message: string): void
}

interface Orders {
  loadOrders(): ReadonlyMap<string, string>
  saveOrders(orders: ReadonlyMap<string, string>): void
}

const closedPrefix = 'closed:'

/** @param changed is called when the rules have changed */
export function createHouse(store: Orders, changed: () => void): House {
  let orders = store.loadOrders()
  let rules = rulesOf(orders)

  function set(key: string, value: string | undefined): void {
    const next = new Map(orders)
    if (value === undefined || value === '') next.delete(key)
    else next.set(key, value)
    // An order that cannot be kept is not carried out: it would be forgotten with the next restart.
    store.saveOrders(next)
    orders = next
    rules = rulesOf(next)
    changed()
  }

  return {
    rules: () => rules,
    message: () => orders.get('message') ?? '',
    close: (template, why) => set(closedPrefix + template, why),
    maintain: (why) => set('maintenance', why),
    announce: (message) => set('message', message),
  }
}

function rulesOf(orders: ReadonlyMap<string, string>): HouseRules {
  const closed = new Map<string, string>()
  for (const [key, value] of orders)
    if (key.startsWith(closedPrefix)) closed.set(key.slice(closedPrefix.length), value)
  const maintenance = orders.get('maintenance')
  return { closed, ...(maintenance === undefined ? {} : { maintenance }) }
}
