// Asks the spawner to freeze a workspace while its files are copied. The spawner decides: it freezes nobody's workspace that
// is in use, and thaws it for a person who comes meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import { internalPaths } from '@berth/shared/contract'
import { abortAfter } from '@berth/shared/deadline'
import type { Secret } from '@berth/shared/secret'
import { z } from 'zod'

export interface Hold {
  /** Ends the hold. @returns whether the workspace was frozen all the time */
  end(): Promise<boolean>
}

const heldSchema = z.object({ phase: z.string(), since: z.number() })
type Held = z.infer<typeof heldSchema>

/** After a use, a lease lasts less than that. */
const frozenWithinMs = 60_000
const askEveryMs = 1_000
/** A hold is asked for again long before it is over. */
const holdMs = 300_000
const againEveryMs = 60_000

/** What it returns is `undefined` if there is no spawner that could be asked, or it does not know the workspace. */
export function createHold(spawner: { readonly url: string; readonly secret: Secret }) {
  const authorization = `Bearer ${spawner.secret.reveal()}`

  async function call(method: 'POST' | 'DELETE', workspace: string): Promise<Held | undefined> {
    try {
      const answer = await fetch(new URL(internalPaths.hold(workspace), spawner.url), {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        ...(method === 'POST' ? { body: JSON.stringify({ ms: holdMs }) } : {}),
        signal: abortAfter(10_000),
      })
      const body: unknown = await answer.json()
      return answer.ok ? heldSchema.parse(body) : undefined
    } catch {
      // No spawner runs, or an older one: the files are copied as they are.
      return undefined
    }
  }

  return async (workspace: string, signal: AbortSignal): Promise<Hold | undefined> => {
    const until = Date.now() + frozenWithinMs
    let held = await call('POST', workspace)
    while (held?.phase === 'ready' && Date.now() < until && !signal.aborted) {
      await sleep(askEveryMs, undefined, { signal }).catch(() => undefined)
      held = await call('POST', workspace)
    }
    if (held === undefined) return undefined
    const { since } = held
    const timer = setInterval(() => void call('POST', workspace), againEveryMs)
    return {
      async end() {
        clearInterval(timer)
        const last = await call('DELETE', workspace)
        return last?.phase === 'frozen' && last.since === since
      },
    }
  }
}
