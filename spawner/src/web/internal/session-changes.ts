// New sizes and signals of a session, one at a time: each is a call to the engine, and a client can send thousands in a
// second. Of sizes the last one counts; a signal that waits is not kept twice, as the kernel does it.
import type { Log } from '@berth/shared/log'
import type { SessionSignal, TerminalSize } from '@berth/shared/session-frames'
import type { EngineSession } from '../../loop/engine.ts'

export interface SessionChanges {
  resize(size: TerminalSize): void
  signal(name: SessionSignal): void
}

export function createSessionChanges(
  session: Pick<EngineSession, 'resize' | 'signal'>,
  gone: AbortSignal,
  log: Log,
): SessionChanges {
  const signals = new Set<SessionSignal>()
  let size: TerminalSize | undefined
  let isWorking = false

  function next(): (() => Promise<void>) | undefined {
    const [name] = signals
    const wanted = size
    size = undefined
    if (wanted !== undefined) return () => session.resize(wanted, gone)
    if (name === undefined) return undefined
    signals.delete(name)
    return () => session.signal(name, gone)
  }

  async function work(): Promise<void> {
    if (isWorking) return
    isWorking = true
    for (let change = next(); change !== undefined && !gone.aborted; change = next())
      await change().catch((error: unknown) => {
        if (!gone.aborted) log.debug({ error }, 'session could not be changed')
      })
    isWorking = false
  }

  return {
    resize(wanted) {
      size = wanted
      void work()
    },
    signal(name) {
      signals.add(name)
      void work()
    },
  }
}
