// Carries out what an administrator orders, for the page and for the API, and audits it with its reason.
import type { Person } from '@berth/shared/contract'
import type { Clock } from '@berth/shared/clock'
import { BerthError } from '@berth/shared/problems'
import type { Audit } from '../../audit.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { Workspace } from '../../policy/domain.ts'
import { findWorkspace } from '../api/find-workspace.ts'
import { plainText } from '../http/plain-text.ts'
import { actsOn, type AdminAct } from './acts.ts'

export interface Order {
  readonly administrator: Person
  readonly act: AdminAct
  /** The name of the workspace. */
  readonly name: string
  readonly why: string
  /** Whose place is released; may be left out if only one person has one. */
  readonly user?: string | undefined
  readonly requestId?: string | undefined
}

export const longestWhy = 200

/** @throws BerthError `workspace_unknown` or `conflict`; a refused order is audited, too */
export type CarryOut = (order: Order) => void

export function createCarryOut(deps: {
  workspaces: Workspaces
  audit: Audit
  clock: Clock
}): CarryOut {
  const { workspaces, audit, clock } = deps

  function carryOut({ act, name, user, requestId }: Order): void {
    const workspace = findWorkspace(workspaces.state(), { name })
    if (!actsOn(workspace).includes(act))
      throw new BerthError(
        'conflict',
        'That is not possible in the present state of the workspace.',
      )
    if (act === 'release') workspaces.release(workspace.name, personIn(workspace, user))
    else workspaces.end(workspace.name, act, requestId)
  }

  return (order) => {
    const { administrator, act, name, user, why, requestId } = order
    const entry = {
      at: clock.wall(),
      administrator: administrator.name,
      act,
      target: plainText(user === undefined ? name : `${name}: ${user}`, 300),
      why: plainText(why, longestWhy),
      requestId,
    }
    try {
      carryOut(order)
    } catch (error) {
      if (error instanceof BerthError) audit({ ...entry, outcome: 'refused' })
      throw error
    }
    audit({ ...entry, outcome: 'done' })
  }
}

/** @throws BerthError `conflict` */
function personIn({ owner, seats }: Workspace, user: string | undefined) {
  const all = owner === undefined ? seats.map(({ person }) => person.name) : [owner.name]
  const found = user === undefined && all.length === 1 ? all[0] : all.find((one) => one === user)
  if (found !== undefined) return found
  throw new BerthError('conflict', 'That person has no place in this workspace, or several have.')
}
