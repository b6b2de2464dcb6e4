// The log of a container as it is written, until the container ends.
import type { Readable } from 'node:stream'
import type { EngineClient } from '../client/engine-client.ts'
import { isFault } from '../client/fault.ts'
import { createLogReader } from './log-frames.ts'

const lineLength = 500

/** The last lines first, then the lines of each chunk together. Does not reject for a fault of the engine. */
export async function* followLog(
  client: EngineClient,
  generation: string,
  lines: number,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const stream = await openLog(client, generation, lines, signal)
  if (stream === undefined) return
  const read = createLogReader(lineLength)
  try {
    for await (const chunk of stream) {
      const further = read(chunk as Uint8Array)
      if (further.length > 0) yield further
    }
  } catch (error) {
    // The stream broke off, or the reader has left.
    if (!(error instanceof Error)) throw error
  } finally {
    stream.destroy()
  }
}

async function openLog(
  { docker, call }: EngineClient,
  generation: string,
  tail: number,
  signal: AbortSignal,
): Promise<Readable | undefined> {
  const options = { stdout: true, stderr: true, tail, follow: true as const, abortSignal: signal }
  try {
    // The deadline is for the answer: the stream itself has none.
    const stream = await call('container-logs', { signal }, () =>
      docker.getContainer(generation).logs(options),
    )
    return stream as Readable
  } catch (error) {
    if (isFault(error)) return undefined
    throw error
  }
}
