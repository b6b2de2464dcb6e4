// What the director adds to the end of a page. A browser runs a script that follows `</html>` as part of the page, so nothing
// of the page has to be understood or held back.
import { filterHeaders, firstValueOf } from '../headers/raw-headers.ts'

/** What follows the last byte of an answer, and the headers with its length. */
export interface AnswerEnd {
  readonly headers: readonly string[]
  readonly bytes: Buffer
}

/** @param headers scrubbed @returns undefined: the answer stays as it is */
export type EndAnswer = (status: number, headers: readonly string[]) => AnswerEnd | undefined

/**
 * The request of a page that a script may be added to, or undefined. A frame of a page has the script of that page.
 * @param rawHeaders of the request
 */
export function askForPage(rawHeaders: readonly string[]): string[] | undefined {
  const destination = firstValueOf(rawHeaders, 'sec-fetch-dest') ?? 'document'
  if (!shown.has(destination)) return undefined
  const kept = filterHeaders(rawHeaders, (name) => !notOfPages.has(name))
  return [...kept, 'Accept-Encoding', 'identity']
}

/** A service worker that passes a navigation on names no destination. Such a frame cannot be told from a page. */
const shown: ReadonlySet<string> = new Set(['document', 'empty'])

/** Nothing can be added to a compressed page, nor to one that the browser keeps: a script of the application, such as the
 * installation of its service worker, may have asked for it without what is added. */
const notOfPages: ReadonlySet<string> = new Set([
  'accept-encoding',
  'if-none-match',
  'if-modified-since',
])

/** They name the page as the application sent it, and another one follows (RFC 9110, 8.8.1). */
const validators: ReadonlySet<string> = new Set(['etag', 'last-modified'])

/** @param source the path of a module */
export function endWithScript(source: string): EndAnswer {
  const bytes = Buffer.from(`<script type="module" src="${source}"></script>\n`)
  return (status, headers) =>
    status === 200 && isWholePage(headers)
      ? { headers: endedHeaders(headers, bytes.length), bytes }
      : undefined
}

/** A page in HTML, as it is and in an encoding that has the bytes of ASCII, which the browser shows and may be changed. */
function isWholePage(headers: readonly string[]): boolean {
  const value = (name: string): string => firstValueOf(headers, name) ?? ''
  const type = value('content-type')
  return (
    /^\s*text\/html\b/i.test(type) &&
    !/utf-(16|32)/i.test(type) &&
    /^(identity)?$/i.test(value('content-encoding').trim()) &&
    !/^\s*attachment\b/i.test(value('content-disposition')) &&
    !/\bno-transform\b/i.test(value('cache-control'))
  )
}

function endedHeaders(headers: readonly string[], by: number): string[] {
  const kept = filterHeaders(headers, (name) => !validators.has(name))
  return kept.map((part, at) =>
    at % 2 === 1 && kept[at - 1]?.toLowerCase() === 'content-length'
      ? String(Number(part) + by)
      : part,
  )
}
