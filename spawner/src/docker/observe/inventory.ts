// One look at the whole engine: what is ours, who is on which network, and what is somebody else's.
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { labels } from '@berth/shared/labels'
import { parseUserName, type UserName, type WorkspaceName } from '@berth/shared/names'
import type { SubnetPool } from '@berth/shared/subnet-pool'
import type Docker from 'dockerode'
import type {
  Container,
  Inventory,
  FoundContainer,
  FoundHome,
  WorkspaceKind,
} from '../../policy/domain.ts'
import { SettingsConflict } from '../../loop/engine.ts'
import { unlessGone, type Call } from '../client/calls.ts'
import {
  addressOn,
  describeContainer,
  onOurClock,
  statusOf,
} from '../containers/container-state.ts'
import { isDirector } from '../networks/directors.ts'
import { isFault } from '../client/fault.ts'
import type { Images } from '../images/images.ts'
import { plainName, shortId } from './ownership.ts'
import type { Provenance } from './provenance.ts'
import { sortNetworks, type SortedNetworks } from '../networks/classify-networks.ts'

export interface InventoryDeps {
  readonly docker: Docker
  readonly call: Call
  readonly clock: Clock
  readonly instance: string
  readonly pool: SubnetPool
  readonly provenance: Provenance
  readonly images: Images
}

const deadlineMs = 20_000

/** Rejects when the engine does not answer. */
export async function takeInventory(deps: InventoryDeps, signal: AbortSignal): Promise<Inventory> {
  const { docker, call, instance, clock } = deps
  const startedAt = clock.now()
  const wallAt = clock.wall()
  const options = { signal, deadlineMs }
  const [listed, networks, { Volumes }] = await Promise.all([
    call('container-list', options, (abortSignal) =>
      docker.listContainers({ all: true, abortSignal }),
    ),
    call('network-list', options, (abortSignal) => docker.listNetworks({ abortSignal })),
    call('volume-list', options, (abortSignal) =>
      docker.listVolumes({ filters: { label: [`${labels.instance}=${instance}`] }, abortSignal }),
    ),
  ])
  const { own, foreign } = await sort(deps, listed, signal)
  const directors = own.filter((item) => item.State === 'running' && isDirector(item.Labels))
  const marked = own.filter((item) => item.Labels[labels.workspace] !== undefined)
  // Whose such a one is cannot be told: its name is taken, and it is nobody's workspace.
  const [workspaces, unclear] = [marked.filter(isClear), marked.filter((item) => !isClear(item))]
  const sorted = sortNetworks(instance, deps.pool, networks)
  refuseAnotherPool(deps.pool, workspaces, sorted)
  const references = new Set<string>()
  const seen = await Promise.all(
    workspaces.map((item) => seeContainer(deps, item, sorted, references, signal)),
  )
  return {
    startedAt,
    containers: seen.filter((item) => item !== undefined),
    networks: [...sorted.own].map(([name, { index, egress }]) => ({
      index,
      egress,
      attached: attachedTo(name, directors),
    })),
    foreignIndexes: sorted.foreignIndexes,
    foreignNames: [...foreign, ...unclear].map(nameOf),
    subjects: subjectsOf(Volumes),
    homes: homesOf(Volumes, listed),
    wallAt,
    directors: directors.map(({ Id }) => shortId(Id)),
    images: await deps.images.idsOf(references, signal),
  }
}

/**
 * A director forwards to addresses of the pool alone, so with another pool all that runs would be unreachable, and be
 * stopped as such.
 */
function refuseAnotherPool(
  pool: SubnetPool,
  workspaces: readonly Docker.ContainerInfo[],
  { own, outsidePool }: SortedNetworks,
): void {
  if (outsidePool.size === 0) return
  const stranded = workspaces.flatMap((item) => {
    const names = Object.keys(item.NetworkSettings.Networks)
    const isUp = ['running', 'paused'].includes(statusOf(item.State))
    if (!isUp || names.some((name) => own.has(name))) return []
    const subnet = names.map((name) => outsidePool.get(name)).find((text) => text !== undefined)
    return subnet === undefined ? [] : [`${nameOf(item)} (${subnet})`]
  })
  if (stranded.length === 0) return
  const shown = stranded.slice(0, 5).join(', ')
  const more = stranded.length > 5 ? ` and ${stranded.length - 5} more` : ''
  throw new SettingsConflict(
    `NETWORK_POOL is ${pool.cidr}, but ${stranded.length} running workspace(s) have addresses of another pool: ${shown}${more}. ` +
      'With the new pool no person could reach them, so the spawner touches nothing. ' +
      'Set NETWORK_POOL back to its former value; to change it, stop these workspaces first.',
  )
}

async function sort(
  { provenance }: InventoryDeps,
  listed: readonly Docker.ContainerInfo[],
  signal: AbortSignal,
): Promise<{ own: Docker.ContainerInfo[]; foreign: Docker.ContainerInfo[] }> {
  const verdicts = await Promise.all(
    listed.map((item) =>
      provenance.isOurs(item.Labels, item.ImageID, item.HostConfig.NetworkMode, signal),
    ),
  )
  return {
    own: listed.filter((_, at) => verdicts[at] === true),
    foreign: listed.filter((_, at) => verdicts[at] !== true),
  }
}

