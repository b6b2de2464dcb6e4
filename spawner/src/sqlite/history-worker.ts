// The thread of the history's file: answers one call after the other. A file that fails is opened anew at the next call,
// so that a file which an administrator has removed or replaced is used without a restart.
import { parentPort, workerData } from 'node:worker_threads'
import type { HistoryFile } from '../history/history-store.ts'
import { openHistoryFile } from './history-file.ts'
import type { HistoryCall, HistoryAnswer } from './history-thread.ts'

const { dataDir } = workerData as { readonly dataDir: string }
let file: HistoryFile | undefined

function answer({ id, name, given }: HistoryCall): HistoryAnswer {
  try {
    file ??= openHistoryFile(dataDir)
    const calls = file as unknown as Record<string, (...args: readonly unknown[]) => unknown>
    return { id, value: calls[name]?.(...given) }
  } catch (error) {
    close()
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

function close(): void {
  const failed = file
  file = undefined
  try {
    failed?.[Symbol.dispose]()
  } catch {
    // It is given up anyway.
  }
}

parentPort?.on('message', (call: HistoryCall | 'end') => {
  if (call !== 'end') return parentPort?.postMessage(answer(call))
  close()
  parentPort?.close()
})
