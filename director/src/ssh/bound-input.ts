// What a channel keeps of a client's data that is not read yet. ssh2 1.17 lets a client send beyond its window, gives the
// window back before the data are read, and keeps each packet by itself, however small.
import type { ServerChannel } from 'ssh2'

interface Inside {
  readonly incoming: { readonly window: number }
  _waitChanDrain: boolean
  _read(bytes: number): void
  readonly _readableState: { highWaterMark: number }
}

/** What the stream itself keeps. Further bytes are put together here. */
const keptByStream = 1_024
const blockSize = 32 * 1024

/** @param overrun called when the client has sent more than it may */
export function boundInput<C extends ServerChannel>(channel: C, overrun: () => void): C {
  const inside = channel as unknown as Inside
  inside._readableState.highWaterMark = keptByStream
  const push = channel.push.bind(channel)
  const giveWindow = inside._read.bind(channel)
  /** Full blocks, and the last one as far as it is used. */
  const blocks: Buffer[] = []
  let last = Buffer.alloc(0)
  let used = 0
  let hasEnded = false

  const isWaiting = (): boolean => blocks.length > 0 || used > 0

  function keep(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (used === last.length) {
        if (used > 0) blocks.push(last)
        last = Buffer.allocUnsafe(blockSize)
        used = 0
      }
      const copied = bytes.copy(last, used, at)
      at += copied
      used += copied
    }
  }

  function next(): Buffer {
    const block = blocks.shift()
    if (block !== undefined) return block
    const rest = last.subarray(0, used)
    last = Buffer.alloc(0)
    used = 0
    return rest
  }

  channel.push = (chunk: Buffer | null): boolean => {
    if (chunk === null) {
      hasEnded = true
      return isWaiting() ? false : push(null)
    }
    if (inside.incoming.window < 0) {
      overrun()
      return false
    }
    if (!isWaiting() && channel.readableLength < keptByStream) return push(chunk)
    keep(chunk)
    return false
  }

  inside._read = (bytes) => {
    if (!isWaiting()) {
      if (hasEnded) push(null)
      return giveWindow(bytes)
    }
    push(next())
    if (isWaiting()) return
    if (hasEnded) push(null)
    else giveWindow(bytes)
  }
  return channel
}
