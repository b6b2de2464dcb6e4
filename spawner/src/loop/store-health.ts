// Saves the records of decisions and knows whether the store works: logs an outage once, retries until it is over.
import type { Log } from '@berth/shared/log'
import type { RecordChanges } from '../policy/domain.ts'
import type { Store } from './store.ts'
import type { SetTimer } from '@berth/shared/timer'

export interface StoreHealth extends Disposable {
  /** @returns false: nothing of it is saved, so the decision must not take effect */
  save(changes: RecordChanges): boolean
  works(): boolean
}

const retryMs = 1_000

export function createStoreHealth(deps: {
  store: Pick<Store, 'save'>
  log: Log
  setTimer: SetTimer
  /** Changes that change nothing, to try the store with. */
  probe: () => RecordChanges
  /** Called when the store works again. */
  recovered: () => void
}): StoreHealth {
  const { store, log, setTimer, probe, recovered } = deps
  let isFailing = false
  let timer: Disposable | undefined

  function save(changes: RecordChanges): boolean {
    try {
      store.save(changes)
    } catch (error) {
      if (!isFailing)
        log.error({ error }, 'records cannot be saved; what depends on them waits until they can')
      isFailing = true
      timer ??= setTimer(retryMs, retry)
      return false
    }
    if (isFailing) recover()
    return true
  }

  function retry(): void {
    timer = undefined
    save(probe())
  }

  function recover(): void {
    isFailing = false
    timer?.[Symbol.dispose]()
    timer = undefined
    log.info('records are saved again')
    recovered()
  }

  return {
    save,
    works: () => !isFailing,
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  }
}
