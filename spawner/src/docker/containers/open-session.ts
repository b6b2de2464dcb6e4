// A session in a running container: a process with input, output and errors, or with a terminal. The engine tells neither
// its pid in the container nor lets a client end it, so the session says its pid itself (`session-script.ts`).
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TerminalSize } from '@berth/shared/session-frames'
import type Docker from 'dockerode'
import type { Engine, EngineSession, SessionOutput } from '../../loop/engine.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { failed, resultOf } from '../client/engine-result.ts'
import { attachSession } from './attach-session.ts'
import { endSession, signalSession } from './end-session.ts'
import { runVariable, sessionCommand } from './session-script.ts'
import { outputOf, writeTo } from './session-stream.ts'

/** The engine closes the output of a process a moment before it knows the exit code. */
const exitPollMs = 20
const exitDeadlineMs = 5_000
const longestFirstLine = 4_096

/** @param run of the spawner, for a later one that finds what is left of the session */
export function createOpenSession(client: EngineClient, run: string): Engine['openSession'] {
  const { docker, call } = client

  return (generation, order, signal) =>
    resultOf<EngineSession>('conflict', 'The session could not be opened', async () => {
      const { user, environment, command, terminal } = order
      if (command === undefined)
        return { ok: true, value: await attachSession(client, generation, order, signal) }
      const Tty = terminal !== undefined
      const started = await call('container-exec', { signal }, async (abortSignal) => {
        const exec = await docker.getContainer(generation).exec({
          Cmd: sessionCommand(command, terminal),
          User: user,
          Env: Object.entries({ ...environment, [runVariable]: run }).map(
            ([name, value]) => `${name}=${value}`,
          ),
          AttachStdin: true,
          AttachStdout: true,
          AttachStderr: true,
          Tty,
          abortSignal,
        })
        const stream = await exec.start({ hijack: true, stdin: true, Tty, abortSignal })
        // The end of the connection is seen as the end of the output.
        stream.on('error', () => undefined)
        const output = outputOf(stream, Tty)
        const first = await takeLine(output)
        const pid = /^\d+$/.test(first.line) ? Number(first.line) : undefined
        if (pid === undefined) {
          stream.destroy()
          return { refused: first.line }
        }
        return { exec, stream, output, pid, rest: first.rest }
      })
      if ('refused' in started)
        return failed({
          code: 'conflict',
          detail:
            'No session could be opened in the workspace. If the workspace is older than this way in, restart it: a new container has the tools that a session needs.',
          cause: started.refused.slice(0, 500),
        })
      return beginSession(client, generation, { ...order, ...started }, signal)
    })
}

interface Started {
  readonly user: string
  readonly terminal?: TerminalSize | undefined
  readonly exec: Docker.Exec
  readonly stream: Duplex
  readonly output: AsyncGenerator<SessionOutput>
  readonly pid: number
  readonly rest: readonly SessionOutput[]
}

async function beginSession(
  client: EngineClient,
  generation: string,
  started: Started,
  signal: AbortSignal,
): Promise<EngineSession> {
  const { call } = client
  const { exec, stream, output, pid, terminal, user } = started
  const session = { generation, user, pid }
  let { rest } = started

  const resize: EngineSession['resize'] = async ({ columns, rows }, until) => {
    await call('exec-resize', { signal: until }, () => exec.resize({ w: columns, h: rows }))
  }

  if (terminal !== undefined) {
    await resize(terminal, signal)
    stream.write('\n')
    // The terminal repeats what is typed into it, also this line.
    const echo = await takeLine(output, rest)
    rest = echo.rest
  }

  return {
    output: rest.length === 0 ? output : withFirst(rest, output),
    write: writeTo(stream),
    endInput: () => void stream.end(),
    resize,
    signal: (name, until) => signalSession(client, session, name, until),
    async exitCode(until) {
      for (let waited = 0; ; waited += exitPollMs) {
        const { Running, ExitCode } = await call('exec-inspect', { signal: until }, (abortSignal) =>
          exec.inspect({ abortSignal }),
        )
        if (!Running && ExitCode !== null) return ExitCode
        if (waited >= exitDeadlineMs) return undefined
        await sleep(exitPollMs, undefined, { signal: until })
      }
    },
    async hangUp(until) {
      stream.destroy()
      await endSession(client, session, until)
    },
  }
}

async function* withFirst(
  first: readonly SessionOutput[],
  rest: AsyncGenerator<SessionOutput>,
): AsyncGenerator<SessionOutput> {
  yield* first
  yield* rest
}

interface FirstLine {
  readonly line: string
  /** What came together with it. */
  readonly rest: readonly SessionOutput[]
}

/** Of the output alone: what a program prints at once on its errors may come before. */
async function takeLine(
  output: AsyncGenerator<SessionOutput>,
  begun: readonly SessionOutput[] = [],
): Promise<FirstLine> {
  const errors: SessionOutput[] = []
  let kept = Buffer.alloc(0)
  const take = (piece: SessionOutput): void => {
    if (piece.kind === 'errors') errors.push(piece)
    else kept = Buffer.concat([kept, piece.bytes])
  }
  begun.forEach(take)
  for (;;) {
    const at = kept.indexOf(0x0a)
    if (at !== -1) {
      const bytes = kept.subarray(at + 1)
      const rest = [...(bytes.length === 0 ? [] : [{ kind: 'output', bytes } as const]), ...errors]
      return { line: kept.subarray(0, at).toString('latin1').trim(), rest }
    }
    const next = await output.next()
    if (next.done === true || kept.length > longestFirstLine) {
      const all = Buffer.concat([kept, ...errors.map(({ bytes }) => bytes)])
      return { line: all.toString('latin1').trim(), rest: [] }
    }
    take(next.value)
  }
}
