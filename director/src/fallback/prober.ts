// The probes that the spawner asked for: at most one of each workspace, a newer one in place of an older.
import type { Clock } from '@berth/shared/clock'
import type { ProbeCommand, ProbeResult } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { poolContains, type SubnetPool } from '@berth/shared/subnet-pool'
import { pause, type After } from '../leases/timer.ts'
import { createProbe, tryProbeOnce, type TryProbe } from './probe.ts'

export interface Prober extends AsyncDisposable {
  readonly probe: (command: ProbeCommand) => void
}

export interface ProberDeps {
  readonly clock: Clock
  readonly after: After
  readonly pool: SubnetPool
  /** @returns whether it arrived */
  readonly post: (result: Omit<ProbeResult, 'director'>, signal: AbortSignal) => Promise<boolean>
  readonly log: Log
  readonly tryProbe?: TryProbe
}

const postTries = 4
const postPauseMs = 250

export function createProber(deps: ProberDeps): Prober {
  const { clock, after, pool, post, log, tryProbe = tryProbeOnce } = deps
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => pause(after, ms, signal)
  const run = createProbe({ clock, tryProbe, sleep })
  const running = new Map<string, AbortController>()

  async function probeAndTell(command: ProbeCommand, signal: AbortSignal): Promise<void> {
    const result = await run(command, signal)
    log.debug(result, 'workspace probed')
    for (let tries = 1; tries <= postTries && !signal.aborted; tries += 1) {
      if (await post(result, signal)) return
      await sleep(postPauseMs * tries, signal)
    }
  }

  return {
    probe(command) {
      const { workspace, address } = command
      if (!poolContains(pool, address.host)) {
        log.error({ workspace, address }, 'asked to probe an address outside NETWORK_POOL')
        return
      }
      running.get(workspace)?.abort()
      const controller = new AbortController()
      running.set(workspace, controller)
      probeAndTell(command, controller.signal)
        .catch((error: unknown) => log.error({ workspace, error }, 'probe failed'))
        .finally(() => {
          if (running.get(workspace) === controller) running.delete(workspace)
        })
    },
    async [Symbol.asyncDispose]() {
      for (const controller of running.values()) controller.abort()
    },
  }
}
