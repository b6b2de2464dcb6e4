// How large homes are. The engine tells it only by reading every file of every volume, so a person has to ask for it, and
// one answer serves all people for an hour. Decides nothing.
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import type { Template } from '../templates/template.ts'
import type { Engine } from './engine.ts'

export interface HomeSize {
  readonly bytes?: number
  /** When it was computed, by the wall clock. */
  readonly at?: number
  readonly isMeasuring: boolean
  /** It is unknown, or old enough to be computed again. */
  readonly mayMeasure: boolean
}

export interface HomeSizes extends AsyncDisposable {
  /** `undefined`: the template has no home, or there is no such volume yet. */
  of(template: Template, owner: Person): HomeSize | undefined
  /** Of all volumes of this instance, as they were computed last. */
  total(): { readonly count: number; readonly bytes: number; readonly at: number } | undefined
  /** Begins to compute the sizes, unless that is under way or was done a short time ago. */
  measure(): void
  /** Calls back when that begins and ends, until disposed. */
  follow(changed: () => void): Disposable
}

const deadlineMs = 10 * 60_000
const againAfterMs = 3_600_000
const againAfterFailureMs = 10 * 60_000

export function createHomeSizes(deps: {
  engine: Pick<Engine, 'homeOf' | 'volumeSizes'>
  /** The volume exists. */
  exists: (volume: string) => boolean
  clock: Clock
  log: Log
}): HomeSizes {
  const { engine, exists, clock, log } = deps
  const ends = new AbortController()
  let sizes: ReadonlyMap<string, number> = new Map()
  let at: number | undefined
  let notBefore = Number.NEGATIVE_INFINITY
  let running: Promise<void> | undefined
  const followers = new Set<() => void>()
  const changed = (): void => {
    for (const follower of [...followers]) follower()
  }

  const mayMeasure = (): boolean => running === undefined && notBefore <= clock.now()

  async function compute(): Promise<void> {
    const began = clock.now()
    try {
      sizes = await engine.volumeSizes(AbortSignal.any([ends.signal, abortAfter(deadlineMs)]))
      at = clock.wall()
      notBefore = clock.now() + againAfterMs
      log.info({ volumes: sizes.size, ms: Math.round(clock.now() - began) }, 'homes measured')
    } catch (error) {
      notBefore = clock.now() + againAfterFailureMs
      if (!ends.signal.aborted) log.warn({ error }, 'homes could not be measured')
    }
  }

  return {
    of(template, owner) {
      const volume = engine.homeOf(template, owner)
      if (volume === undefined || !exists(volume)) return undefined
      const bytes = sizes.get(volume)
      return {
        ...(bytes === undefined || at === undefined ? {} : { bytes, at }),
        isMeasuring: running !== undefined,
        mayMeasure: mayMeasure(),
      }
    },
    total() {
      if (at === undefined) return undefined
      return { count: sizes.size, bytes: sizes.values().reduce((sum, one) => sum + one, 0), at }
    },
    measure() {
      if (!mayMeasure() || ends.signal.aborted) return
      running = compute().finally(() => {
        running = undefined
        changed()
      })
      changed()
    },
    follow(wanted) {
      // A function of its own for each call: the same one may follow twice.
      const follower = (): void => wanted()
      followers.add(follower)
      return { [Symbol.dispose]: () => void followers.delete(follower) }
    },
    async [Symbol.asyncDispose]() {
      ends.abort()
      await running
    },
  }
}
