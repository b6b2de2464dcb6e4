// The rows of all workspaces, kept up to date for everybody who looks. Each row has the number of its last change, so
// that a page gets what has changed since it was made, and nothing else.
import { randomUUID } from 'node:crypto'
import type { Clock } from '@berth/shared/clock'
import type { WorkspaceName } from '@berth/shared/names'
import type { Disk } from '../../loop/disk.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { State, Workspace } from '../../policy/domain.ts'
import { momentOf } from '../api/handlers.ts'
import { presentWorkspaces } from '../api/shown.ts'
import { adminRow, type AdminRow } from './admin-row.ts'
import { overviewOf, type Overview } from './overview.ts'

export interface BoardRow extends AdminRow {
  /** The number of its last change. */
  readonly changed: number
}

export interface Seen {
  /** Sorted by person, then by name. */
  readonly rows: readonly BoardRow[]
  readonly overview: Overview
  /** Names this board and its last change: what `since` takes. */
  readonly mark: string
}

export interface Board {
  look(): Seen
  /** @returns the rows that changed after the mark; all of them for a mark of another process */
  since(seen: Seen, mark: string): readonly BoardRow[]
}

interface Entry {
  readonly workspace: Workspace
  readonly json: string
  readonly row: BoardRow
}

export function createBoard({
  workspaces,
  disk,
  clock,
}: {
  workspaces: Workspaces
  disk: Pick<Disk, 'look'> | undefined
  clock: Clock
}): Board {
  const epoch = randomUUID().slice(0, 8)
  let entries: ReadonlyMap<WorkspaceName, Entry> = new Map()
  let last: Pick<State, 'config' | 'engine' | 'images'> | undefined
  let number = 0

  function look(): Seen {
    const state = workspaces.state()
    const moment = momentOf(clock)
    const isAlike =
      last?.config === state.config && last.engine === state.engine && last.images === state.images
    last = state
    const next = new Map<WorkspaceName, Entry>()
    for (const workspace of presentWorkspaces(state)) {
      const known = entries.get(workspace.name)
      // What a queued one shows depends on the others, too.
      const isSame = isAlike && known?.workspace === workspace && workspace.phase !== 'queued'
      next.set(
        workspace.name,
        isSame ? known : renewed(known, workspace, adminRow(state, workspace, moment)),
      )
    }
    entries = next
    const rows = [...next.values()].map(({ row }) => row).sort(byPerson)
    const overview = overviewOf(state, moment, {
      isReady: workspaces.ready(),
      disk: disk?.look() ?? {},
      volumes: workspaces.homesTotal(),
    })
    return { rows, overview, mark: `${epoch}.${number}` }
  }

  function renewed(known: Entry | undefined, workspace: Workspace, row: AdminRow): Entry {
    const json = JSON.stringify(row)
    if (known?.json === json) return { ...known, workspace }
    number += 1
    return { workspace, json, row: { ...row, changed: number } }
  }

  return {
    look,
    since({ rows }, mark) {
      const [of, after] = mark.split('.')
      return of === epoch ? rows.filter(({ changed }) => changed > Number(after)) : rows
    },
  }
}

function byPerson(a: AdminRow, b: AdminRow): number {
  const [one = '\uffff', other = '\uffff'] = [a.people[0], b.people[0]]
  if (one !== other) return one < other ? -1 : 1
  return a.id < b.id ? -1 : 1
}
