// The history as the rest of the spawner has it: entries go into a bounded queue and from there to the file in batches;
// what cannot be kept is counted, and nobody waits for it.
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import type { SetTimer } from '@berth/shared/timer'
import type { Entry } from './entry.ts'
import type {
  Figures,
  FiguresQuery,
  HistoryPage,
  HistoryStore,
  PageQuery,
} from './history-store.ts'
import { createRecorder, type Recorder } from './recorder.ts'

/** What administrators ask. Rejects if the file cannot be read, or not in time. */
export interface HistoryReader {
  /** How long entries are kept. */
  readonly keepMs: number
  page(query: PageQuery): Promise<HistoryPage>
  figures(query: FiguresQuery): Promise<Figures>
}

export interface History extends HistoryReader, AsyncDisposable {
  readonly recorder: Recorder
}

export interface HistoryDeps {
  readonly store: HistoryStore
  readonly keepMs: number
  readonly clock: Clock
  readonly setTimer: SetTimer
  readonly log: Log
  /** Entries that were not kept. */
  readonly dropped: (count: number) => void
}

const writeAfterMs = 500
const retryMs = 10_000
const mostAtOnce = 500
/** Beyond that, the newest are dropped: what led to a fault is worth more than what followed. */
const mostQueued = 10_000
const sampleEveryMs = 300_000
const pruneEveryMs = 60_000
const pruneAgainMs = 100
const answerMs = 10_000
/** At the end of the process. */
const flushMs = 2_000

export function createHistory(deps: HistoryDeps): History {
  const { store, keepMs, clock, setTimer, log, dropped } = deps
  const queue: Entry[] = []
  let isFailing = false
  let writeTimer: Disposable | undefined
  /** The batch that is being written. */
  let writing: Promise<void> | undefined
  const recorder = createRecorder(clock, (entry) => {
    if (queue.length >= mostQueued) return dropped(1)
    queue.push(entry)
    writeTimer ??= setTimer(isFailing ? retryMs : writeAfterMs, write)
  })

  function write(): void {
    writeTimer = undefined
    writing ??= writeBatch().finally(() => {
      writing = undefined
      if (queue.length > 0 && !isOver) writeTimer ??= setTimer(isFailing ? retryMs : 0, write)
    })
  }

  async function writeBatch(): Promise<void> {
    const entries = queue.slice(0, mostAtOnce)
    const isKept = await succeeds(store.append({ entries, samples: [] }))
    if (isKept) queue.splice(0, entries.length)
  }

  /** Logs the beginning and the end of a fault. */
  async function succeeds(call: Promise<unknown>): Promise<boolean> {
    try {
      await call
    } catch (error) {
      if (!isFailing) log.error({ error }, 'history cannot be kept; workspaces are not affected')
      isFailing = true
      return false
    }
    if (isFailing) log.info('history is kept again')
    isFailing = false
    return true
  }

  let isOver = false
  let sampleTimer = setTimer(sampleEveryMs, function sample() {
    // A sample that fails is missing in a chart: the next one is more use than a second try.
    void succeeds(store.append({ entries: [], samples: [recorder.sample()] }))
    sampleTimer = setTimer(sampleEveryMs, sample)
  })

  let pruneTimer = setTimer(pruneAgainMs, prune)
  function prune(): void {
    void removeSome().then((isMore) => {
      if (!isOver) pruneTimer = setTimer(isMore ? pruneAgainMs : pruneEveryMs, prune)
    })
  }

  async function removeSome(): Promise<boolean> {
    const answer = store.prune(clock.wall() - keepMs)
    return (await succeeds(answer)) && (await answer)
  }

  async function inTime<T>(answer: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    const timer = setTimer(answerMs, () => reject(new Error('the history did not answer in time')))
    try {
      return await Promise.race([answer, promise])
    } finally {
      timer[Symbol.dispose]()
    }
  }

  return {
    recorder,
    keepMs,
    page: (query) => inTime(store.page(query)),
    figures: (query) => inTime(store.figures(query)),

    async [Symbol.asyncDispose]() {
      isOver = true
      for (const timer of [sampleTimer, pruneTimer, writeTimer]) timer?.[Symbol.dispose]()
      const late = Promise.withResolvers<void>()
      const deadline = setTimer(flushMs, () => late.resolve())
      await Promise.race([flush(), late.promise])
      deadline[Symbol.dispose]()
      dropped(queue.length)
      await store[Symbol.asyncDispose]()
    },
  }

  async function flush(): Promise<void> {
    await writing
    writeTimer?.[Symbol.dispose]()
    while (queue.length > 0 && !isFailing) await writeBatch()
  }
}
