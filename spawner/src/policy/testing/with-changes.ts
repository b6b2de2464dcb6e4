// For tests: a store that is a plain value. Returns what the store has after the changes of a decision are saved.
import type { RecordChanges, Recorded } from '../domain.ts'

export function withChanges(recorded: Recorded, changes: RecordChanges | undefined): Recorded {
  if (changes === undefined) return recorded
  const { saved, removed, nextTicket = recorded.nextTicket } = changes
  const workspaces = new Map(recorded.workspaces.map((record) => [record.name, record]))
  for (const name of removed) workspaces.delete(name)
  for (const { record } of saved) workspaces.set(record.name, record)
  const homes = new Map(recorded.homes?.map((home) => [home.volume, home]))
  for (const home of changes.homes ?? []) homes.set(home.volume, home)
  for (const volume of changes.homesGone ?? []) homes.delete(volume)
  const known = { workspaces: [...workspaces.values()], nextTicket }
  return homes.size === 0 ? known : { ...known, homes: [...homes.values()] }
}
