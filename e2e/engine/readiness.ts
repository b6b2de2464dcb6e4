// When the application in a container began to listen, according to its own log: the engine does not know it.
import type { Engine } from './engine.ts'
import { logsOf } from './logs.ts'

/** Milliseconds since the epoch. For berth/hello, which logs it in one line. */
export async function readyAt(engine: Engine, id: string): Promise<number> {
  const time = /^hello: listening since ([^\s,]+),/m.exec(await logsOf(engine, id))?.[1]
  if (time === undefined) throw new Error(`container ${id} never said that it listens`)
  return Date.parse(time)
}
