// Renders the pages as HTML and sets their security headers. The views (eta, autoEscape) escape every value.
import { fileURLToPath } from 'node:url'
import type { Response } from 'express'
import { Eta } from 'eta'
import { phaseHeader, type ShownPhase } from '@berth/shared/contract'
import type { Assets } from './assets.ts'
import { standstillPath } from '../http/local-path.ts'
import type { Page } from './page-model.ts'
import { plainText } from '../http/plain-text.ts'
import type { WebSettings } from '../http/settings.ts'
import { clockText, estimateText, spanText } from './durations.ts'
import { phaseWords, stateWords, stepWords, waitWords } from './words.ts'

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
}

export interface Pages {
  send(response: Response, page: Page, context: PageContext): void
}

export function createPages(settings: WebSettings, assets: Assets): Pages {
  const views = fileURLToPath(new URL('./views', import.meta.url))
  const eta = new Eta({ views, cache: true, autoEscape: true })
  const headers = guardHeaders(settings.frameAncestors)
  const site = {
    title: settings.siteTitle,
    supportUrl: harmlessLink(settings.supportUrl),
    signOutUrl: harmlessLink(settings.signOutUrl),
  }
  const words = {
    steps: stepWords,
    states: stateWords,
    // The script gets these texts from here, so that each text is written only once.
    phases: JSON.stringify(phaseWords),
    waits: JSON.stringify(waitWords),
    stateList: JSON.stringify(stateWords),
  }
  const format = { clockText, estimateText, spanText }

  return {
    send(response, page, context) {
      const html = eta.render(page.kind, {
        page,
        site,
        assets: {
          style: context.base + assets.style,
          script: context.base + assets.script,
          icon: context.base + assets.icon,
        },
        base: context.base,
        words,
        format,
        refresh: refreshText(page, context),
        title: plainText(context.title, 100),
        userName: context.userName === undefined ? undefined : plainText(context.userName, 300),
        target: context.target,
        standstill: context.standstill,
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

/** The content of a `<meta http-equiv=refresh>`, for browsers without script. */
function refreshText(page: Page, context: PageContext): string | undefined {
  if (!page.refreshes) return undefined
  const seconds = page.retryAfterS ?? 5
  const leaves = context.standstill && leavesFrom.has(page.status.phase)
  return leaves ? `0;url=${context.target}` : String(seconds)
}

function guardHeaders(frameAncestors: string): Readonly<Record<string, string>> {
  // Remove the characters that would end the directive or the header.
  const ancestors = frameAncestors.replace(/[;,\r\n]/g, ' ').trim() || "'none'"
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
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
