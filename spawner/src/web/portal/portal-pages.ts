// Renders the pages of the portal, and single cards for its event stream. The views (eta, autoEscape) escape every value.
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import type { Person } from '@berth/shared/contract'
import { problemStatus, problemTitle, type ProblemCode } from '@berth/shared/problems'
import { leftText, utcText } from '../pages/durations.ts'
import type { Assets } from '../pages/assets.ts'
import { scriptGuard } from '../pages/script-guard.ts'
import { siteOf } from '../pages/pages.ts'
import { plainText } from '../http/plain-text.ts'
import type { WebSettings } from '../http/settings.ts'
import type { Card } from './card.ts'
import type { FormTokens } from './form-token.ts'
import { problemWords } from './words.ts'

export interface RenderedCard {
  readonly id: string
  /** Changes with what the card shows, but not with the time that passes or the token of its forms. */
  readonly version: string
  readonly html: string
  /** For screen readers. */
  readonly title: string
  readonly label: string
}

export interface PortalPages {
  home(person: Person, cards: readonly Card[], more: HomeExtras): string
  card(person: Person, card: Card): RenderedCard
  log(person: Person, log: ShownLog): string
  /** @param detail of a request that was refused; absent: the page explains the code */
  problem(person: Person, code: ProblemCode, detail?: string): string
}

export interface HomeExtras {
  readonly notice: string | undefined
  /** The page has a link to the administrator's page. */
  readonly administers: boolean
}

export interface ShownLog {
  readonly title: string
  readonly workspace: string
  readonly lines: readonly string[]
}

export function createPortalPages(deps: {
  settings: WebSettings
  assets: Assets
  tokens: FormTokens
  /** What administrators announce; empty: nothing. */
  message: () => string
  wallNow: () => number
}): PortalPages {
  const { settings, assets, tokens, message, wallNow } = deps
  const views = fileURLToPath(new URL('./views', import.meta.url))
  const eta = new Eta({ views, cache: true, autoEscape: true })
  const site = siteOf(settings)

  function render(view: 'home' | 'card' | 'log' | 'problem', person: Person, more: object): string {
    const now = wallNow()
    return eta.render(view, {
      site,
      message: message(),
      assets,
      user: plainText(person.name, 300),
      token: tokens.give(person),
      now: new Date(now).toISOString(),
      format: { left: (at: string) => leftText(Date.parse(at) - now), utcText },
      ...more,
    })
  }

  const card = (person: Person, shown: Card): RenderedCard => {
    const version = createHash('sha256').update(JSON.stringify(shown)).digest('base64url')
    const { id, title, label } = shown
    const short = version.slice(0, 16)
    const html = render('card', person, { card: shown, version: short })
    return { id, version: short, html, title, label }
  }

  return {
    card,
    home: (person, cards, more) =>
      render('home', person, {
        tab: 'Your workspaces',
        cards: cards.map((one) => card(person, one)),
        ...more,
        scriptGuard,
        refresh: cards.some(({ phase }) => moving.has(phase)) ? 5 : undefined,
      }),
    log: (person, log) => render('log', person, { ...log, tab: `Log of ${log.title}` }),
    problem: (person, code, detail) =>
      render('problem', person, {
        tab: problemTitle(code),
        title: problemTitle(code),
        code,
        status: problemStatus(code),
        words: detail === undefined ? problemWords(code) : [detail, ...refusalWords(code)],
        isRefusal: detail !== undefined,
      }),
  }
}

/** A page that does not exist is no template that does not exist. */
const refusalWords = (code: ProblemCode): readonly string[] =>
  code === 'template_unknown' ? [] : problemWords(code)

/** These phases end by themselves, so a page without script reloads itself. */
const moving: ReadonlySet<Card['phase']> = new Set([
  'queued',
  'pulling',
  'creating',
  'starting',
  'probing',
  'stopping',
])
