// Renders the pages as HTML and sets their security headers. The views (eta, autoEscape) escape every value.
import { fileURLToPath } from 'node:url'
import type { Response } from 'express'
import { Eta } from 'eta'
import { phaseHeader, type ShownPhase } from '@berth/shared/contract'
import { isGuestName } from '@berth/shared/names'
import type { Assets } from './assets.ts'
import { standstillPath } from '../http/local-path.ts'
import type { Told } from '../../impersonations.ts'
import { openedText } from './opened-text.ts'
import type { Page } from './page-model.ts'
import { plainText } from '../http/plain-text.ts'
import type { WebSettings } from '../http/settings.ts'
import { clockText, estimateText, spanText, utcText } from './durations.ts'
import { scriptGuard, scriptGuardSource } from './script-guard.ts'
import { phaseNames, phaseWords, stateWords, stepWords, waitWords } from './words.ts'

export interface PageContext {
  readonly userName: string | undefined
  /** The title of the workspace, such as `JupyterLab`. */
  readonly title: string
  /** The address that the person wants to open. */
  readonly target: string
  /** The path of the route before `/.berth/`. */
  readonly base: string
  /** The address of the page is `/.berth/`, not the target. */
  readonly standstill: boolean
  /** Other workspaces of the person can be stopped on this page. */
  readonly stopsOthers: boolean
}

export interface Pages {
  send(response: Response, page: Page, context: PageContext): void
}

/** What the pages announce. */
export interface Announced {
  /** What administrators announce; empty: nothing. */
  readonly message: () => string
  /** An administrator has opened the workspace as that person, its owner. */
  readonly opened: (workspace: string, person: string) => Told | undefined
  readonly wallNow: () => number
}

export function createPages(
  settings: WebSettings,
  assets: Assets,
  { message, opened, wallNow }: Announced,
): Pages {
  const views = fileURLToPath(new URL('./views', import.meta.url))
  const eta = new Eta({ views, cache: true, autoEscape: true })
  const headers = guardHeaders(settings.frameAncestors)
  const site = siteOf(settings)
  const words = {
    steps: stepWords,
    states: stateWords,
    names: phaseNames,
    // The script gets these texts from here, so that each text is written only once.
    phases: JSON.stringify(phaseWords),
    waits: JSON.stringify(waitWords),
    stateList: JSON.stringify(stateWords),
  }
  const format = { clockText, estimateText, spanText, utcText, plainText }

  return {
    send(response, page, context) {
      const refresh = refreshText(page, context)
      const manage = `${context.base}/.berth/`
      const standstillBack =
        context.target === `${context.base}/`
          ? manage
          : standstillPath(context.base, context.target)
      const isGuest = context.userName !== undefined && isGuestName(context.userName)
      const html = eta.render(page.kind, {
        page,
        // A guest has no portal, and nothing to sign out of.
        site: isGuest ? { ...site, portalUrl: undefined, signOutUrl: undefined } : site,
        isGuest,
        message: message(),
        opened: openedText(
          context.userName === undefined
            ? undefined
            : opened(page.status.workspace, context.userName),
          wallNow(),
        ),
        assets: {
          style: context.base + assets.style,
          script: context.base + assets.script,
          modules: assets.modules.map((path) => context.base + path),
          clock: context.base + assets.clock,
          icon: context.base + assets.icon,
        },
        base: context.base,
        words,
        format,
        refresh,
        scriptGuard,
        followed: page.status.template === '' ? undefined : JSON.stringify(page.status),
        title: plainText(context.title, 100),
        userName: context.userName === undefined ? undefined : plainText(context.userName, 300),
        target: context.target,
        standstill: context.standstill,
        stopsOthers: context.stopsOthers,
        manage,
        // From a page that is not at the target, a click leads back to that page and starts nothing.
        back: context.standstill ? standstillBack : context.target,
        /** Where a button posts to. The address has the destination, too: when the session has expired, the gateway asks
         * for it again after the sign-in, without the body. */
        formAction: (name: string, to: string) =>
          `${context.base}/.berth/${name}?to=${encodeURIComponent(to)}`,
        afterCancel: standstillPath(context.base, context.target),
      })
      response.status(context.standstill ? 200 : page.httpStatus)
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
      response.setHeader(phaseHeader, page.status.phase)
      if (page.retryAfterS !== undefined && !context.standstill)
        response.setHeader('retry-after', String(page.retryAfterS))
      response.end(html)
    },
  }
}

/** In these phases the target is served. A director holds the request until a frozen workspace has woken. */
const leavesFrom: ReadonlySet<ShownPhase> = new Set(['ready', 'frozen'])

/** The content of a `<meta http-equiv=refresh>`, for browsers without script, and for pages whose script did not load. */
function refreshText(page: Page, context: PageContext): string | undefined {
  if (!page.refreshes) return undefined
  const seconds = page.retryAfterS ?? 5
  if (page.starts === false && !context.standstill)
    return `${seconds};url=${standstillPath(context.base, context.target)}`
  const leaves = context.standstill && leavesFrom.has(page.status.phase)
  return leaves ? `0;url=${context.target}` : String(seconds)
}

/** What every page says of the site. */
export function siteOf(settings: WebSettings) {
  return {
    title: settings.siteTitle,
    supportUrl: harmlessLink(settings.supportUrl),
    signOutUrl: harmlessLink(settings.signOutUrl),
    portalUrl: settings.portalUrl,
  }
}

export function guardHeaders(frameAncestors: string): Readonly<Record<string, string>> {
  // Remove the characters that would end the directive or the header.
  const ancestors = frameAncestors.replace(/[;,\r\n]/g, ' ').trim() || "'none'"
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    `script-src 'self' ${scriptGuardSource}`,
    "worker-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    // Browsers apply this to the redirects that follow a form: to the sign-in when the session has expired, or to
    // wherever the application redirects its first request. The pages' own forms lead to this origin.
    'form-action http: https:',
    "base-uri 'none'",
    `frame-ancestors ${ancestors}`,
  ]
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // With `no-referrer` browsers would send `Origin: null` with the pages' own forms.
    'referrer-policy': 'same-origin',
  }
}

/** The administrator is trusted, but a mistake in a setting (`javascript:`) must not become a link. */
function harmlessLink(link: string | undefined): string | undefined {
  return link !== undefined && /^(?:https?:\/\/|mailto:|\/(?!\/))/i.test(link) ? link : undefined
}
