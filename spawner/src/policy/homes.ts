// Volumes that are unused for longer than they are kept: announced, and removed unless that is a dry run. Decided only
// when an inventory is taken, because only an inventory tells that no container mounts a volume.
import { isGuestName, type UserName } from '@berth/shared/names'
import type { Home, HomeRecord, Inventory, RecordChanges, State } from './domain.ts'
import type { Draft } from './state/draft.ts'
import { isThere } from './state/phases.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

export function reviewHomes(draft: Draft, { homes, wallAt }: Inventory): void {
  if (homes === undefined || wallAt === undefined) return
  const seen = new Set<string>()
  for (const { volume, user, mounted } of homes) {
    seen.add(volume)
    const known = draft.homes.get(volume)
    const isUsed = mounted || hasWorkspace(draft, user)
    // A last use in the future means that the clock was set back: it must not make the volume older than it is.
    const isAhead = known !== undefined && known.lastUseAt > wallAt + hourMs
    if (known?.user !== user || isAhead) touch(draft, { volume, user, lastUseAt: wallAt })
    else if (!isUsed && isGuestName(user)) orderRemoval(draft, known)
    else if (!isUsed) reviewUnusedHome(draft, known, wallAt)
    else if (known.dueSince !== undefined || wallAt - known.lastUseAt >= hourMs)
      touch(draft, { volume, user, lastUseAt: wallAt })
  }
  for (const volume of draft.homes.keys()) if (!seen.has(volume)) draft.homes.delete(volume)
}

/** What is remembered of a guest's workspace that has ended keeps nothing. */
function hasWorkspace(draft: Draft, user: UserName): boolean {
  const names = draft.tally.byPerson.get(user) ?? []
  return isGuestName(user)
    ? names.some((name) => isThere(draft.workspaces.get(name)))
    : names.length > 0
}

function touch(draft: Draft, home: HomeRecord): void {
  draft.homes.set(home.volume, home)
}

/** An operator who set the clock or the setting wrongly has a day to see it in the log, or as long as volumes are kept if
 * that is shorter. */
function reviewUnusedHome(draft: Draft, home: Home, wallAt: number): void {
  const { keepHomesMs, keepHomesDryRun } = draft.config.limits
  const { volume, user, lastUseAt, announcedAt } = home
  const unusedMs = wallAt - lastUseAt
  if (keepHomesMs === 0 || unusedMs <= keepHomesMs) {
    if (home.dueSince !== undefined) touch(draft, { volume, user, lastUseAt })
    return
  }
  const dueSince = home.dueSince ?? draft.now
  const isToAnnounce = announcedAt === undefined || draft.now - announcedAt >= dayMs
  if (isToAnnounce || home.dueSince === undefined)
    draft.homes.set(volume, {
      ...home,
      dueSince,
      announcedAt: isToAnnounce ? draft.now : announcedAt,
    })
  if (isToAnnounce)
    draft.steps.push({ type: 'announce-home', volume, unusedMs, isDryRun: keepHomesDryRun })
  if (keepHomesDryRun || draft.now - dueSince < Math.min(dayMs, keepHomesMs)) return
  orderRemoval(draft, home)
}

/** At once for a guest, whose files go with their last workspace. */
function orderRemoval(draft: Draft, home: Home): void {
  const { volume, user, orderedAt } = home
  if (orderedAt !== undefined && draft.now - orderedAt < hourMs) return
  draft.homes.set(volume, { ...(draft.homes.get(volume) ?? home), orderedAt: draft.now })
  draft.steps.push({ type: 'remove-home', volume, user })
}

export function changedHomes(
  before: State,
  after: State,
): Pick<RecordChanges, 'homes' | 'homesGone'> | undefined {
  if (before.homes === after.homes) return undefined
  const homes: HomeRecord[] = []
  for (const { volume, user, lastUseAt } of after.homes.values()) {
    const former = before.homes.get(volume)
    if (former?.user !== user || former.lastUseAt !== lastUseAt)
      homes.push({ volume, user, lastUseAt })
  }
  const homesGone = [...before.homes.keys()].filter((volume) => !after.homes.has(volume))
  return homes.length === 0 && homesGone.length === 0 ? undefined : { homes, homesGone }
}
