// The pages of the provider, with their content security policy. Every value is escaped by the templates.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Eta } from 'eta'
import type { Person } from './people.ts'

export interface Page {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Pages {
  signIn(values: { login: string; refused: boolean; returnHost: string }): Page
  signOut(formHtml: string): Page
  message(values: { title: string; text: string; detail?: string }): Page
}

const listed = 30

export function createPages(options: {
  people: readonly Person[]
  /** The targets of forms. Browsers also apply this list to redirects that follow a form. */
  formOrigins: readonly string[]
  startUrl: string
}): Pages {
  const folder = new URL('./pages/', import.meta.url)
  const eta = new Eta({ views: folder.pathname, cache: true, autoTrim: false })
  const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')
  const style = read('style.css')
  const scripts = { signIn: read('sign-in.js'), signOut: read('sign-out.js') }

  function page(template: string, values: { title: string; script?: string }): Page {
    const html = eta.render(template, { ...values, style })
    return { html, headers: headersFor(style, values.script, options.formOrigins) }
  }

  return {
    signIn: (values) =>
      page('sign-in', {
        title: 'Sign in',
        script: scripts.signIn,
        ...values,
        ...{ people: options.people.slice(0, listed), more: options.people.length - listed },
      }),
    signOut: (form) =>
      page('sign-out', { title: 'Sign out', script: scripts.signOut, ...{ form } }),
    message: ({ title, text, detail = '' }) =>
      page('message', {
        title,
        ...{ text, detail, link: options.startUrl, linkText: 'Start again' },
      }),
  }
}

function headersFor(
  style: string,
  script: string | undefined,
  formOrigins: readonly string[],
): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `style-src ${hashSource(style)}`,
    'img-src data:',
    `script-src ${script === undefined ? "'none'" : hashSource(script)}`,
    `form-action 'self' ${formOrigins.join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
