// What the spawner asks of a director about a workspace: at most one errand of a kind for each, a newer one in place
// of an older, only to addresses of the pool, and its result told even if that takes several tries.
import type { ProbeCommand } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { poolContains, type SubnetPool } from '@berth/shared/subnet-pool'
import { pause, type SetTimer } from '@berth/shared/timer'

export interface ProbeJobsDeps<Result> {
  readonly setTimer: SetTimer
  readonly pool: SubnetPool
  /** Ends by the command's deadline, or when the signal aborts. */
  readonly run: (command: ProbeCommand, signal: AbortSignal) => Promise<Result>
  /** @returns whether it arrived */
  readonly post: (result: Result, signal: AbortSignal) => Promise<boolean>
  readonly log: Log
  /** For the log: `probed`. */
  readonly done: string
}

export interface ProbeJobs extends AsyncDisposable {
  readonly send: (command: ProbeCommand) => void
}

const postTries = 4
const postPauseMs = 250

export function createProbeJobs<Result extends object>(deps: ProbeJobsDeps<Result>): ProbeJobs {
  const { setTimer, pool, run, post, log, done } = deps
  const running = new Map<string, AbortController>()

  async function runAndTell(command: ProbeCommand, signal: AbortSignal): Promise<void> {
    const result = await run(command, signal)
    const fields: object = result
    log.debug(fields, `workspace ${done}`)
    for (let tries = 1; tries <= postTries && !signal.aborted; tries += 1) {
      if (await post(result, signal)) return
      await pause(setTimer, postPauseMs * tries, signal)
    }
  }

  return {
    send(command) {
      const { workspace, address } = command
      if (!poolContains(pool, address.host)) {
        log.error({ workspace, address }, `address outside NETWORK_POOL was not ${done}`)
        return
      }
      running.get(workspace)?.abort()
      const controller = new AbortController()
      running.set(workspace, controller)
      runAndTell(command, controller.signal)
        .catch((error: unknown) => log.error({ workspace, error }, `workspace was not ${done}`))
        .finally(() => {
          if (running.get(workspace) === controller) running.delete(workspace)
        })
    },
    async [Symbol.asyncDispose]() {
      for (const controller of running.values()) controller.abort()
    },
  }
}
