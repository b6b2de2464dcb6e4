// Asks the thread that has the history's file, so that neither a slow disk nor a long query holds up a decision. A thread
// that ended is started anew by the next call.
import { Worker } from 'node:worker_threads'
import type { HistoryFile, HistoryStore } from '../history/history-store.ts'

type CallName = Exclude<keyof HistoryFile, typeof Symbol.dispose>

export interface HistoryCall {
  readonly id: number
  readonly name: CallName
  readonly given: readonly unknown[]
}

export type HistoryAnswer = { readonly id: number } & (
  { readonly value: unknown; readonly error?: never } | { readonly error: string }
)

export class HistoryError extends Error {
  override readonly name = 'HistoryError'
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: HistoryError) => void
}

/** Calls that wait at once: administrators' pages, in the main. */
const mostWaiting = 64
const endMs = 2_000

export function createHistoryThread(dataDir: string): HistoryStore {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let calls = 0

  function begin(): Worker {
    const begun = new Worker(new URL('./history-worker.ts', import.meta.url), {
      workerData: { dataDir },
    })
    // Only what is waited for keeps the process alive.
    begun.unref()
    begun.on('message', (answer: HistoryAnswer) => {
      const one = waiting.get(answer.id)
      waiting.delete(answer.id)
      if (answer.error === undefined) one?.resolve(answer.value)
      else one?.reject(new HistoryError(answer.error))
    })
    const lost = (error?: Error): void => {
      if (worker !== begun) return
      worker = undefined
      const why = new HistoryError(error?.message ?? 'the thread of the history ended')
      for (const { reject } of waiting.values()) reject(why)
      waiting.clear()
    }
    begun.once('error', lost)
    begun.once('exit', () => lost())
    return begun
  }

  function call(name: CallName, given: readonly unknown[]): Promise<unknown> {
    if (waiting.size >= mostWaiting)
      return Promise.reject(new HistoryError('too many requests to the history at once'))
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const id = calls++
    waiting.set(id, { resolve, reject })
    worker ??= begin()
    worker.postMessage({ id, name, given } satisfies HistoryCall)
    return promise
  }

  const asked =
    (name: CallName) =>
    (...given: readonly unknown[]) =>
      call(name, given)
  const store = {
    append: asked('append'),
    page: asked('page'),
    figures: asked('figures'),
    prune: asked('prune'),
  }
  return {
    // Each answer is the result of the method of that name.
    ...(store as unknown as HistoryStore),
    async [Symbol.asyncDispose]() {
      const ending = worker
      if (ending === undefined) return
      const ended = new Promise<void>((resolve) => ending.once('exit', () => resolve()))
      ending.postMessage('end')
      const timer = setTimeout(() => void ending.terminate(), endMs)
      await ended
      clearTimeout(timer)
    },
  }
}
