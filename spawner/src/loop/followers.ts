// Those who follow a workspace: called back after each change of what they can see of it.
import type { WorkspaceName } from '@berth/shared/names'
import type { State } from '../policy/domain.ts'
import { sameFor } from '../policy/view.ts'

export interface Followers {
  follow(workspace: WorkspaceName, changed: () => void): Disposable
  changed(before: State, after: State): void
}

export function createFollowers(): Followers {
  const byName = new Map<WorkspaceName, Set<() => void>>()
  return {
    follow(workspace, changed) {
      // One of its own: the same function may follow twice.
      const own = (): void => changed()
      const followers = byName.get(workspace) ?? new Set()
      byName.set(workspace, followers.add(own))
      return {
        [Symbol.dispose]() {
          followers.delete(own)
          if (followers.size === 0 && byName.get(workspace) === followers) byName.delete(workspace)
        },
      }
    },

    changed(before, after) {
      for (const [name, followers] of byName)
        if (!sameFor(before, after, name)) for (const follower of [...followers]) follower()
    },
  }
}
