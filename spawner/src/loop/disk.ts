// What images take on the engine's disk, and how much is free where the records are: read when somebody looks, rarely.
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import type { Engine } from './engine.ts'

export interface DiskReading {
  readonly images?: { readonly count: number; readonly bytes: number }
  readonly space?: Space
}

/** Of the file system of DATA_DIR. That is the engine's, unless its folder for volumes has a disk of its own. */
export interface Space {
  readonly freeBytes: number
  readonly totalBytes: number
}

export interface Disk extends AsyncDisposable {
  /** The last reading; empty before the first. Begins another one if it is old. */
  look(): DiskReading
}

const everyMs = 10 * 60_000
/** The engine may have thousands of images. */
const deadlineMs = 60_000

export function createDisk(deps: {
  engine: Pick<Engine, 'imageSizes'>
  /** Rejects where it cannot be known. */
  space: () => Promise<Space>
  clock: Clock
  log: Log
}): Disk {
  const { engine, clock, log } = deps
  const ends = new AbortController()
  let reading: DiskReading = {}
  let readAt = Number.NEGATIVE_INFINITY
  let running: Promise<void> | undefined

  async function read(): Promise<void> {
    const signal = AbortSignal.any([ends.signal, abortAfter(deadlineMs)])
    const [images, space] = await Promise.allSettled([engine.imageSizes(signal), deps.space()])
    // What is not known any more is not shown: it might be wrong by much.
    reading = {
      ...(images.status === 'fulfilled' ? { images: images.value } : {}),
      ...(space.status === 'fulfilled' ? { space: space.value } : {}),
    }
    for (const { reason: error } of [images, space].filter((one) => one.status === 'rejected'))
      if (!ends.signal.aborted) log.warn({ error }, 'disk could not be read')
  }

  return {
    look() {
      if (running === undefined && !ends.signal.aborted && readAt + everyMs <= clock.now()) {
        readAt = clock.now()
        running = read().finally(() => {
          running = undefined
        })
      }
      return reading
    },
    async [Symbol.asyncDispose]() {
      ends.abort()
      await running
    },
  }
}
