// A container that runs one program to its end and is removed: for commands that need something done on the engine.
import { randomBytes } from 'node:crypto'
import { labels } from '@berth/shared/labels'
import type Docker from 'dockerode'
import { unlessGone } from '../client/calls.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { payloads } from './log-frames.ts'

export interface ShortRun {
  /** The value of `berth.role`: whose container it is. */
  readonly role: string
  readonly image: string
  /** What it runs, instead of the image's entrypoint and command. */
  readonly command: readonly [string, ...string[]]
  readonly host: Docker.ContainerCreateOptions['HostConfig']
  /** It reads its standard input to the end. Absent: it has none. */
  readonly stdin?: boolean
  readonly withinMs: number
}

export interface ShortRunResult {
  readonly code: number
  /** The last lines of both outputs. */
  readonly output: string
}

export type RunShortly = (order: ShortRun, signal: AbortSignal) => Promise<ShortRunResult>

/** Nothing aborts these calls but their deadline: an aborted creation may still end in a container. */
const unaborted = new AbortController().signal
const longestOutput = 200

export function createRunShortly(deps: EngineClient & { instance: string }): RunShortly {
  const { docker, call } = deps
  return async ({ withinMs, ...order }, signal) => {
    await using container = await openShortContainer(deps, order, signal)
    const { docker: running } = container
    await call('container-start', { signal }, (abortSignal) => running.start({ abortSignal }))
    const waiting = { signal, deadlineMs: withinMs }
    const { StatusCode } = (await call('container-wait', waiting, (abortSignal) =>
      running.wait({ abortSignal }),
    )) as { StatusCode: number }
    const framed = await call('container-logs', { signal }, (abortSignal) =>
      docker
        .getContainer(running.id)
        .logs({ stdout: true, stderr: true, tail: longestOutput, follow: false, abortSignal }),
    )
    return { code: StatusCode, output: Buffer.concat([...payloads(framed)]).toString('utf8') }
  }
}

export interface ShortContainer extends AsyncDisposable {
  readonly docker: Docker.Container
  readonly name: string
}

/** A container that is made, not started. Its disposal removes it, with its volumes that have no name. */
export async function openShortContainer(
  { docker, call, instance }: EngineClient & { instance: string },
  order: Omit<ShortRun, 'withinMs'>,
  signal: AbortSignal,
): Promise<ShortContainer> {
  signal.throwIfAborted()
  const { role, image, command, host, stdin = false } = order
  const name = `${instance}-${role}-${randomBytes(4).toString('hex')}`
  const body = {
    Image: image,
    User: '0',
    Entrypoint: [command[0]],
    Cmd: command.slice(1),
    ...(stdin ? { AttachStdin: true, OpenStdin: true, StdinOnce: true } : {}),
    Labels: { [labels.instance]: instance, [labels.role]: role },
    HostConfig: host,
  }
  const container = await call(
    'container-create',
    { signal: unaborted, deadlineMs: 60_000 },
    (abortSignal) =>
      docker.createContainer({ name, ...{ _query: { name }, _body: body }, abortSignal }),
  )
  return {
    docker: container,
    name,
    async [Symbol.asyncDispose]() {
      await unlessGone(
        call('container-remove', { signal: unaborted, deadlineMs: 30_000 }, () =>
          container.remove({ force: true, v: true }),
        ),
      )
    },
  }
}

/** No container of a command that runs is so old and has ended. */
const leftAfterMs = 10 * 60_000

/** Removes what a command left behind that was killed. */
export async function removeLeftovers(
  { docker, call, instance }: EngineClient & { instance: string },
  role: string,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const filters = {
    label: [`${labels.instance}=${instance}`, `${labels.role}=${role}`],
    status: ['created', 'exited', 'dead'],
  }
  const listed = await call('container-list', { signal }, (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  )
  for (const { Id } of listed.filter(({ Created }) => Created * 1000 < now - leftAfterMs))
    await unlessGone(
      call('container-remove', { signal }, () =>
        docker.getContainer(Id).remove({ force: true, v: true }),
      ),
    )
}
