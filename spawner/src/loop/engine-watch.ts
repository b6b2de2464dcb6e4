// Watches the engine: submits its events, and takes an inventory at start, after each break and at regular intervals.
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import type { Event } from '../policy/domain.ts'
import { SettingsConflict, type Engine } from './engine.ts'
import type { Reached } from './pause-points.ts'
import type { SetTimer } from '@berth/shared/timer'

export interface EngineWatch extends AsyncDisposable {
  /**
   * Resolves after the first inventory, also where the engine did not answer.
   *
   * @throws SettingsConflict where the first inventory met one: nothing was decided
   */
  start(): Promise<void>
  /** Whether the stream of the engine's events is open, so that none is missed. */
  isListening(): boolean
}

const inventoryDeadlineMs = 30_000
const firstRestMs = 250
const longestRestMs = 5_000
/** How long the first inventory waits for the stream of events to open. */
const openWithinMs = 2_000

export function createEngineWatch(deps: {
  engine: Engine
  clock: Clock
  setTimer: SetTimer
  log: Log
  everyMs: number
  submit: (event: Event) => void
  inventoryTaken: (seconds: number) => void
  reached: Reached
}): EngineWatch {
  const { engine, clock, log, submit, everyMs } = deps
  const ends = new AbortController()
  const { signal } = ends
  const first = Promise.withResolvers<void>()
  let work: Promise<unknown> = Promise.resolve()
  let isListening = false
  let isReachable = true
  let isStarted = false
  let taking: Promise<void> | undefined
  let isWantedAgain = false

  /** One inventory at a time: a call during one takes another after it. */
  function takeInventory(): Promise<void> {
    isWantedAgain = taking !== undefined
    taking ??= takeUntilCurrent().finally(() => {
      taking = undefined
    })
    return taking
  }

  async function takeUntilCurrent(): Promise<void> {
    do {
      isWantedAgain = false
      await takeOne()
    } while (isWantedAgain && !signal.aborted)
  }

  async function takeOne(): Promise<void> {
    const began = clock.now()
    try {
      await deps.reached('before-inventory')
      const deadline = AbortSignal.any([signal, abortAfter(inventoryDeadlineMs)])
      const inventory = await engine.takeInventory(deadline)
      await deps.reached('after-inventory')
      if (signal.aborted) return
      if (!isReachable) log.info('engine reached again')
      isReachable = true
      submit({ type: 'inventory-taken', inventory })
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof SettingsConflict && !isStarted) return first.reject(error)
      const detail = error instanceof Error ? error.message : String(error)
      if (isReachable) log.error({ detail }, 'engine lost')
      isReachable = false
      submit({ type: 'engine-lost', detail })
    } finally {
      deps.inventoryTaken((clock.now() - began) / 1_000)
      isStarted = true
      first.resolve()
    }
  }

  async function takeRegularly(): Promise<void> {
    // The first inventory waits for the events, so that there are not two of them.
    await Promise.race([first.promise, rest(openWithinMs)])
    await rest(everyMs)
    while (!signal.aborted) {
      await takeInventory()
      await rest(isReachable ? everyMs : Math.min(everyMs, 1_000))
    }
  }

  /** Subscribes first and then takes an inventory, so that nothing that happens between them is missed. */
  async function listen(): Promise<void> {
    let restMs = firstRestMs
    while (!signal.aborted) {
      try {
        for await (const event of engine.events(opened, signal)) submit(event)
      } catch (error) {
        if (!signal.aborted && isListening) log.warn({ error }, 'events of the engine broke off')
      }
      const wasListening = isListening
      isListening = false
      if (signal.aborted) return
      // Finds out whether the engine still answers at all.
      await takeInventory()
      restMs = wasListening ? firstRestMs : Math.min(longestRestMs, restMs * 2)
      await rest(restMs)
    }
  }

  function opened(): void {
    isListening = true
    void takeInventory()
  }

  /** Ends early when the watch ends. */
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
      work = Promise.allSettled([listen(), takeRegularly()])
      await first.promise
    },
    isListening: () => isListening,
    async [Symbol.asyncDispose]() {
      ends.abort()
      first.resolve()
      await work
    },
  }
}
