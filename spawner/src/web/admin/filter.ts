// Which rows the page shows: by a part of a person's or workspace's name, by template, by state. Pure. The script of the
// page filters in the same way.
import { phaseNames } from '../pages/words.ts'
import type { AdminRow } from './admin-row.ts'

/** Several phases are one state to people. */
export const states: readonly string[] = [...new Set(Object.values(phaseNames))]

export interface Filter {
  readonly person: string
  readonly template: string
  /** One of `states`. */
  readonly state: string
}

/** @param query as Express has parsed it: anything that is no text counts as empty */
export function readFilter(query: Readonly<Record<string, unknown>>): Filter {
  const textOf = (name: string): string => {
    const value = query[name]
    return typeof value === 'string' ? value.slice(0, 300) : ''
  }
  return { person: textOf('person'), template: textOf('template'), state: textOf('state') }
}

/** What the filter looks for a person in. */
export function textOf({ id, people }: AdminRow): string {
  return [id, ...people].join(' ').toLowerCase()
}

export function isShown(row: AdminRow, { person, template, state }: Filter): boolean {
  return (
    textOf(row).includes(person.trim().toLowerCase()) &&
    (template === '' || row.template === template) &&
    (state === '' || row.state === state)
  )
}
