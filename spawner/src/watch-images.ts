// Lists the engine's images every minute: some become templates by their labels.
import { setTimeout as sleep } from 'node:timers/promises'
import { abortAfter } from '@berth/shared/deadline'
import type { Log } from '@berth/shared/log'
import type { LabelledImage } from './templates/from-image.ts'

const everyMs = 60_000
const deadlineMs = 15_000

/** @returns after the first listing, also if it failed */
export async function watchImages(deps: {
  list: (signal: AbortSignal) => Promise<readonly LabelledImage[]>
  seen: (images: readonly LabelledImage[]) => void
  log: Log
}): Promise<AsyncDisposable> {
  const { list, seen, log } = deps
  const ends = new AbortController()
  const { signal } = ends

  async function refresh(): Promise<void> {
    try {
      const images = await list(AbortSignal.any([signal, abortAfter(deadlineMs)]))
      if (!signal.aborted) seen(images)
    } catch (error) {
      if (!signal.aborted) log.warn({ error }, 'images of the engine cannot be listed')
    }
  }

  async function refreshUntilDisposed(): Promise<void> {
    while (await waited(signal)) await refresh()
  }

  await refresh()
  const refreshing = refreshUntilDisposed()
  return {
    async [Symbol.asyncDispose]() {
      ends.abort()
      await refreshing
    },
  }
}

/** @returns `false` after the signal */
async function waited(signal: AbortSignal): Promise<boolean> {
  await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  return !signal.aborted
}
