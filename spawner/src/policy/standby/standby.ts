// Standbys: workspaces that are ready in advance, without an owner. Their number is kept up while nobody waits; outdated
// ones are replaced.
import { standbyName, numberOf, type Prefix, type WorkspaceName } from '@berth/shared/names'
import type { Workspace } from '../domain.ts'
import { drop, enter, freshWorkspace, type Draft } from '../state/draft.ts'
import { exitedAtStart } from '../lifecycle/failures.ts'
import { stop } from '../lifecycle/transitions.ts'
import { assignNetwork } from '../networks.ts'
import { isStarting } from '../state/phases.ts'
import { memoryOf } from '../state/tally.ts'
import { isOutdated } from '../lifecycle/outdated.ts'
import { isMisnamed } from '../lifecycle/rename.ts'
import { commonLimitOf, ownLimitOf } from '../queue/limits.ts'
import { isShared, type Template } from '../../templates/template.ts'
import { changedWorkspaces } from '../state/changes.ts'

const firstPauseMs = 5_000
const longestPauseMs = 10 * 60_000

/** A standby may hold nothing of a person, so templates with a home and shared templates have none. */
function wantedCount(template: Template): number {
  return isShared(template) || template.spec.home !== undefined ? 0 : template.policy.standby
}

type Settle = (name: WorkspaceName) => void

/**
 * Before admission: ends the standbys that cannot be claimed any more and those that are too many.
 *
 * @param settle called for each workspace that was changed
 */
export function endStandbys(draft: Draft, settle: Settle): void {
  trackStandbys(draft)
  if (!draft.engine.reachable || draft.standbys.size === 0) return
  for (const standby of standbysOf(draft))
    if (isToBeReplaced(draft, standby)) replace(draft, standby, settle)
  for (const template of draft.config.templates.values()) {
    const present = presentOf(draft, template)
    const surplus = present.length - wantedCount(template)
    // Standbys that are not ready yet end first.
    present.sort((a, b) => Number(isStarting(b)) - Number(isStarting(a)))
    for (const standby of present.slice(0, Math.max(0, surplus))) replace(draft, standby, settle)
  }
}

/** After admission. */
export function refillStandbys(draft: Draft, settle: Settle): void {
  trackStandbys(draft)
  if (!draft.engine.reachable) return
  for (const template of draft.config.templates.values()) refill(draft, template, settle)
}

/** Updates the set of standbys from what was touched, so that no decision looks through all workspaces. */
function trackStandbys(draft: Draft): void {
  const names = new Set(draft.standbys)
  for (const name of changedWorkspaces(draft))
    if (draft.workspaces.get(name)?.kind === 'standby') names.add(name)
    else names.delete(name)
  const isSame =
    names.size === draft.standbys.size && [...names].every((name) => draft.standbys.has(name))
  if (!isSame) draft.standbys = names
}

export function standbysOf(draft: Draft): readonly Workspace[] {
  const standbys: Workspace[] = []
  for (const name of draft.standbys) {
    const workspace = draft.workspaces.get(name)
    if (workspace?.kind === 'standby') standbys.push(workspace)
  }
  return standbys
}

/** It can be claimed now, or once it has started. */
function isAvailable(workspace: Workspace): boolean {
  return (isStarting(workspace) || workspace.phase === 'ready') && !isMisnamed(workspace)
}

function isToBeReplaced(draft: Draft, standby: Workspace): boolean {
  const { phase, leasedUntil } = standby
  // An operator froze it by hand.
  if (phase === 'frozen') return leasedUntil <= draft.now
  if (!isStarting(standby) && phase !== 'ready') return false
  // It belonged to a person, who may still use it for the length of a lease.
  if (isMisnamed(standby)) return leasedUntil <= draft.now
  if (!draft.config.templates.has(standby.template)) return true
  // Only events that concern all workspaces bring another description or another image. The order for a container may
  // be older than such an event.
  return (draft.concernsAll || isNewlyMade(draft, standby)) && isOutdated(draft, standby)
}

