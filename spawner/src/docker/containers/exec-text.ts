// Runs a program in a running container and returns what it prints on its standard output.
import type { Readable } from 'node:stream'
import type { CallOptions } from '../client/calls.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { payloads } from './log-frames.ts'

/** The program may be the image's own: it may print whatever it likes. */
const longestBytes = 256 * 1024

export function execText(
  { docker, call }: EngineClient,
  id: string,
  command: readonly string[],
  options: CallOptions,
): Promise<string> {
  const order = { Cmd: [...command], AttachStdout: true, AttachStderr: false }
  return call('container-exec', options, async (abortSignal) => {
    const exec = await docker.getContainer(id).exec({ ...order, abortSignal })
    const stream = (await exec.start({ hijack: false, stdin: false, abortSignal })) as Readable
    return readText(stream, abortSignal)
  })
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
  return Buffer.concat([...payloads(Buffer.concat(chunks))]).toString('utf8')
}
