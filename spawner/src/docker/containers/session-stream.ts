// The connection that the engine upgrades for a process: what it prints, and what is typed into it.
import type { Duplex } from 'node:stream'
import type { EngineSession, SessionOutput } from '../../loop/engine.ts'
import { createFrameReader } from './log-frames.ts'

export async function* outputOf(
  stream: Duplex,
  isTerminal: boolean,
): AsyncGenerator<SessionOutput> {
  const split = createFrameReader()
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>)
      if (isTerminal) yield { kind: 'output', bytes: chunk }
      else
        for (const { stream: from, part } of split(chunk))
          yield {
            kind: from === 2 ? 'errors' : 'output',
            bytes: Buffer.from(part.buffer, part.byteOffset, part.length),
          }
  } catch (error) {
    // The connection was cut: the exit code tells how the process ended.
    if (!(error instanceof Error)) throw error
  }
}

export const writeTo =
  (stream: Duplex): EngineSession['write'] =>
  (bytes) =>
    new Promise((resolve) => {
      if (!stream.writable) return resolve()
      const done = (): void => {
        stream.off('close', done)
        resolve()
      }
      stream.once('close', done)
      stream.write(bytes, done)
    })
