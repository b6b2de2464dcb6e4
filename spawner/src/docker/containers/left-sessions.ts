// Sessions that an earlier run of the spawner has left in a container: it was killed, or the machine was. Each session has
// the run that opened it in its environment.
import type { Duplex } from 'node:stream'
import type { Engine } from '../../loop/engine.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { resultOf } from '../client/engine-result.ts'
import { endSession } from './end-session.ts'
import { leftSessionsCommand } from './session-script.ts'
import { outputOf } from './session-stream.ts'

/** A container has a few. */
const longestAnswer = 64 * 1024

/** @param run of this spawner: its own sessions are left alone */
export function createEndLeftSessions(
  client: EngineClient,
  run: string,
): Engine['endLeftSessions'] {
  const { docker, call } = client

  return (generation, user, signal) =>
    resultOf('conflict', 'Left sessions could not be ended', async () => {
      const printed = await call('container-exec', { signal }, async (abortSignal) => {
        const order = { Cmd: leftSessionsCommand(run), User: user, AttachStdout: true }
        const exec = await docker.getContainer(generation).exec({ ...order, abortSignal })
        const stream: Duplex = await exec.start({ hijack: true, stdin: false })
        stream.on('error', () => undefined)
        let text = ''
        for await (const { bytes } of outputOf(stream, false))
          if (text.length < longestAnswer) text += bytes.toString('latin1')
        return text
      })
      const pids = printed
        .split('\n')
        .filter((line) => /^\d+$/.test(line))
        .map(Number)
      await Promise.all(pids.map((pid) => endSession(client, { generation, user, pid }, signal)))
      return pids.length
    })
}
