// Remembers for each workspace what counted as use in the last minutes, for an administrator who looks for what keeps it
// running. Holds neither queries nor contents.
import type { Clock } from '@berth/shared/clock'
import { longestText, mostUses, type Use } from '@berth/shared/contract'

/** What is alike is counted together. */
export type UseKind = Pick<Use, 'what' | 'method' | 'path'>

export interface UseLog {
  note(workspace: string, kind: UseKind, bytes: number): void
  /** A use that takes a while, such as a request whose answer is awaited. */
  begin(workspace: string, kind: UseKind): OngoingUse
  /** The latest first. */
  of(workspace: string): readonly Use[]
}

/** Dispose when it is over. */
export interface OngoingUse extends Disposable {
  grow(bytes: number): void
}

interface Entry extends UseKind {
  count: number
  fewestBytes: number
  mostBytes: number
  firstAt: number
  lastAt: number
  ongoing: number
}

const rememberedMs = 15 * 60_000
const mostWorkspaces = 10_000

export function createUseLog(clock: Clock): UseLog {
  /** The workspace that was used last is at the end, and its last use is at the end of its own map. */
  const workspaces = new Map<string, Map<string, Entry>>()

  function moveToEnd<T>(map: Map<string, T>, key: string, value: T, most: number): void {
    map.delete(key)
    map.set(key, value)
    if (map.size <= most) return
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
  }

  const isOver = ({ ongoing, lastAt }: Entry): boolean =>
    ongoing === 0 && clock.now() - lastAt > rememberedMs

  function entryFor(workspace: string, { what, method, path }: UseKind): Entry {
    const entries = workspaces.get(workspace) ?? new Map<string, Entry>()
    moveToEnd(workspaces, workspace, entries, mostWorkspaces)
    const key = `${what} ${method} ${path}`
    const known = entries.get(key)
    const now = clock.now()
    const entry =
      known === undefined || isOver(known)
        ? {
            what,
            method,
            path: path.slice(0, longestText),
            count: 0,
            fewestBytes: Infinity,
            mostBytes: 0,
            firstAt: now,
            lastAt: now,
            ongoing: 0,
          }
        : known
    moveToEnd(entries, key, entry, mostUses)
    entry.lastAt = now
    return entry
  }

  function measure(entry: Entry, bytes: number): void {
    entry.fewestBytes = Math.min(entry.fewestBytes, bytes)
    entry.mostBytes = Math.max(entry.mostBytes, bytes)
  }

  return {
    note(workspace, kind, bytes) {
      const entry = entryFor(workspace, kind)
      entry.count += 1
      measure(entry, bytes)
    },
    begin(workspace, kind) {
      const entry = entryFor(workspace, kind)
      entry.count += 1
      entry.ongoing += 1
      let size = 0
      return {
        grow(bytes) {
          size += bytes
        },
        [Symbol.dispose]() {
          entry.ongoing -= 1
          entry.lastAt = clock.now()
          measure(entry, size)
        },
      }
    },
    of(workspace) {
      const now = clock.now()
      return [...(workspaces.get(workspace)?.values() ?? [])]
        .filter((entry) => !isOver(entry))
        .map(({ firstAt, lastAt, ongoing, fewestBytes, ...entry }) => ({
          ...entry,
          fewestBytes: Number.isFinite(fewestBytes) ? fewestBytes : 0,
          firstAgoMs: Math.round(now - firstAt),
          lastAgoMs: ongoing > 0 ? 0 : Math.round(now - lastAt),
        }))
        .toSorted((a, b) => a.lastAgoMs - b.lastAgoMs)
    },
  }
}
