// Which workspaces administrators have opened as their owners. Each ends by itself after a time, or with the process. The
// owner is told of the last one for a week.
import { randomBytes } from 'node:crypto'
import type { Clock } from '@berth/shared/clock'
import type { Person, Route } from '@berth/shared/contract'
import type { Administrators } from '@berth/shared/administrators'
import type { WorkspaceName } from '@berth/shared/names'
import type { SetTimer } from '@berth/shared/timer'
import { z } from 'zod'
import { routeOf } from './loop/routes.ts'
import type { Orders } from './orders.ts'
import type { State, Workspace } from './policy/domain.ts'

export const impersonationMs = 15 * 60_000
const toldMs = 7 * 86_400_000
const mostAtOnce = 50

export interface Impersonation {
  readonly id: string
  readonly workspace: WorkspaceName
  readonly by: Pick<Person, 'name' | 'subject'>
  /** The owner. */
  readonly person: Person
  readonly why: string
  /** By the wall clock. */
  readonly from: number
  /** The latest. */
  readonly until: number
  /** Where the administrator reaches the workspace. */
  readonly url: string
}

/** What the owner is told. */
const toldSchema = z.object({
  person: z.string(),
  by: z.string(),
  why: z.string(),
  from: z.number(),
  until: z.number(),
})
export type Told = z.infer<typeof toldSchema>

export interface Impersonations extends Disposable {
  /** @returns `undefined` if the workspace has no owner, does not run, or too many are open */
  open(administrator: Person, workspace: Workspace, why: string): Impersonation | undefined
  /** @returns what has ended */
  end(id: string): Impersonation | undefined
  /** Those that last, the oldest first. */
  all(): readonly Impersonation[]
  told(workspace: string, person: string): Told | undefined
  readonly routes: (state: Pick<State, 'workspaces' | 'config'>) => readonly Route[]
  /** Calls back when one begins or ends, until disposed. */
  follow(changed: () => void): Disposable
}

/** Whether an administrator may open it in a browser: that takes no place, and nobody else has a seat in it. */
export function mayOpenAs({ kind, owner, phase, container }: Workspace): boolean {
  const { scheme = 'http' } = container ?? {}
  if (scheme === 'none' || scheme === 'tcp') return false
  return kind === 'private' && owner !== undefined && (phase === 'ready' || phase === 'frozen')
}

const keyOf = (workspace: string): string => `opened:${workspace}`

export function createImpersonations(deps: {
  orders: Orders
  portalUrl: string
  administrators: Administrators
  clock: Pick<Clock, 'wall'>
  setTimer: SetTimer
}): Impersonations {
  const { orders, administrators, clock, setTimer } = deps
  const portal = new URL(deps.portalUrl)
  const live = new Map<string, Impersonation & { readonly timer: Disposable }>()
  const followers = new Set<() => void>()

  function changed(): void {
    for (const follower of [...followers]) follower()
  }

  function tell({ workspace, person, by, why, from, until }: Impersonation): void {
    const told: Told = { person: person.name, by: by.name, why, from, until }
    const forgotten = [...orders.all()].flatMap(([key, value]) =>
      key.startsWith(keyOf('')) && (readTold(value)?.until ?? 0) + toldMs < clock.wall()
        ? [[key, undefined] as const]
        : [],
    )
    orders.set({ ...Object.fromEntries(forgotten), [keyOf(workspace)]: JSON.stringify(told) })
  }

  function end(id: string): Impersonation | undefined {
    const found = live.get(id)
    if (found === undefined) return undefined
    found.timer[Symbol.dispose]()
    live.delete(id)
    try {
      tell({ ...found, until: Math.min(found.until, clock.wall()) })
    } finally {
      changed()
    }
    return found
  }

  return {
    open({ name, subject }, workspace, why) {
      const { owner } = workspace
      if (!mayOpenAs(workspace) || owner === undefined || live.size >= mostAtOnce) return undefined
      const id = randomBytes(16).toString('hex')
      const from = clock.wall()
      const url = new URL(portal)
      url.hostname = hostOf(id)
      const one: Impersonation = {
        id,
        workspace: workspace.name,
        by: { name, subject },
        person: owner,
        why,
        from,
        until: from + impersonationMs,
        url: url.origin,
      }
      // The owner is told first: what cannot be told does not begin.
      tell(one)
      live.set(id, { ...one, timer: setTimer(impersonationMs, () => end(id)) })
      changed()
      return one
    },
    end,
    all: () => [...live.values()],
    told(workspace, person) {
      const told = readTold(orders.all().get(keyOf(workspace)) ?? '')
      if (told?.person !== person || told.until + toldMs < clock.wall()) return undefined
      return told
    },
    routes: ({ workspaces, config }) =>
      [...live.values()].flatMap(({ id, workspace: name, by, person }) => {
        const workspace = workspaces.get(name)
        const template = workspace && config.templates.get(workspace.template)
        // Another person may have the name by now.
        if (template === undefined || workspace?.owner?.subject !== person.subject) return []
        const { path } = template.route
        const route = { hosts: [hostOf(id)], ...(path === undefined ? {} : { path }) }
        const { group, users } = administrators
        const impersonation = {
          id,
          by,
          administrators: { group, users: [...users] as Person['name'][] },
          person,
          lastsMs: impersonationMs,
        }
        return [{ ...routeOf({ ...template, route }), workspace: name, impersonation }]
      }),
    follow(follower) {
      const own = (): void => follower()
      followers.add(own)
      return { [Symbol.dispose]: () => void followers.delete(own) }
    },
    [Symbol.dispose]() {
      for (const { timer } of live.values()) timer[Symbol.dispose]()
    },
  }

  /** A host of its own each time: a page of one workspace leaves nothing behind that a page of another could find. */
  function hostOf(id: string): string {
    return `as-${id}.${portal.hostname}`
  }
}

function readTold(value: string): Told | undefined {
  try {
    return toldSchema.safeParse(JSON.parse(value)).data
  } catch {
    return undefined
  }
}
