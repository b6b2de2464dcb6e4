// Renders the administrator's pages. The views (eta, autoEscape) escape every value.
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import type { Person } from '@berth/shared/contract'
import type { Usage } from '../../loop/usage.ts'
import type { Assets } from '../pages/assets.ts'
import { ageText, leftText, spanText, utcText } from '../pages/durations.ts'
import { scriptGuard } from '../pages/script-guard.ts'
import { siteOf } from '../pages/pages.ts'
import { plainText } from '../http/plain-text.ts'
import type { WebSettings } from '../http/settings.ts'
import { actWords, type AdminAct } from './acts.ts'
import type { BoardRow, Seen } from './board.ts'
import { isShown, states, textOf, type Filter } from './filter.ts'
import type { Overview } from './overview.ts'
import { showUsage } from './shown-usage.ts'
import { rowStepWords } from './words.ts'

export interface FramedPage {
  /** The title of the tab. */
  readonly tab: string
  /** The entry of the navigation that the page belongs to. */
  readonly current: (typeof navigation)[number]['path']
  /** HTML, escaped already. */
  readonly body: string
  /** The page keeps itself up to date: by the script of this path, or without script by a reload. */
  readonly live?: { readonly script: string; readonly refreshS: number }
}

/** Puts a page into the frame of all administrator's pages: header, navigation, style. */
export type AdminFrame = (person: Person, page: FramedPage) => string

export interface AdminPages {
  readonly frame: AdminFrame
  now(person: Person, seen: Seen, more: NowExtras): string
  overview(overview: Overview): string
  row(row: BoardRow): string
  /** The cell of a row. */
  usage(row: BoardRow): string
  totalUsage(): string
  confirm(person: Person, asked: Confirmation): string
  house(person: Person, house: ShownHouse, more: HouseExtras): string
  openAs(person: Person, opened: readonly ShownOpened[], more: HouseExtras): string
  openAsQuestion(person: Person, asked: OpenAsQuestion): string
}

export interface NowExtras {
  readonly filter: Filter
  readonly templates: readonly { readonly name: string; readonly title: string }[]
  readonly notice: string | undefined
}

export interface Confirmation {
  readonly act: AdminAct
  readonly row: BoardRow
  readonly token: string
  /** Why the form came back. */
  readonly complaint?: string | undefined
  readonly why?: string
}

export interface ShownHouse {
  readonly message: string
  readonly maintenance: string | undefined
  readonly templates: readonly {
    readonly name: string
    readonly title: string
    /** Absent: it is open. */
    readonly closed?: string | undefined
  }[]
}

export interface HouseExtras {
  readonly notice: string | undefined
  readonly token: string
}

/** A workspace that an administrator has opened as its owner. */
export interface ShownOpened {
  readonly id: string
  readonly workspace: string
  readonly by: string
  readonly owner: string
  readonly why: string
  readonly until: string
  /** Only for the administrator who opened it. */
  readonly url?: string
}

export interface OpenAsQuestion {
  readonly row: BoardRow
  readonly token: string
  readonly complaint?: string | undefined
  readonly why?: string
}

export const navigation = [
  { path: '/admin', label: 'Now' },
  { path: '/admin/history', label: 'History' },
  { path: '/admin/charts', label: 'Charts' },
  { path: '/admin/house', label: 'House rules' },
  { path: '/admin/open-as', label: 'Opened' },
] as const

type View =
  | 'now'
  | 'overview'
  | 'row'
  | 'usage'
  | 'total'
  | 'confirm'
  | 'house'
  | 'open-as'
  | 'open-as-question'

/** How often the page reloads itself where there is no script. */
const refreshS = 15

export function createAdminPages(deps: {
  settings: WebSettings
  assets: Assets
  usage: Pick<Usage, 'of' | 'total'> | undefined
  /** Administrators can open workspaces as their owners. */
  opensAs: boolean
  wallNow: () => number
}): AdminPages {
  const { settings, assets, opensAs, wallNow } = deps
  const shownNavigation = navigation.filter(({ path }) => opensAs || path !== '/admin/open-as')
  const views = fileURLToPath(new URL('./views', import.meta.url))
  const eta = new Eta({ views, cache: true, autoEscape: true })
  const site = siteOf(settings)

  const frame: AdminFrame = (person, page) =>
    eta.render('frame', {
      ...page,
      site,
      assets,
      navigation: shownNavigation,
      scriptGuard,
      user: plainText(person.name, 300),
      now: new Date(wallNow()).toISOString(),
    })

  function render(view: View, values: object): string {
    const now = wallNow()
    const format = {
      age: (at: string) => ageText(now - Date.parse(at)),
      left: (at: string) => leftText(Date.parse(at) - now),
      spanText,
      utcText,
    }
    return eta.render(view, { ...values, format, words: { acts: actWords, steps: rowStepWords } })
  }

  const usage = ({ id, generation }: BoardRow): string => {
    const found = generation === undefined ? undefined : deps.usage?.of(generation)
    return render('usage', { id, usage: found && showUsage(found) })
  }
  const totalUsage = (): string => {
    const found = deps.usage?.total()
    return render('total', { total: found && showUsage(found) })
  }
  const row = (shown: BoardRow): string =>
    render('row', { row: shown, opensAs, text: textOf(shown), usage: usage(shown) })
  const overview = (shown: Overview): string => render('overview', { overview: shown })

  return {
    frame,
    row,
    overview,
    usage,
    totalUsage,
    now(person, { rows, overview: shown, mark }, { filter, ...more }) {
      const wanted = rows.filter((one) => isShown(one, filter))
      const body = render('now', {
        ...more,
        filter,
        states,
        // The stream brings the rows that the filter left out, so that the script can filter anew.
        mark: wanted.length === rows.length ? mark : '',
        total: rows.length,
        overview: overview(shown),
        usage: totalUsage(),
        rows: wanted.map(row),
      })
      const live = { script: assets.adminScript, refreshS }
      return frame(person, { tab: 'Now', current: '/admin', body, live })
    },
    house(person, house, more) {
      const body = render('house', { house, ...more })
      return frame(person, { tab: 'House rules', current: '/admin/house', body })
    },
    openAs(person, opened, more) {
      const body = render('open-as', { opened, ...more })
      return frame(person, { tab: 'Opened', current: '/admin/open-as', body })
    },
    openAsQuestion(person, asked) {
      const tab = `Open ${asked.row.id} as its owner?`
      const body = render('open-as-question', { question: tab, why: '', ...asked })
      return frame(person, { tab, current: '/admin/open-as', body })
    },
    confirm(person, asked) {
      const { act, row: shown } = asked
      const question = actWords[act].question(shown.id)
      const body = render('confirm', { ...asked, question, effect: actWords[act].effect })
      return frame(person, { tab: question, current: '/admin', body })
    },
  }
}
