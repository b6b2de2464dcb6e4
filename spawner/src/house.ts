// What administrators have ordered for everybody: closed templates, maintenance, a message on the pages. Kept across
// restarts.
import type { Orders } from './orders.ts'
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

const closedPrefix = 'closed:'

/** @param changed is called when the rules have changed */
export function createHouse(orders: Orders, changed: () => void): House {
  let rules = rulesOf(orders.all())

  function set(key: string, value: string | undefined): void {
    orders.set({ [key]: value })
    rules = rulesOf(orders.all())
    changed()
  }

  return {
    rules: () => rules,
    message: () => orders.all().get('message') ?? '',
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
