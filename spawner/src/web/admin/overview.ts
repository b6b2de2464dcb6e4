// What the administrator's page shows of the deployment: its health, its limits and how full they are, its queue. Pure.
import { statusOf } from '../../policy/asked/view.ts'
import type { State } from '../../policy/domain.ts'
import { showLimits, type Moment } from '../api/shown.ts'
import type { DiskReading } from '../../loop/disk.ts'
import { utcText } from '../pages/durations.ts'
import { plainText } from '../http/plain-text.ts'
import { waitText } from './waits.ts'

export interface Overview {
  readonly facts: readonly OverviewFact[]
  readonly limits: readonly ShownLimit[]
  readonly queue: readonly Waiting[]
  /** How many more wait. */
  readonly furtherWaiting: number
}

export interface OverviewFact {
  readonly name: string
  readonly text: string
  readonly isWrong: boolean
}

export interface ShownLimit {
  /** The setting or key of the template. */
  readonly setting: string
  readonly name: string
  readonly used: string
  /** Absent: no limit. */
  readonly limit?: string
  readonly percent?: number
}

export interface Waiting {
  readonly id: string
  readonly position: number
  readonly people: string
  readonly title: string
  readonly waitsFor: string
  readonly since: string
  readonly expected?: string
}

/** The others are in the list of workspaces. */
const shownWaiting = 20

/** What the state does not have. */
export interface Further {
  /** The spawner's, which also says whether it can save its records. */
  readonly isReady: boolean
  readonly disk: DiskReading
  /** The volumes of this instance, if they were computed. */
  readonly volumes?:
    { readonly count: number; readonly bytes: number; readonly at: number } | undefined
}

export function overviewOf(state: State, moment: Moment, further: Further): Overview {
  const { queue } = state
  return {
    facts: [...factsOf(state, further), ...diskFacts(further)],
    limits: limitsOf(state),
    queue: queue.slice(0, shownWaiting).flatMap((name) => waitingOf(state, name, moment)),
    furtherWaiting: Math.max(0, queue.length - shownWaiting),
  }
}

function factsOf(state: State, { isReady }: Further): readonly OverviewFact[] {
  const { engine, directors, networks, config } = state
  const connected = [...directors.values()].filter((one) => one.connected)
  const used = [...networks.values()].filter(({ workspace }) => workspace !== undefined).length
  const lost = engine.detail === undefined ? '' : `: ${plainText(engine.detail, 300)}`
  const { maintenance, closed = new Map<string, string>() } = config.house ?? {}
  const rules = [
    ...(maintenance === undefined ? [] : [`nobody new is admitted: ${maintenance}`]),
    ...(closed.size === 0 ? [] : [`closed: ${[...closed.keys()].join(', ')}`]),
  ]
  return [
    ...(rules.length === 0 ? [] : [{ name: 'House rules', text: rules.join('; '), isWrong: true }]),
    {
      name: 'Engine',
      text: engine.reachable ? 'answers' : `does not answer${lost}`,
      isWrong: !engine.reachable,
    },
    {
      name: 'Spawner',
      text: isReady
        ? 'ready'
        : 'not ready: it has no inventory of the engine, or cannot save its records',
      isWrong: !isReady,
    },
    {
      name:
        connected.length === 1 ? '1 director connected' : `${connected.length} directors connected`,
      text: connected.map(({ id }) => id).join(', ') || 'nobody can reach a workspace',
      isWrong: connected.length === 0,
    },
    {
      name: 'Networks',
      text: `${used} of ${config.networkCount} in use`,
      isWrong: used >= config.networkCount,
    },
  ]
}

/** Below this part of it free, the disk soon is full. */
const scarce = 0.05

function diskFacts({ disk: { images, space }, volumes }: Further): readonly OverviewFact[] {
  const facts: OverviewFact[] = []
  const add = (name: string, text: string, isWrong = false) => facts.push({ name, text, isWrong })
  if (space !== undefined) {
    const { freeBytes, totalBytes } = space
    const text = `${bytesText(freeBytes)} of ${bytesText(totalBytes)}`
    add('Free on the disk of the records', text, freeBytes < totalBytes * scarce)
  }
  if (images !== undefined) add(`${images.count} images`, bytesText(images.bytes))
  if (volumes !== undefined) {
    const { count, bytes, at } = volumes
    add(
      count === 1 ? '1 volume' : `${count} volumes`,
      `${bytesText(bytes)}, as of ${utcText(new Date(at).toISOString())}`,
    )
  }
  return facts
}

function limitsOf(state: State): readonly ShownLimit[] {
  const shown = showLimits(state)
  const plain = String
  const titleOf = (name: string) => plainText(state.config.templates.get(name)?.title ?? name, 100)
  return [
    limitOf('MAX_WORKSPACES', 'Workspaces', shown.workspaces, plain),
    limitOf('MAX_STARTING', 'Starting at once', shown.starting, plain),
    limitOf('MAX_MEMORY', 'Memory', shown.memoryBytes, bytesText),
    limitOf('MAX_QUEUE', 'Queue', shown.queue, plain),
    ...shown.templates.map(({ name, workspaces }) =>
      limitOf('max_workspaces', titleOf(name), workspaces, plain),
    ),
  ]
}

function limitOf(
  setting: string,
  name: string,
  { limit, used }: { readonly limit: number; readonly used: number },
  text: (value: number) => string,
): ShownLimit {
  if (limit === 0) return { setting, name, used: text(used) }
  const percent = Math.min(100, Math.round((used / limit) * 100))
  return { setting, name, used: text(used), limit: text(limit), percent }
}

function waitingOf(state: State, name: State['queue'][number], moment: Moment): Waiting[] {
  const workspace = state.workspaces.get(name)
  if (workspace === undefined) return []
  const { position = 0, waitsFor, etaMs } = statusOf(state, workspace, moment)
  const { owner, seats, template, requestedAt } = workspace
  const people = owner === undefined ? seats.map(({ person }) => person.name) : [owner.name]
  const at = (ms: number, unitMs: number) =>
    new Date(Math.round((moment.wallStart + ms) / unitMs) * unitMs).toISOString()
  return [
    {
      id: name,
      position,
      people: plainText(people.join(', '), 200),
      title: plainText(state.config.templates.get(template)?.title ?? template, 100),
      waitsFor: waitText(waitsFor),
      since: at(requestedAt, 1_000),
      ...(etaMs === undefined ? {} : { expected: at(moment.now + etaMs, 60_000) }),
    },
  ]
}

/** `512 MiB`, `1.5 GiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}
