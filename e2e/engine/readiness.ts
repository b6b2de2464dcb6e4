// When the application in a container began to listen, by its own log and the engine's clock.
import type { Engine } from './engine.ts'

/** Milliseconds since the epoch. For berth/hello, which says so in one line. */
export async function readyAt(engine: Engine, id: string): Promise<number> {
  const query = { stdout: true, stderr: true, timestamps: true }
  const bytes = await engine.text(`/containers/${id}/logs`, query)
  const line = bytes
    .toString('latin1')
    .split('\n')
    .find((text) => text.includes('hello: listening'))
  const time = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(line ?? '')?.[0]
  if (time === undefined) throw new Error(`container ${id} never said that it listens`)
  return Date.parse(time)
}
