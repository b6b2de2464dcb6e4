// For tests: a store that is a value. What it has after a decision was saved.
import type { RecordChanges, Recorded } from '../domain.ts'

export function withChanges(recorded: Recorded, changes: RecordChanges | undefined): Recorded {
  if (changes === undefined) return recorded
  const { saved, removed, nextTurn = recorded.nextTurn } = changes
  const workspaces = new Map(recorded.workspaces.map((record) => [record.name, record]))
  for (const name of removed) workspaces.delete(name)
  for (const { record } of saved) workspaces.set(record.name, record)
  return { workspaces: [...workspaces.values()], nextTurn }
}
