// Jobs that the spawner gives to a director about a workspace: readiness probes and activity checks. Each workspace has at
// most one job of a kind; a newer one replaces it. A job goes only to an address of the pool, and its result is retried.
import type { ProbeCommand } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { poolContains, type SubnetPool } from '@berth/shared/subnet-pool'
import { pause, type SetTimer } from '@berth/shared/timer'

export interface ProbeJobsDeps<Result> {
  readonly setTimer: SetTimer
  readonly pool: SubnetPool
  /** Ends at the command's deadline at the latest, or when the signal aborts. */
  readonly run: (command: ProbeCommand, signal: AbortSignal) => Promise<Result>
  /** @returns whether the result arrived */
  readonly post: (result: Result, signal: AbortSignal) => Promise<boolean>
  readonly log: Log
  /** The past participle for the log, such as `probed`. */
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

  async function runAndPost(command: ProbeCommand, signal: AbortSignal): Promise<void> {
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
        log.error(
          { workspace, address },
          `workspace with an address outside NETWORK_POOL was not ${done}`,
        )
        return
      }
      running.get(workspace)?.abort()
      const controller = new AbortController()
      running.set(workspace, controller)
      runAndPost(command, controller.signal)
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