function nameOf(item: Docker.ContainerInfo): string {
  return plainName(item.Names[0] ?? '')
}

async function seeContainer(
  deps: InventoryDeps,
  item: Docker.ContainerInfo,
  { own }: SortedNetworks,
  references: Set<string>,
  signal: AbortSignal,
): Promise<FoundContainer | undefined> {
  const networkAt = Object.keys(item.NetworkSettings.Networks).find((name) => own.has(name))
  const network = networkAt === undefined ? undefined : own.get(networkAt)?.index
  const info = await inspect(deps, item.Id, signal)
  if (info === undefined) return undefined
  // The list has an id instead as soon as the reference leads elsewhere.
  if (info !== 'unknown') references.add(info.Config.Image)
  const container = info === 'unknown' ? fromList(item, networkAt) : undefined
  const ended = info === 'unknown' ? undefined : onOurClock(deps.clock, info.State.FinishedAt)
  const described =
    container ?? describeContainer(info as Docker.ContainerInspectInfo, deps.clock, networkAt)
  return {
    workspace: (item.Labels[labels.workspace] ?? '') as WorkspaceName,
    template: item.Labels[labels.template] ?? '',
    kind: kindOf(item.Labels),
    owner: ownerOf(item.Labels),
    ...(network === undefined ? {} : { network }),
    container: described,
    ...(ended === undefined || described.status !== 'exited'
      ? {}
      : { finishedAgoMs: Math.max(0, deps.clock.now() - ended) }),
  }
}

/** `unknown`: the engine cannot say, which does not mean that it is gone. */
async function inspect(
  { docker, call }: InventoryDeps,
  id: string,
  signal: AbortSignal,
): Promise<Docker.ContainerInspectInfo | undefined | 'unknown'> {
  try {
    return await unlessGone(
      call('container-inspect', { signal, deadlineMs }, (abortSignal) =>
        docker.getContainer(id).inspect({ abortSignal }),
      ),
    )
  } catch (error) {
    if (isFault(error, 'broken')) return 'unknown'
    throw error
  }
}

function fromList(item: Docker.ContainerInfo, network: string | undefined): Container {
  const address =
    network === undefined ? undefined : addressOn(item.NetworkSettings.Networks, network)
  return {
    generation: item.Id,
    spec: item.Labels[labels.spec] ?? '',
    status: statusOf(item.State),
    name: nameOf(item),
    imageId: item.ImageID,
    ...(address === undefined ? {} : { address }),
  }
}

/** Those made before there were other kinds do not say it. */
function kindOf(carried: Readonly<Record<string, string>>): WorkspaceKind {
  const kind = carried[labels.kind]
  return kind === 'shared' || kind === 'standby' ? kind : 'private'
}

function isClear({ Labels }: Docker.ContainerInfo): boolean {
  return (ownerOf(Labels) === undefined) === (kindOf(Labels) !== 'private')
}

function ownerOf(carried: Readonly<Record<string, string>>): Person | undefined {
  const name = parseUserName(carried[labels.user] ?? '')
  if (name === undefined) return undefined
  const email = carried[labels.email]
  return {
    name,
    subject: carried[labels.subject] ?? '',
    groups: [],
    ...(email === undefined ? {} : { email }),
  }
}

function subjectsOf(
  volumes: readonly Docker.VolumeInspectInfo[] | null,
): ReadonlyMap<UserName, string> {
  const pairs = (volumes ?? []).flatMap((volume): [UserName, string][] => {
    const carried = (volume.Labels as Record<string, string> | null) ?? {}
    const user = parseUserName(carried[labels.user] ?? '')
    const isOwn = carried[labels.volume] === volume.Name
    return user === undefined || !isOwn ? [] : [[user, carried[labels.subject] ?? '']]
  })
  return new Map(pairs)
}

/** Of all containers there are, whosever: what one of them has is in use. */
function homesOf(
  volumes: readonly Docker.VolumeInspectInfo[] | null,
  listed: readonly Docker.ContainerInfo[],
): readonly FoundHome[] {
  const mounted = new Set(listed.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name)))
  return (volumes ?? []).flatMap((volume): FoundHome[] => {
    const carried = (volume.Labels as Record<string, string> | null) ?? {}
    const user = parseUserName(carried[labels.user] ?? '')
    if (user === undefined || carried[labels.volume] !== volume.Name) return []
    return [{ volume: volume.Name, user, mounted: mounted.has(volume.Name) }]
  })
}

/** Who is on a network is asked of the containers: a network does not know of those that stand still. */
function attachedTo(name: string, directors: readonly Docker.ContainerInfo[]): string[] {
  return directors
    .filter((item) => item.NetworkSettings.Networks[name] !== undefined)
    .map(({ Id }) => shortId(Id))
}
