// Followers of a person's workspace of a template: called back after each change of what a page shows of it.
import type { Person } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { State } from '../policy/domain.ts'
import { seatOf } from '../policy/seats/seat-table.ts'
import { sameFor } from '../policy/asked/view.ts'
import { hasSeat } from './has-seat.ts'

export interface Followers {
  follow(
    state: State,
    person: Person,
    template: string,
    changed: () => void,
    only?: WorkspaceName,
  ): Disposable
  changed(before: State, after: State): void
}

/** One person and one template, with all its followers. */
interface Followed {
  readonly person: Person
  readonly template: string
  readonly callbacks: Set<() => void>
  /** The workspace that the route leads to, wherever the person has a seat. */
  readonly only: WorkspaceName | undefined
  /** The latest: a seat may move to another shared workspace. */
  workspace: WorkspaceName | undefined
}

export function createFollowers(): Followers {
  const all = new Map<string, Followed>()

  /** @returns whether the person's workspace is another one now */
  function isMoved(followed: Followed, before: State, after: State): boolean {
    const { person, template, only, workspace } = followed
    if (only !== undefined) return false
    if (before.config === after.config) {
      if (before.workspaces === after.workspaces) return false
      if (workspace !== undefined && hasSeat(after.workspaces.get(workspace), person)) return false
    }
    followed.workspace = seatOf(after, person, template)
    return followed.workspace !== workspace
  }

  return {
    follow(state, person, template, changed, only) {
      const { name, subject } = person
      const key = JSON.stringify([template, name, subject, only])
      // A function of its own for each call: the same one may follow twice.
      const own = (): void => changed()
      const followed = all.get(key) ?? {
        person,
        template,
        only,
        callbacks: new Set(),
        workspace: only ?? seatOf(state, person, template),
      }
      all.set(key, followed)
      followed.callbacks.add(own)
      return {
        [Symbol.dispose]() {
          followed.callbacks.delete(own)
          if (followed.callbacks.size === 0 && all.get(key) === followed) all.delete(key)
        },
      }
    },

    changed(before, after) {
      for (const followed of all.values()) {
        const { workspace } = followed
        const isElsewhere = isMoved(followed, before, after)
        // A change of templates or limits may change what is offered, and whether the workspace is outdated.
        const isSame =
          before.config === after.config &&
          (workspace === undefined || sameFor(before, after, workspace))
        if (isElsewhere || !isSame) for (const callback of [...followed.callbacks]) callback()
      }
    },
  }
}
