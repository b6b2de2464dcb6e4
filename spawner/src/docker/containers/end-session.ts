// Signals to every process of a session, and its end. The engine ends no process for a client that left, so a short program
// in the container does it.
import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionSignal } from '@berth/shared/session-frames'
import type { EngineClient } from '../client/engine-client.ts'
import { isFault } from '../client/fault.ts'
import { signalCommand } from './session-script.ts'

/** What a process may do between the signal that its client has gone and its end. */
const graceMs = 3_000
/** A frozen container runs nothing: what is to end in it is ended when it is thawed. */
const frozenRetryMs = 5_000

export interface RunningSession {
  readonly generation: string
  readonly user: string
  /** Of its first process, and so of the session. */
  readonly pid: number
}

export async function signalSession(
  { docker, call }: EngineClient,
  { generation, user, pid }: RunningSession,
  name: SessionSignal,
  until: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await call('container-exec', { signal: until }, async (abortSignal) => {
        const order = { Cmd: signalCommand(name, pid), User: user, AttachStdout: true }
        const killer = await docker.getContainer(generation).exec({ ...order, abortSignal })
        const answer = await killer.start({ hijack: true, stdin: false })
        answer.on('error', () => undefined)
        await finished(answer.resume())
      })
      return
    } catch (error) {
      if (!isFault(error, 'conflict')) throw error
      await sleep(frozenRetryMs, undefined, { signal: until })
    }
  }
}

/** Gently first. */
export async function endSession(
  client: EngineClient,
  session: RunningSession,
  until: AbortSignal,
): Promise<void> {
  try {
    await signalSession(client, session, 'HUP', until)
    await sleep(graceMs, undefined, { signal: until })
    await signalSession(client, session, 'KILL', until)
  } catch (error) {
    // The container is gone, and everything in it; or the spawner ends.
    if (!isFault(error) && !until.aborted) throw error
  }
}