function isNewlyMade({ before }: Draft, { name, container }: Workspace): boolean {
  return before.workspaces.get(name)?.container?.generation !== container?.generation
}

function replace(draft: Draft, standby: Workspace, settle: Settle): void {
  const pending = standby.pending?.step === 'pull' ? undefined : standby.pending
  stop(draft, standby, 'replaced', { pending })
  settle(standby.name)
}

function presentOf(draft: Draft, { name }: Template): Workspace[] {
  return standbysOf(draft).filter((standby) => standby.template === name && isAvailable(standby))
}

function refill(draft: Draft, template: Template, settle: Settle): void {
  const wanted = wantedCount(template)
  const failing = draft.standbyFailures.get(template.name)
  if (wanted === 0 && failing === undefined) return
  const present = presentOf(draft, template)
  const coming = present.filter(isStarting)
  const ready = present.length - coming.length
  if (failing !== undefined && failing.until > draft.now) return
  if (failing !== undefined && ready >= wanted) draft.standbyFailures.delete(template.name)
  if (isAnyFailing(draft, template)) return
  // After a failure: one at a time, until one is ready.
  const most = failing === undefined ? wanted : Math.min(wanted, ready + 1)
  for (let count = present.length; count < most; count++) if (!add(draft, template, settle)) return
}

/** A failed standby is being stopped. Once it has stopped, `delayNextTry` sets the pause. */
function isAnyFailing(draft: Draft, { name }: Template): boolean {
  return standbysOf(draft).some(
    ({ template, phase, stopReason }) =>
      template === name && phase === 'stopping' && stopReason === 'failed',
  )
}

/** Standbys count against the limits like people's workspaces, and come after the queue. */
function add(draft: Draft, template: Template, settle: Settle): boolean {
  const claimant = { template: template.name, owner: undefined, seats: [] }
  const limit = ownLimitOf(draft, claimant) ?? commonLimitOf(draft, claimant)
  if (draft.queue.length > 0 || limit !== undefined) return false
  const name = nextStandbyName(draft, template.prefix)
  const fresh = freshWorkspace(draft, { name, template: template.name, owner: undefined })
  const workspace = { ...fresh, kind: 'standby', ticket: numberOf(name) } as const
  const network = assignNetwork(draft, workspace)
  if (network === undefined) return false
  const reservedBytes = memoryOf(draft.config, template.name)
  enter(draft, { ...workspace, network: network.index, reservedBytes }, 'pulling')
  draft.standbys = new Set([...draft.standbys, name])
  settle(name)
  return true
}

/** Uses up the number in the name. */
export function nextStandbyName(draft: Draft, prefix: Prefix): WorkspaceName {
  for (;;) {
    const name = standbyName(prefix, draft.nextTicket++)
    if (!draft.foreignNames.has(name)) return name
  }
}

/**
 * Clears a standby that has ended.
 *
 * @returns false for a standby that starts or is ready, which is treated like any other workspace
 */
export function clearEndedStandby(draft: Draft, standby: Workspace): boolean {
  switch (standby.phase) {
    case 'queued':
      // There was no free network for it, or no memory.
      drop(draft, standby)
      return true
    case 'stopped':
      if (standby.container === undefined) drop(draft, standby)
      // Its program ended by itself.
      else stop(draft, standby, 'failed', { failure: exitedAtStart(standby.container.exitCode) })
      return true
    case 'failed':
      delayNextTry(draft, standby)
      return true
    case 'pulling':
    case 'creating':
    case 'starting':
    case 'probing':
    case 'ready':
    case 'frozen':
    case 'stopping':
      return false
  }
}

/** A failed standby stays visible until the next try, which comes after a pause that grows with each failure. */
function delayNextTry(draft: Draft, standby: Workspace): void {
  const { count = 0, until = draft.now } = draft.standbyFailures.get(standby.template) ?? {}
  if (until > draft.now) return
  if (standby.phaseSince < draft.now) return drop(draft, standby)
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** count)
  draft.standbyFailures.set(standby.template, { count: count + 1, until: draft.now + pauseMs })
}
