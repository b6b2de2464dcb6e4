// The service worker that a browser is given while a workspace does not run. A worker of the application that serves its
// pages from a cache would hide every page of Berth. Browsers ask for the worker anew after each page that it served, past
// the worker itself and past their cache, and so they replace it by this one. It answers nothing: pages come from the
// network again. The application's caches stay, and its own worker comes back when the application registers it.
import type { ProblemCode } from '@berth/shared/problems'
import { firstValueOf } from '../headers/raw-headers.ts'

export const restingWorker = Buffer.from(`// The workspace of this address is not running.
addEventListener('install', () => skipWaiting())
`)

export const restingWorkerHeaders = {
  'content-type': 'text/javascript; charset=utf-8',
  'content-length': String(restingWorker.length),
  'cache-control': 'no-store',
  'service-worker-allowed': '/',
  'x-content-type-options': 'nosniff',
} as const

/** The workspace stays as it is until a person does something. */
const resting: ReadonlySet<ProblemCode> = new Set([
  'workspace_stopped',
  'start_failed',
  'start_timeout',
  'image_missing',
  'template_forbidden',
  'workspace_unknown',
])

export function wantsRestingWorker(
  { method, rawHeaders }: { readonly method?: string | undefined; readonly rawHeaders: string[] },
  code: ProblemCode,
): boolean {
  return (
    method === 'GET' && resting.has(code) && firstValueOf(rawHeaders, 'service-worker') === 'script'
  )
}
