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
import { longestName, shownFingerprint, type RegisteredKey } from '../../ssh/keys.ts'
import type { TerminalSignIn } from '../../ssh/terminal-sign-ins.ts'
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
  keys(person: Person, keys: readonly RegisteredKey[], more: KeysExtras): string
  /** @param expired the person has answered too late, and is asked again */
  terminalSignIn(person: Person, signIn: TerminalSignIn, expired: boolean): string
  /** @param words a title, and what follows */
  signInDone(person: Person, words: readonly string[]): string
  /** @param detail of a request that was refused; absent: the page explains the code */
  problem(person: Person, code: ProblemCode, detail?: string): string
}

export interface HomeExtras {
  readonly notice: string | undefined
  /** The page has a link to the administrator's page. */
  readonly administers: boolean
}

export interface KeysExtras {
  readonly notice?: string | undefined
  readonly draft?: KeysDraft
}

/** What a person wrote into the forms, and why it was refused. */
export interface KeysDraft {
  readonly complaint: string
  readonly about: 'key' | 'address'
  readonly key: string
  readonly name: string
  readonly address: string
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
  /** Whether a workspace can be reached by SSH. */
  offersSsh: () => boolean
  wallNow: () => number
}): PortalPages {
  const { settings, assets, tokens, message, offersSsh, wallNow } = deps
  const views = fileURLToPath(new URL('./views', import.meta.url))
  const eta = new Eta({ views, cache: true, autoEscape: true })
  const site = siteOf(settings)

  type View = 'home' | 'card' | 'log' | 'problem' | 'keys' | 'terminal' | 'terminal-done'
  function render(view: View, person: Person, more: object): string {
    const now = wallNow()
    return eta.render(view, {
      site,
      message: message(),
      offersSsh: offersSsh(),
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
    keys: (person, keys, { notice, draft }) =>
      render('keys', person, {
        tab: 'SSH keys',
        notice,
        draft,
        longestName,
        forges: settings.keyForges ?? [],
        keys: keys.map((key) => ({
          name: plainText(key.name, longestName) || 'No name',
          type: key.type,
          fingerprint: shownFingerprint(key),
          addedAt: isoOf(key.addedAt),
          usedAt: key.usedAt === undefined ? undefined : isoOf(key.usedAt),
        })),
      }),
    terminalSignIn: (person, { code, address, program, key, endsAt }, expired) =>
      render('terminal', person, {
        tab: 'Sign in from a terminal',
        code,
        address: plainText(address, 100),
        program: plainText(program, 100),
        fingerprint: key === undefined ? undefined : fingerprintOfLine(key),
        endsAt: isoOf(endsAt),
        expired,
      }),
    signInDone: (person, [title = '', text = '']) =>
      render('terminal-done', person, { tab: title, title, text }),
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

const isoOf = (at: number): string => new Date(at).toISOString()

const fingerprintOfLine = (line: string): string =>
  shownFingerprint({ key: line.split(' ')[1] ?? '' })

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
