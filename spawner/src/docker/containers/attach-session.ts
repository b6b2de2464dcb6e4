// A session that is attached to the first process of a container: everybody who is attached sees the same output and types
// into the same terminal. It ends with the process, and leaving it ends nothing.
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineSession, SessionOrder } from '../../loop/engine.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { outputOf, writeTo } from './session-stream.ts'

/** The engine closes the output a moment before the container counts as stopped. */
const exitPollMs = 20
const exitDeadlineMs = 5_000

export async function attachSession(
  { docker, call }: EngineClient,
  generation: string,
  { terminal }: Pick<SessionOrder, 'terminal'>,
  signal: AbortSignal,
): Promise<EngineSession> {
  const container = docker.getContainer(generation)
  const { stream, isTerminal } = await call('container-attach', { signal }, async (abortSignal) => {
    const { Config } = await container.inspect({ abortSignal })
    const all = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true }
    // The connection that the engine has upgraded, as with `exec`.
    const attached = (await container.attach({ ...all, abortSignal })) as unknown as Duplex
    attached.on('error', () => undefined)
    return { stream: attached, isTerminal: Config.Tty }
  })
  const resize: EngineSession['resize'] = async ({ columns, rows }, until) => {
    await call('container-resize', { signal: until }, () =>
      container.resize({ w: columns, h: rows }),
    )
  }
  if (terminal !== undefined) await resize(terminal, signal)

  return {
    output: outputOf(stream, isTerminal),
    write: writeTo(stream),
    // The input of the process is everybody's.
    endInput: () => undefined,
    resize,
    // A terminal sends signals by its keys. Whoever is attached does not end the process of the others otherwise.
    signal: async () => undefined,
    async exitCode(until) {
      for (let waited = 0; ; waited += exitPollMs) {
        const { State } = await call('container-inspect', { signal: until }, (abortSignal) =>
          container.inspect({ abortSignal }),
        )
        if (!State.Running) return State.ExitCode
        if (waited >= exitDeadlineMs) return undefined
        await sleep(exitPollMs, undefined, { signal: until })
      }
    },
    hangUp: async () => void stream.destroy(),
  }
}
