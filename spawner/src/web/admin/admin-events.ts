// The administrator's page as a stream of events: what has changed since the page was made, as HTML.
import type { Response } from 'express'
import type { Person } from '@berth/shared/contract'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { Usage } from '../../loop/usage.ts'
import { openEventStream } from '../http/event-stream.ts'
import { closeTabs, createStreamLimit } from '../http/stream-limit.ts'
import type { AdminPages } from './admin-pages.ts'
import type { Board } from './board.ts'

export interface AdminEvents {
  /** @param mark of the page */
  open(response: Response, person: Person, mark: string): void
}

/** Several changes are sent together. */
const gatherMs = 200
/** How often what no phase announces is looked at: last activity, positions, engine. */
const everyMs = 5_000
/** A stream of another process begins with all rows at once. */
const maxPendingBytes = 16 * 1024 * 1024
const maxStreams = 20

export function createAdminEvents(deps: {
  workspaces: Workspaces
  usage: Pick<Usage, 'watch'> | undefined
  board: Board
  pages: AdminPages
}): AdminEvents {
  const { workspaces, usage, board, pages } = deps
  const streams = createStreamLimit(maxStreams, 'administrator’s pages', closeTabs)

  function open(response: Response, { name }: Person, mark: string): void {
    const taken = streams.take(name)
    let told = mark
    let order = ''
    let overview = ''
    const toldUsage = new Map<string, string>()
    let later: NodeJS.Timeout | undefined
    const stream = openEventStream(response, maxPendingBytes, {
      onDrain: () => tell(),
      onClose() {
        clearInterval(regular)
        clearTimeout(later)
        following[Symbol.dispose]()
        watching?.[Symbol.dispose]()
        taken[Symbol.dispose]()
      },
    })

    function tell(): void {
      clearTimeout(later)
      later = undefined
      if (stream.closed || !stream.flowing) return
      const seen = board.look()
      const changed = board.since(seen, told)
      const ids = seen.rows.map(({ id }) => id)
      const json = JSON.stringify(ids)
      if (changed.length > 0 || json !== order)
        stream.send('rows', {
          ids: json === order ? undefined : ids,
          rows: changed.map((row) => ({ id: row.id, html: pages.row(row) })),
        })
      order = json
      told = seen.mark
      const shown = JSON.stringify(seen.overview)
      if (shown !== overview) stream.send('overview', { html: pages.overview(seen.overview) })
      overview = shown
    }

    /** The cells that differ from what the page has. */
    function tellUsage(): void {
      if (stream.closed || !stream.flowing) return
      const cells: { id: string; html: string }[] = []
      const present = board.look().rows
      for (const row of present) {
        const html = pages.usage(row)
        if (toldUsage.get(row.id) === html) continue
        toldUsage.set(row.id, html)
        cells.push({ id: row.id, html })
      }
      const ids = new Set(present.map(({ id }) => id))
      for (const id of toldUsage.keys()) if (!ids.has(id)) toldUsage.delete(id)
      stream.send('usage', { total: pages.totalUsage(), cells })
    }

    const changed = (): void => {
      later ??= setTimeout(tell, gatherMs)
    }
    const following = workspaces.followAll(changed)
    const watching = usage?.watch(tellUsage)
    const regular = setInterval(tell, everyMs)
    tell()
  }

  return { open }
}
