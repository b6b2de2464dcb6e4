// Reads the activity of an application from its answer: Jupyter's status, its lists of kernels and terminals, or plain
// `{"busy", "last_activity" | "lastActivityAgoMs"}`. Any other answer reports nothing.
import { longestMs, type ActivityCheckResult } from '@berth/shared/contract'
import { z } from 'zod'

export type ReportedActivity = Pick<ActivityCheckResult, 'busy' | 'lastActivityAgoMs'>

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i
const moment = z.string().regex(time).transform(Date.parse).pipe(z.number())
const plain = z.object({
  busy: z.boolean().optional(),
  last_activity: moment.optional(),
  lastActivityAgoMs: z.number().nonnegative().optional(),
})
/** A kernel, or a terminal, which has no state. */
const listed = z
  .object({ execution_state: z.string().optional(), last_activity: moment.optional() })
  .refine((it) => it.execution_state !== undefined || it.last_activity !== undefined)
const list = z.array(listed)
const status = z.object({ kernels: z.number().nonnegative() })

/** @param answer parsed JSON; `undefined` without an answer @param wall milliseconds since 1970 */
export function readActivity(answer: unknown, wall: number): ReportedActivity {
  const items = list.safeParse(answer)
  if (items.success) {
    const busy = items.data.some(({ execution_state }) => execution_state === 'busy')
    const last = latest(items.data.map(({ last_activity }) => last_activity))
    return { busy, ...ago(last === undefined ? undefined : wall - last) }
  }
  const one = plain.safeParse(answer)
  if (!one.success) return {}
  const { busy, last_activity: at, lastActivityAgoMs } = one.data
  return {
    ...(busy === undefined ? {} : { busy }),
    ...ago(lastActivityAgoMs ?? (at === undefined ? undefined : wall - at)),
  }
}

/** Whether it is busy, from the second report; the last use, from the report with the later one. */
export function combine(first: ReportedActivity, second: ReportedActivity): ReportedActivity {
  const times = [first.lastActivityAgoMs, second.lastActivityAgoMs].filter((ms) => ms !== undefined)
  return { ...second, ...(times.length === 0 ? {} : { lastActivityAgoMs: Math.min(...times) }) }
}

const statusPath = /\/api\/status$/
const listPath = /\/api\/(?:kernels|terminals)$/

/** How many kernels Jupyter's status counts; `undefined` for any other answer. */
export function kernelsCounted(path: string, answer: unknown): number | undefined {
  return statusPath.test(path) ? status.safeParse(answer).data?.kernels : undefined
}

export function isArrayOfKernels(answer: unknown): boolean {
  return list.safeParse(answer).success
}

export function kernelsPath(path: string): string {
  return path.replace(statusPath, '/api/kernels')
}

/** Jupyter counts a request for its lists as activity, unless the query says otherwise. */
export function untracked(path: string): string {
  return listPath.test(path) ? `${path}?no_track_activity=1` : path
}

function latest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((at) => at !== undefined)
  return known.length === 0 ? undefined : known.reduce((a, b) => Math.max(a, b))
}

/** The container has the clock of this host, but the clock may have been set since: the time may lie ahead. */
function ago(ms: number | undefined): ReportedActivity {
  return ms === undefined ? {} : { lastActivityAgoMs: Math.min(longestMs, Math.max(0, ms)) }
}
