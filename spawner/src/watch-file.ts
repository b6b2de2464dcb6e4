// Tells when a file may have changed. Its folder is watched, since editors and mounts put another file in its place;
// and it is looked at now and then, since a mount of the file alone, or of a network, tells nothing.
import { watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'

const settledAfterMs = 100

/** @param everyMs how often it is looked at without being told */
export function watchFile(path: string, look: () => void, everyMs = 5_000): Disposable {
  let settling: NodeJS.Timeout | undefined
  const soon = (): void => {
    clearTimeout(settling)
    settling = setTimeout(look, settledAfterMs).unref()
  }
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(dirname(path), { persistent: false }, soon)
    // The folder is gone, or its watch is: the looks go on.
    watcher.on('error', () => watcher?.close())
  } catch (error) {
    if (!isErrno(error)) throw error
  }
  const timer = setInterval(look, everyMs).unref()
  return {
    [Symbol.dispose]() {
      clearTimeout(settling)
      clearInterval(timer)
      watcher?.close()
    },
  }
}

/** No such folder, no watches left, or none on this file system. */
function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error
}
