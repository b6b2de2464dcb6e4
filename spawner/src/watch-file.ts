// Reports when a file may have changed. It watches the folder, because editors and mounts replace the file by another,
// and it also reports at intervals, because mounts of a single file and network mounts send no events.
import { watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'

const debounceMs = 100

/** @param everyMs the interval of the reports without an event */
export function watchFile(path: string, mayHaveChanged: () => void, everyMs = 5_000): Disposable {
  let debounce: NodeJS.Timeout | undefined
  const soon = (): void => {
    clearTimeout(debounce)
    debounce = setTimeout(mayHaveChanged, debounceMs).unref()
  }
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(dirname(path), { persistent: false }, soon)
    // The folder or its watch is gone: the reports at intervals go on.
    watcher.on('error', () => watcher?.close())
  } catch (error) {
    if (!isErrno(error)) throw error
  }
  const timer = setInterval(mayHaveChanged, everyMs).unref()
  return {
    [Symbol.dispose]() {
      clearTimeout(debounce)
      clearInterval(timer)
      watcher?.close()
    },
  }
}

/** The folder does not exist, no watches are left, or the file system has none. */
function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error
}
