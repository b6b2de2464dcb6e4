// The keys of the SSH servers in workspaces. The key that a container shows first is its key for its whole life; a new
// container may have a new one, because most make it at their first start.
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import { BerthError } from '@berth/shared/problems'
import { fingerprintOf } from '@berth/shared/public-key'

export interface SeenHostKey {
  readonly workspace: string
  readonly generation: string
  /** As it is on the wire, in base64. */
  readonly hostKey: string
}

/** Kept across restarts. */
export interface HostKeyStore {
  hostKeyOf(generation: string): string | undefined
  /** What was known of earlier containers of the workspace is gone. */
  saveHostKey(key: {
    readonly generation: string
    readonly workspace: string
    readonly key: string
    /** In milliseconds since 1970. */
    readonly seenAt: number
  }): void
  /** @returns whether there was one */
  forgetHostKey(workspace: string): boolean
}

export interface HostKeys {
  /** @throws BerthError `host_key_changed` */
  check(seen: SeenHostKey): void
  /** The next key is the first one. @returns whether one was known */
  forget(workspace: string): boolean
}

export function createHostKeys(deps: {
  readonly store: HostKeyStore
  readonly clock: Clock
  readonly log: Log
}): HostKeys {
  const { store, clock, log } = deps
  return {
    check({ workspace, generation, hostKey: key }) {
      const known = store.hostKeyOf(generation)
      if (known === key) return
      const shown = printOf(key)
      if (known === undefined) {
        store.saveHostKey({ workspace, generation, key, seenAt: clock.wall() })
        log.info({ workspace, fingerprint: shown }, 'ssh host key of a workspace pinned')
        return
      }
      const pinned = printOf(known)
      log.warn(
        { workspace, fingerprint: shown, pinned },
        'ssh host key of a workspace has changed: sessions are refused',
      )
      throw new BerthError(
        'host_key_changed',
        `It was ${pinned} when the server was seen first, and is ${shown} now. If you have made a new key, restart the workspace: a new container begins with a new key. If not, tell your administrator.`,
      )
    },
    forget(workspace) {
      const wasKnown = store.forgetHostKey(workspace)
      if (wasKnown) log.info({ workspace }, 'ssh host key of a workspace forgotten')
      return wasKnown
    },
  }
}

const printOf = (key: string): string => fingerprintOf(Buffer.from(key, 'base64'))
