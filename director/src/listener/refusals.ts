// How a refusal or failure is shown: as a plain page to a person, as problem+json to every other client.
import { createHash } from 'node:crypto'
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  createProblem,
  problemMediaType,
  type Problem,
  type ProblemCode,
  type ProblemExtras,
} from '@berth/shared/problems'
import type { Failed } from '../forward/outcome.ts'

export interface Refusals {
  problem(code: ProblemCode, detail: string, extras?: ProblemExtras): Problem
  /** @returns bytes of the body */
  toResponse(response: ServerResponse, problem: Problem, asPage: boolean): number
  /** For an upgrade, which has no response object. Ends the socket. @returns bytes of the body */
  toSocket(socket: Duplex, problem: Problem): number
}

const style = `
:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:Canvas;color:CanvasText}
main{max-width:32rem;padding:2rem 1.25rem}
h1{font-size:1.35rem;line-height:1.3;margin:0 0 .75rem}
p{margin:0 0 1rem}
small{opacity:.7}
a{color:LinkText}
`
const styleHash = createHash('sha256').update(style).digest('base64')

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
} as const

const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

const graceMs = 2_000
const retryAfterSeconds = 5
/** Problems that end by themselves: a page reloads itself, and a client is told when to retry. */
const temporary: ReadonlySet<ProblemCode> = new Set([
  'spawner_unreachable',
  'starting',
  'shutting_down',
  'limit_connections',
  'limit_total',
  'queue_full',
  'engine_unreachable',
])

/** What a failed attempt at forwarding is called. */
export function failureDetail({ code, cause }: Pick<Failed, 'code' | 'cause'>): string {
  switch (code) {
    case 'workspace_unreachable':
      return 'The workspace closed the connection before it answered.'
    case 'answer_malformed':
      return `The application answered, but its answer is not valid HTTP. ${cause.message}.`
    case 'workspace_timeout':
      return 'The workspace did not answer in time.'
    case 'bad_request':
      return 'Berth cannot forward this request as it is.'
  }
}

export const tooManyDetail =
  'You have too many requests or connections open at once. Close some pages, or wait until some requests have ended.'

/** @param base the base URL of the pages that explain problems */
export function createRefusals(base: string | undefined): Refusals {
  function render(problem: Problem, asPage: boolean): [Record<string, string>, Buffer] {
    const body = Buffer.from(asPage ? renderPage(problem) : JSON.stringify(problem))
    const again = String(retryAfterSeconds)
    const isTemporary = temporary.has(problem.code)
    return [
      {
        ...(asPage ? pageHeaders : { 'content-type': problemMediaType }),
        ...headers,
        ...(isTemporary ? { 'retry-after': again } : {}),
        ...(isTemporary && asPage ? { refresh: again } : {}),
        'content-length': String(body.length),
      },
      body,
    ]
  }

  return {
    problem: (code, detail, extras) => createProblem(base, code, detail, extras),
    toResponse(response, problem, asPage) {
      const [fields, body] = render(problem, asPage)
      response.writeHead(problem.status, fields)
      response.end(body)
      return body.length
    },
    toSocket(socket, problem) {
      const [fields, body] = render(problem, false)
      const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
      const reason = STATUS_CODES[problem.status] ?? ''
      const head = `HTTP/1.1 ${problem.status} ${reason}\r\n${lines.join('')}connection: close\r\n\r\n`
      socket.end(Buffer.concat([Buffer.from(head), body]))
      // A client that does not close the connection must not keep it.
      const grace = setTimeout(() => socket.destroy(), graceMs)
      grace.unref()
      socket.once('close', () => clearTimeout(grace))
      socket.resume()
      return body.length
    },
  }
}

function renderPage({ title, detail, code, status }: Problem): string {
  const again = temporary.has(code) ? '<p>This page reloads itself every few seconds.</p>' : ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<main role="alert">
<h1>${escape(title)}</h1>
<p>${escape(detail)}</p>
${again}
<p><a href="">Try again</a></p>
<p><small>${status} ${escape(code)}</small></p>
</main>
</body>
</html>
`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
