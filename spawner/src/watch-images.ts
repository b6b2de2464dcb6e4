// Looks every minute which images the engine has: some become templates by the labels they carry.
import { setTimeout as sleep } from 'node:timers/promises'
import { abortAfter } from '@berth/shared/deadline'
import type { Log } from '@berth/shared/log'
import type { LabelledImage } from './templates/from-image.ts'

const everyMs = 60_000
const deadlineMs = 15_000

/** @returns once it has looked, or failed to, for the first time */
export async function watchImages(deps: {
  list: (signal: AbortSignal) => Promise<readonly LabelledImage[]>
  seen: (images: readonly LabelledImage[]) => void
  log: Log
}): Promise<AsyncDisposable> {
  const { list, seen, log } = deps
  const ends = new AbortController()
  const { signal } = ends

  async function look(): Promise<void> {
    try {
      const images = await list(AbortSignal.any([signal, abortAfter(deadlineMs)]))
      if (!signal.aborted) seen(images)
    } catch (error) {
      if (!signal.aborted) log.warn({ error }, 'images of the engine cannot be listed')
    }
  }

  async function lookForEver(): Promise<void> {
    while (await rest(signal)) await look()
  }

  await look()
  const looking = lookForEver()
  return {
    async [Symbol.asyncDispose]() {
      ends.abort()
      await looking
    },
  }
}

/** @returns false when it is over */
async function rest(signal: AbortSignal): Promise<boolean> {
  await sleep(everyMs, undefined, { signal }).catch(() => undefined)
  return !signal.aborted
}
