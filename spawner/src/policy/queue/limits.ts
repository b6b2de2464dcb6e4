// Which limit a queued workspace waits for: one of its own, so that others may go first, or one that is common to all.
import type { Person } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { PolicyConfig, TemplateTally, Workspace } from '../domain.ts'
import { holdsPlace } from '../state/phases.ts'
import { memoryOf } from '../state/tally.ts'

/** A state has these facts, and a draft too. */
export interface LimitFacts {
  readonly config: PolicyConfig
  readonly workspaces: { get(name: WorkspaceName): Workspace | undefined }
  readonly tally: {
    readonly places: number
    readonly starting: number
    readonly memoryBytes: number
    readonly byTemplate: { get(template: string): TemplateTally | undefined }
    readonly byPerson: { get(user: UserName): readonly WorkspaceName[] | undefined }
  }
}

export type OwnLimit = 'limit_user' | 'limit_template' | 'limit_memory'
export type CommonLimit = 'maintenance' | 'limit_total' | 'limit_memory' | 'starting'

/** A workspace that has a place, or would have one. */
type Candidate = Pick<Workspace, 'template' | 'owner' | 'seats'>

/** The person for whom it counts against the limits of groups. */
export function personOf({ owner, seats }: Candidate): Person | undefined {
  return owner ?? seats[0]?.person
}

/** The template needs more memory than there is in all. */
export function exceedsMemory(config: PolicyConfig, template: string): boolean {
  const { maxMemoryBytes } = config.limits
  return maxMemoryBytes > 0 && memoryOf(config, template) > maxMemoryBytes
}

export function ownLimitOf(known: LimitFacts, workspace: Candidate): OwnLimit | undefined {
  const { config } = known
  const { template, owner } = workspace
  if (exceedsMemory(config, template)) return 'limit_memory'
  const { maxWorkspacesPerUser } = config.limits
  if (maxWorkspacesPerUser > 0 && owner !== undefined)
    if (placesOf(known, owner.name) >= maxWorkspacesPerUser) return 'limit_user'
  return isTemplateFull(known, workspace) ? 'limit_template' : undefined
}

function placesOf(known: LimitFacts, user: UserName): number {
  let count = 0
  for (const name of known.tally.byPerson.get(user) ?? []) {
    const workspace = known.workspaces.get(name)
    if (workspace !== undefined && holdsPlace(workspace)) count++
  }
  return count
}

function isTemplateFull(known: LimitFacts, workspace: Candidate): boolean {
  const policy = known.config.templates.get(workspace.template)?.policy
  if (policy === undefined) return false
  const { maxWorkspaces } = policy
  const taken = known.tally.byTemplate.get(workspace.template)
  if (maxWorkspaces > 0 && (taken?.places ?? 0) >= maxWorkspaces) return true
  return isGroupFull(known, workspace)
}

/** One of the person's groups has as many workspaces of the template as it may. */
export function isGroupFull(known: LimitFacts, workspace: Candidate): boolean {
  const policy = known.config.templates.get(workspace.template)?.policy
  if (policy === undefined) return false
  const taken = known.tally.byTemplate.get(workspace.template)
  const groups = personOf(workspace)?.groups ?? []
  return groups.some((group) => {
    const limits = policy.maxWorkspacesByGroup
    // The name of a group comes from the gateway, so it may also be a name such as `constructor`.
    const limit = Object.hasOwn(limits, group) ? (limits[group] ?? 0) : 0
    return limit > 0 && placesOfGroup(known, taken, group) >= limit
  })
}

function placesOfGroup(known: LimitFacts, taken: TemplateTally | undefined, group: string): number {
  let count = 0
  for (const name of taken?.names.keys() ?? []) {
    const workspace = known.workspaces.get(name)
    if (workspace === undefined || !holdsPlace(workspace)) continue
    if (personOf(workspace)?.groups.includes(group) === true) count++
  }
  return count
}

export function commonLimitOf(known: LimitFacts, { template }: Candidate): CommonLimit | undefined {
  if (known.config.house?.maintenance !== undefined) return 'maintenance'
  const { maxWorkspaces, maxMemoryBytes, maxStarting } = known.config.limits
  const { places, memoryBytes, starting } = known.tally
  if (maxWorkspaces > 0 && places >= maxWorkspaces) return 'limit_total'
  const needed = memoryOf(known.config, template)
  if (maxMemoryBytes > 0 && needed > 0 && memoryBytes + needed > maxMemoryBytes)
    return 'limit_memory'
  if (maxStarting > 0 && starting >= maxStarting) return 'starting'
  return undefined
}

/** The limit that a queued workspace is shown to wait for; `undefined`: it does not wait for a limit. */
export function waitsFor(
  known: LimitFacts & { readonly queue: readonly WorkspaceName[] },
  workspace: Workspace,
): OwnLimit | CommonLimit | undefined {
  if (workspace.phase !== 'queued') return undefined
  const limit = ownLimitOf(known, workspace) ?? commonLimitOf(known, workspace)
  if (limit !== undefined) return limit
  // No limit holds it back itself, but one before it in the queue waits for a common limit.
  for (const name of known.queue) {
    const other = known.workspaces.get(name)
    if (other === undefined || other === workspace) return undefined
    if (ownLimitOf(known, other) !== undefined) continue
    const common = commonLimitOf(known, other)
    if (common !== undefined) return common
  }
  return undefined
}
