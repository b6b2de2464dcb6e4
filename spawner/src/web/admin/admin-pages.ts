// Renders the administrator's pages. The views (eta, autoEscape) escape every value.
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import type { Person } from '@berth/shared/contract'
import type { Assets } from '../pages/assets.ts'
import { siteOf } from '../pages/pages.ts'
import { plainText } from '../http/plain-text.ts'
import type { WebSettings } from '../http/settings.ts'

export interface FramedPage {
  /** The title of the tab. */
  readonly tab: string
  /** The entry of the navigation that the page belongs to. */
  readonly current: (typeof navigation)[number]['path']
  /** HTML, escaped already. */
  readonly body: string
}

/** Puts a page into the frame of all administrator's pages: header, navigation, style. */
export type AdminFrame = (person: Person, page: FramedPage) => string

export interface AdminPages {
  readonly frame: AdminFrame
  now(person: Person): string
}

export const navigation = [
  { path: '/admin', label: 'Now' },
  { path: '/admin/history', label: 'History' },
] as const

export function createAdminPages(deps: {
  settings: WebSettings
  assets: Assets
  wallNow: () => number
}): AdminPages {
  const { settings, assets, wallNow } = deps
  const views = fileURLToPath(new URL('./views', import.meta.url))
  const eta = new Eta({ views, cache: true, autoEscape: true })
  const site = siteOf(settings)

  const frame: AdminFrame = (person, page) =>
    eta.render('frame', {
      ...page,
      site,
      assets,
      navigation,
      user: plainText(person.name, 300),
      now: new Date(wallNow()).toISOString(),
    })

  return {
    frame,
    now: (person) => frame(person, { tab: 'Now', current: '/admin', body: eta.render('now', {}) }),
  }
}
