// For tests and the bench: entries of many people, one second after the other.
import type { Entry } from '../entry.ts'

export const firstAt = 1_700_000_000_000

const kinds = ['cold', 'stopped', 'frozen', 'standby'] as const

export function entriesFor(count: number, from = 0): readonly Entry[] {
  return Array.from({ length: count }, (_, index) => entryAt(from + index))
}

function entryAt(n: number): Entry {
  const person = `p${n % 500}`
  const base = {
    at: firstAt + n * 1_000,
    person,
    template: `t${n % 7}`,
    workspace: `t${n % 7}-${person}`,
  }
  switch (n % 5) {
    case 0:
      return { ...base, type: 'stop', reason: 'idle', ranMs: n }
    case 1:
      return { ...base, type: 'refusal', reason: 'queue_full', limit: 9, detail: 'Full.' }
    case 2:
      return { at: base.at, type: 'sign-in', person }
    default:
      return {
        ...base,
        type: 'start',
        start: kinds[n % 4],
        outcome: n % 50 === 3 ? 'failed' : 'ready',
        waitedMs: n % 100,
        tookMs: 500 + (n % 1_000),
        steps: { pulling: 20, creating: 300 },
      }
  }
}
