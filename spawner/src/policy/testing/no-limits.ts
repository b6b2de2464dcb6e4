// For tests: no limit at all.
import type { Limits } from '../domain.ts'

export const noLimits: Limits = {
  maxWorkspaces: 0,
  maxWorkspacesPerUser: 0,
  maxGuests: 0,
  guestsPerAddress: 0,
  maxStarting: 0,
  maxQueue: 0,
  maxMemoryBytes: 0,
  evictsFrozen: true,
  keepHomesMs: 0,
  keepHomesDryRun: true,
}
