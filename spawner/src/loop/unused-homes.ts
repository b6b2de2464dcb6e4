// Carries out what was decided about unused volumes: logs it, and removes the volumes.
import { abortAfter } from '@berth/shared/deadline'
import type { Log } from '@berth/shared/log'
import type { HomeStep } from '../policy/domain.ts'
import type { Engine } from './engine.ts'

const deadlineMs = 60_000

export function createUnusedHomes(deps: {
  engine: Pick<Engine, 'removeHome'>
  log: Log
}): AsyncDisposable & { carryOut(step: HomeStep): void } {
  const { engine, log } = deps
  const ends = new AbortController()
  /** By volume: one call at a time, however often an inventory orders it. */
  const running = new Map<string, Promise<void>>()

  async function remove({ volume, user }: Extract<HomeStep, { type: 'remove-home' }>) {
    const signal = AbortSignal.any([ends.signal, abortAfter(deadlineMs)])
    try {
      const outcome = await engine.removeHome(volume, user, signal)
      if (outcome.ok) log.info({ volume }, 'unused volume removed')
      else log.warn({ volume, ...outcome.failure }, 'unused volume could not be removed')
    } catch (error) {
      if (!ends.signal.aborted) log.error({ error, volume }, 'unused volume could not be removed')
    }
  }

  return {
    carryOut(step) {
      if (step.type === 'announce-home') {
        const { volume, unusedMs, isDryRun } = step
        const unusedDays = Math.floor(unusedMs / 86_400_000)
        log.warn(
          { volume, unusedDays },
          isDryRun ? 'unused volume would be removed' : 'unused volume will be removed',
        )
        return
      }
      if (ends.signal.aborted || running.has(step.volume)) return
      const work = remove(step).finally(() => running.delete(step.volume))
      running.set(step.volume, work)
    },
    async [Symbol.asyncDispose]() {
      ends.abort()
      await Promise.allSettled(running.values())
    },
  }
}
