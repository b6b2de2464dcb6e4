// The impersonations that routes name: until when each lasts, and what is open under it. At its end everything that is
// open is cut, so that no stream outlives it.
import type { Route } from '@berth/shared/contract'
import type { SetTimer } from '@berth/shared/timer'

export interface Impersonations extends Disposable {
  /** Takes the impersonations of a snapshot of routes: one that it does not name has ended. */
  follow(routes: readonly Route[]): void
  readonly isLive: (id: string) => boolean
  /** @param cut ends what has begun; called at the end of the impersonation, unless it was disposed before */
  begin(id: string, cut: () => void): Disposable
}

interface Known {
  readonly timer: Disposable
  readonly open: Set<() => void>
  isOver: boolean
}

export function createImpersonations(setTimer: SetTimer): Impersonations {
  const known = new Map<string, Known>()

  function end(one: Known): void {
    one.isOver = true
    one.timer[Symbol.dispose]()
    for (const cut of [...one.open]) cut()
    one.open.clear()
  }

  return {
    follow(routes) {
      const named = new Map(
        routes.flatMap(({ impersonation }) =>
          impersonation === undefined ? [] : [[impersonation.id, impersonation.lastsMs] as const],
        ),
      )
      for (const [id, one] of known)
        if (!named.has(id)) {
          known.delete(id)
          end(one)
        }
      for (const [id, lastsMs] of named) {
        // The spawner ends it in time. The timer is for a spawner that is away.
        if (known.has(id)) continue
        const one: Known = {
          timer: setTimer(lastsMs, () => end(one)),
          open: new Set(),
          isOver: false,
        }
        known.set(id, one)
      }
    },
    isLive: (id) => known.get(id)?.isOver === false,
    begin(id, cut) {
      const open = known.get(id)?.open
      const own = (): void => cut()
      open?.add(own)
      return { [Symbol.dispose]: () => void open?.delete(own) }
    },
    [Symbol.dispose]() {
      for (const { timer } of known.values()) timer[Symbol.dispose]()
    },
  }
}
