// The stream of commands from the spawner: routes, probes, activity checks, revocations. Keeps one stream open, and hands
// each command to its handler.
import { z } from 'zod'
import {
  commandSchemas,
  type ActivityCheckCommand,
  type ProbeCommand,
  type RevokeCommand,
  type UseCommand,
  type Route,
} from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { readEvents, type ServerSentEvent } from '@berth/shared/server-sent-events'
import { pause, type SetTimer } from '@berth/shared/timer'

export interface CommandHandlers {
  routes(routes: readonly Route[], groups: readonly string[]): void
  probe(command: ProbeCommand): void
  ask(command: ActivityCheckCommand): void
  revoke(command: RevokeCommand): void
  use(command: UseCommand): void
}

export interface CommandStreamDeps {
  /** @throws when the stream cannot be opened */
  readonly open: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>
  readonly handlers: CommandHandlers
  readonly setTimer: SetTimer
  /** From 0 to 1. */
  readonly random: () => number
  readonly log: Log
}

export interface CommandStream extends AsyncDisposable {
  /** The spawner has attached this director to the workspaces' networks at least once. */
  introduced(): boolean
  /** What the spawner has told is what it says now: the stream has not ended since. */
  current(): boolean
}

/** The spawner sends a comment every 15 s. */
const silenceMs = 45_000
const firstBackoffMs = 100
const longestBackoffMs = 2_000

/** @param failures how many in a row, from 1 */
export function backoffMs(failures: number, random: number): number {
  const full = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1))
  return full * (0.5 + random / 2)
}

export function createCommandStream(deps: CommandStreamDeps): CommandStream {
  const { open, handlers, setTimer, random, log } = deps
  const closing = new AbortController()
  let introduced = false
  let current = false
  let failures = 0

  function handle({ event, data }: ServerSentEvent): void {
    try {
      switch (event) {
        case 'routes': {
          failures = 0
          const { routes, groups = [] } = commandSchemas.routes.parse(data)
          handlers.routes(routes, groups)
          introduced = true
          current = true
          return
        }
        case 'probe':
          return handlers.probe(commandSchemas.probe.parse(data))
        case 'ask':
          return handlers.ask(commandSchemas.ask.parse(data))
        case 'revoke':
          return handlers.revoke(commandSchemas.revoke.parse(data))
        case 'use':
          return handlers.use(commandSchemas.use.parse(data))
        default:
          log.debug({ event }, 'unknown command skipped')
      }
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error
      log.error(
        { event, error },
        'command of the spawner could not be read: director and spawner must have the same version',
      )
    }
  }

  async function follow(): Promise<void> {
    const silent = new AbortController()
    const signal = AbortSignal.any([closing.signal, silent.signal])
    let watchdog = setTimer(silenceMs, () => silent.abort())
    const heard = (): void => {
      watchdog[Symbol.dispose]()
      watchdog = setTimer(silenceMs, () => silent.abort())
    }
    try {
      const body = await open(signal)
      heard()
      for await (const event of readEvents(watched(body, heard))) handle(event)
    } finally {
      watchdog[Symbol.dispose]()
      current = false
    }
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      let error: unknown
      try {
        await follow()
      } catch (caught) {
        error = caught
      }
      if (closing.signal.aborted) return
      failures += 1
      // An outage is logged as a warning once, not at every retry.
      log[failures === 1 ? 'warn' : 'debug'](
        { error, failures },
        'no stream of commands from the spawner, retrying',
      )
      await pause(setTimer, backoffMs(failures, random()), closing.signal)
    }
  }

  const running = run()

  return {
    introduced: () => introduced,
    current: () => current,
    async [Symbol.asyncDispose]() {
      closing.abort()
      await running
    },
  }
}

async function* watched(
  body: AsyncIterable<Uint8Array>,
  heard: () => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    heard()
    yield chunk
  }
}
