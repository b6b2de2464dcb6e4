// Watches the engine: hears its events, and looks at all of it at start, after each break and every so often.
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import type { Event } from '../policy/domain.ts'
import type { Engine } from './engine.ts'
import type { Reached } from './points.ts'
import type { SetTimer } from '@berth/shared/timer'

export interface Watch extends AsyncDisposable {
  /** Resolves after the first look, whether it succeeded or not. */
  start(): Promise<void>
  /** The engine's events are heard, so nothing is missed. */
  listening(): boolean
}

const lookDeadlineMs = 30_000
const firstRestMs = 250
const longestRestMs = 5_000

export function createWatch(deps: {
  engine: Engine
  clock: Clock
  setTimer: SetTimer
  log: Log
  everyMs: number
  tell: (event: Event) => void
  looked: (seconds: number) => void
  reached: Reached
}): Watch {
  const { engine, clock, log, tell, everyMs } = deps
  const ends = new AbortController()
  const { signal } = ends
  const first = Promise.withResolvers<void>()
  let work: Promise<unknown> = Promise.resolve()
  let isListening = false
  let isReachable = true
  let looking: Promise<void> | undefined
  let isWantedAgain = false

  /** One look at a time; who asks during one gets another after it. */
  function look(): Promise<void> {
    isWantedAgain = looking !== undefined
    looking ??= lookUntilCurrent().finally(() => {
      looking = undefined
    })
    return looking
  }

  async function lookUntilCurrent(): Promise<void> {
    do {
      isWantedAgain = false
      await lookOnce()
    } while (isWantedAgain && !signal.aborted)
  }

  async function lookOnce(): Promise<void> {
    const began = clock.now()
    try {
      await deps.reached('before-look')
      const deadline = AbortSignal.any([signal, abortAfter(lookDeadlineMs)])
      const seen = await engine.takeInventory(deadline)
      await deps.reached('after-look')
      if (signal.aborted) return
      if (!isReachable) log.info('engine reached again')
      isReachable = true
      tell({ type: 'inventory-taken', inventory: seen })
    } catch (error) {
      if (signal.aborted) return
      const detail = error instanceof Error ? error.message : String(error)
      if (isReachable) log.error({ detail }, 'engine lost')
      isReachable = false
      tell({ type: 'engine-lost', detail })
    } finally {
      deps.looked((clock.now() - began) / 1_000)
      first.resolve()
    }
  }

  async function lookForEver(): Promise<void> {
    while (!signal.aborted) {
      await look()
      await rest(isReachable ? everyMs : Math.min(everyMs, 1_000))
    }
  }

  /** Subscribes first and then looks, so that nothing falls between. */
  async function listenForEver(): Promise<void> {
    let restMs = firstRestMs
    while (!signal.aborted) {
      try {
        for await (const event of engine.events(opened, signal)) tell(event)
      } catch (error) {
        if (!signal.aborted && isListening) log.warn({ error }, 'events of the engine broke off')
      }
      const wasListening = isListening
      isListening = false
      if (signal.aborted) return
      // Whether it still answers at all.
      await look()
      restMs = wasListening ? firstRestMs : Math.min(longestRestMs, restMs * 2)
      await rest(restMs)
    }
  }

  function opened(): void {
    isListening = true
    void look()
  }

  /** Ends early, without a complaint, when it is over. */
  async function rest(ms: number): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = deps.setTimer(ms, resolve)
    const wake = (): void => resolve()
    signal.addEventListener('abort', wake, { once: true })
    await promise
    signal.removeEventListener('abort', wake)
    timer[Symbol.dispose]()
  }

  return {
    async start() {
      work = Promise.allSettled([listenForEver(), lookWhenListening()])
      await first.promise
    },
    listening: () => isListening,
    async [Symbol.asyncDispose]() {
      ends.abort()
      first.resolve()
      await work
    },
  }

  /** The first look waits for the events, so that there are not two of them. */
  async function lookWhenListening(): Promise<void> {
    await Promise.race([first.promise, rest(2_000)])
    await rest(everyMs)
    await lookForEver()
  }
}
