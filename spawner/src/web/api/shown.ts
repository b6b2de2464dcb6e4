// The form in which /api/v1 shows workspaces, templates and limits. Pure.
import type { Person } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { State, Workspace } from '../../policy/domain.ts'
import { presentGuests } from '../../policy/asked/guests.ts'
import { shownPhase } from '../../policy/state/phases.ts'
import { statusOf } from '../../policy/asked/view.ts'
import { urlOf } from '../../templates/address.ts'
import type { Template } from '../../templates/template.ts'
import { plainText } from '../http/plain-text.ts'
import type { HexOf } from '../docker-spawner/container-hex.ts'
import type { ShownLimits, ShownTemplate, ShownWorkspace } from './schemas.ts'

export interface Moment {
  readonly now: number
  readonly wallStart: number
}

/** What the address of a workspace follows from, besides its template. */
export interface Site {
  readonly hexOf: HexOf
  /** PUBLIC_URL. */
  readonly publicUrl?: string | undefined
}

export function showTemplate(template: Template): ShownTemplate {
  const url = urlOf(template)
  const { name, title, description, icon, kind, spec, policy } = template
  return {
    name,
    title,
    description,
    ...(icon === '' ? {} : { icon }),
    kind,
    ...(url === undefined ? {} : { url }),
    image: spec.image,
    seats: policy.seats,
    startsBy: policy.startsBy,
  }
}

/** @returns `undefined` if there is none, or Berth does not know it */
export function urlOfWorkspace(
  { name, kind }: Pick<Workspace, 'name' | 'kind'>,
  template: Template | undefined,
  { hexOf, publicUrl }: Site,
): string | undefined {
  if (template === undefined || kind === 'standby') return undefined
  if (kind === 'private') return urlOf(template)
  if (publicUrl === undefined || template.kind !== 'web') return undefined
  const url = new URL(publicUrl)
  url.hostname = `${hexOf(name)}.${url.hostname}`
  return url.href
}

/** @param as the person who sees it: of a shared workspace, people see no seat but their own */
export function showWorkspace(
  state: State,
  workspace: Workspace,
  site: Site,
  moment: Moment,
  as?: Person,
): ShownWorkspace {
  const url = urlOfWorkspace(workspace, state.config.templates.get(workspace.template), site)
  const { name, template, kind, owner, container, endWarned, activityMet } = workspace
  const seats = workspace.seats.filter(({ person }) => as === undefined || person.name === as.name)
  const status = statusOf(state, workspace, moment)
  const { problem } = status
  const { position, waitsFor, endsAt, extensionMs, outdated } = status
  return {
    ...(position === undefined ? {} : { position }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
    ...(endsAt === undefined ? {} : { endsAt }),
    ...(extensionMs === undefined ? {} : { extensionMs }),
    ...(outdated === undefined ? {} : { outdated }),
    name,
    template,
    kind,
    ...(url === undefined ? {} : { url }),
    phase: shownPhase(workspace),
    elapsedMs: Math.max(0, Math.round(status.elapsedMs)),
    ...(status.etaMs === undefined ? {} : { etaMs: Math.max(0, Math.round(status.etaMs)) }),
    ...(problem && { problem: { ...problem, detail: plainText(problem.detail, 1_000) } }),
    ...(owner === undefined ? {} : { user: owner.name }),
    endSoon: endWarned,
    seats: seats.map(({ person, connections, lastUseAt }) => ({
      user: person.name,
      connections: [...connections.values()].reduce((sum, count) => sum + count, 0),
      lastUseAgoMs: Math.max(0, Math.round(moment.now - lastUseAt)),
    })),
    ...(activityMet === undefined ? {} : { activityUnknown: activityMet }),
    hex: site.hexOf(name),
    ...(container === undefined ? {} : { container: showContainer(container, workspace) }),
  }
}

function showContainer(
  container: NonNullable<Workspace['container']>,
  { stopReason }: Pick<Workspace, 'stopReason'>,
) {
  const { generation, imageId, exitCode, outOfMemory } = container
  // The code of a container that was stopped says how it took the signal, and would look like a fault.
  const isOwnEnd = exitCode !== undefined && stopReason === undefined
  return {
    id: generation,
    ...(imageId === undefined ? {} : { imageId }),
    ...(isOwnEnd ? { exitCode } : {}),
    ...(outOfMemory === true ? { outOfMemory } : {}),
  }
}

/** Shows a workspace that has been removed or has never existed. */
export function showAbsent(workspace: Workspace, hexOf: HexOf): ShownWorkspace {
  const { name, template, kind, owner } = workspace
  return {
    name,
    template,
    kind,
    ...(owner === undefined ? {} : { user: owner.name }),
    phase: 'absent',
    elapsedMs: 0,
    endSoon: false,
    seats: [],
    hex: hexOf(name),
  }
}

/** The workspaces that the API shows. Those that the state only remembers are left out. */
export function presentWorkspaces(state: State): readonly Workspace[] {
  return [...state.workspaces.values()].filter((one) => shownPhase(one) !== 'absent')
}

export function presentWorkspace(state: State, name: string): Workspace | undefined {
  const workspace = state.workspaces.get(name as WorkspaceName)
  return shownPhase(workspace) === 'absent' ? undefined : workspace
}

export function showLimits(state: State): ShownLimits {
  const { limits, templates } = state.config
  const { places, starting, memoryBytes, byTemplate } = state.tally
  return {
    workspaces: { limit: limits.maxWorkspaces, used: places },
    starting: { limit: limits.maxStarting, used: starting },
    queue: { limit: limits.maxQueue, used: state.queue.length },
    memoryBytes: { limit: limits.maxMemoryBytes, used: memoryBytes },
    workspacesPerUser: { limit: limits.maxWorkspacesPerUser },
    guests: {
      limit: limits.maxGuests,
      used: presentGuests(state).length,
    },
    guestsPerAddress: { limit: limits.guestsPerAddress },
    templates: [...templates.values()].map(({ name, policy }) => ({
      name,
      workspaces: { limit: policy.maxWorkspaces, used: byTemplate.get(name)?.places ?? 0 },
    })),
  }
}
