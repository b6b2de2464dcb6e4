// Where something in a running container listens, as its own kernel tables tell. Needs `cat` in the image.
import type { Readable } from 'node:stream'
import type { Engine } from '../../loop/engine.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { isFault } from '../client/fault.ts'
import { listenersOf } from './listening-sockets.ts'
import { payloads } from './log-frames.ts'

/** `cat` is the image's own program: it may print whatever it likes. */
const longestBytes = 256 * 1024
const options = { deadlineMs: 5_000 }

export function createFindListeners({ docker, call }: EngineClient): Engine['listeners'] {
  return async (generation, signal) => {
    const order = {
      Cmd: ['cat', '/proc/net/tcp', '/proc/net/tcp6'],
      AttachStdout: true,
      AttachStderr: false,
    }
    try {
      const text = await call('container-exec', { signal, ...options }, async (abortSignal) => {
        const container = docker.getContainer(generation)
        const exec = await container.exec({ ...order, abortSignal })
        const stream = (await exec.start({ hijack: false, stdin: false, abortSignal })) as Readable
        return readText(stream, abortSignal)
      })
      return listenersOf(text)
    } catch (error) {
      // Only an addition to a failure that is known.
      if (isFault(error)) return []
      throw error
    }
  }
}

async function readText(stream: Readable, signal: AbortSignal): Promise<string> {
  const abort = (): void => void stream.destroy()
  signal.addEventListener('abort', abort, { once: true })
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer)
      bytes += (chunk as Buffer).length
      if (bytes > longestBytes) break
    }
  } finally {
    signal.removeEventListener('abort', abort)
    stream.destroy()
  }
  return Buffer.concat([...payloads(Buffer.concat(chunks))]).toString('latin1')
}
