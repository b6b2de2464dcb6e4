// A short-lived container whose program is connected to streams of this process. No more than a few blocks of the data are in
// memory at a time: the slowest part determines how fast the others are.
import type { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { EngineClient } from '../client/engine-client.ts'
import { cleanLines, createFrameReader } from './log-frames.ts'
import { openShortContainer, type ShortRun } from './short-run.ts'

export interface PipedResult {
  readonly code: number
  /** The last lines of its standard error. */
  readonly errors: readonly string[]
}

export interface Pipes {
  readonly input?: Readable
  /** Gets its standard output, and has to read all of it. */
  readonly output: (chunks: AsyncIterable<Uint8Array>) => Promise<void>
}

const stderrFrame = 2
const mostErrors = 16 * 1024

export async function runPiped(
  deps: EngineClient & { instance: string },
  { withinMs, ...order }: ShortRun,
  { input, output }: Pipes,
  signal: AbortSignal,
): Promise<PipedResult> {
  const { call } = deps
  const stdin = input !== undefined
  await using container = await openShortContainer(deps, { ...order, stdin }, signal)
  const running = container.docker
  const attaching = { stream: true, stdin, stdout: true, stderr: true, hijack: true }
  const stream = (await call('container-attach', { signal }, () =>
    running.attach(attaching),
  )) as Duplex
  const abort = (): void =>
    void stream.destroy(new Error('the copy was aborted', { cause: signal.reason }))
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    await call('container-start', { signal }, (abortSignal) => running.start({ abortSignal }))
    const said: Buffer[] = []
    const received = output(standardOutput(stream, said))
    // A program that fails does not read to the end. Its exit code and its words say why.
    const sent =
      input === undefined
        ? undefined
        : pipeline(input, stream).then(
            () => undefined,
            (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
          )
    const [unsent] = await Promise.all([sent, received])
    const { StatusCode: code } = (await call(
      'container-wait',
      { signal, deadlineMs: withinMs },
      (abortSignal) => running.wait({ abortSignal }),
    )) as { StatusCode: number }
    if (unsent !== undefined && code === 0) throw unsent
    const errors = cleanLines(Buffer.concat(said).toString('utf8'), { lines: 5, lineLength: 300 })
    return { code, errors }
  } finally {
    signal.removeEventListener('abort', abort)
    stream.destroy()
  }
}

/** Takes the frames of both outputs apart. The end of the standard error is kept in `said`. */
export async function* standardOutput(
  stream: AsyncIterable<Uint8Array>,
  said: Buffer[],
): AsyncGenerator<Uint8Array> {
  const partsOf = createFrameReader()
  for await (const chunk of stream)
    for (const { stream: source, part } of partsOf(chunk))
      if (source !== stderrFrame) yield part
      else keepEnd(said, part)
}

function keepEnd(said: Buffer[], part: Uint8Array): void {
  const all = Buffer.concat([...said.splice(0), part])
  said.push(all.subarray(Math.max(0, all.length - mostErrors)))
}
