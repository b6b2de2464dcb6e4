// Takes the inventory of the engine: our containers, networks and volumes, and the names and subnets taken by others.
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { labels } from '@berth/shared/labels'
import { parseUserName, type UserName, type WorkspaceName } from '@berth/shared/names'
import type { SubnetPool } from '@berth/shared/subnet-pool'
import type Docker from 'dockerode'
import type { Container, FoundContainer, Inventory, WorkspaceKind } from '../../policy/domain.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { isFault } from '../client/fault.ts'
import { inspectContainer } from '../client/inspect.ts'
import {
  addressOn,
  describeContainer,
  entranceOf,
  partsIn,
  listedName,
  onOurClock,
  statusOf,
} from '../containers/container-state.ts'
import type { Images } from '../images/images.ts'
import { classifyNetworks, type ClassifiedNetworks } from '../networks/classify-networks.ts'
import { isDirector } from '../networks/directors.ts'
import { shortId } from './ownership.ts'
import { refuseAnotherPool } from './pool-conflict.ts'
import type { Provenance } from './provenance.ts'

export interface InventoryDeps extends EngineClient {
  readonly clock: Clock
  readonly instance: string
  readonly pool: SubnetPool
  readonly provenance: Provenance
  readonly images: Images
}

const deadlineMs = 20_000

/** Rejects if the engine does not answer. */
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
  const { own, foreign } = await partition(deps, listed, signal)
  const directors = own.filter((item) => item.State === 'running' && isDirector(item.Labels))
  const marked = own.filter((item) => item.Labels[labels.workspace] !== undefined)
  const workspaces = marked.filter(hasClearOwner)
  // A container whose owner is in doubt is no workspace, but its name is taken.
  const unclear = marked.filter((item) => !hasClearOwner(item))
  const classified = classifyNetworks(instance, deps.pool, networks)
  refuseAnotherPool(deps.pool, workspaces, classified)
  const references = new Set<string>()
  const containers = await Promise.all(
    workspaces.map((item) => findContainer(deps, item, classified, references, signal)),
  )
  const volumes = personalVolumes(Volumes)
  const mounted = new Set(listed.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name)))
  return {
    startedAt,
    containers: containers.filter((item) => item !== undefined),
    networks: [...classified.own].map(([name, { index, egress }]) => ({
      index,
      egress,
      attached: attachedTo(name, directors),
    })),
    foreignIndexes: classified.foreignIndexes,
    foreignNames: [...foreign, ...unclear].map(listedName),
    subjects: new Map(volumes.map(({ user, subject }) => [user, subject])),
    homes: volumes.map(({ volume, user }) => ({ volume, user, mounted: mounted.has(volume) })),
    wallAt,
    directors: directors.map(({ Id }) => shortId(Id)),
    images: await deps.images.idsOf(references, signal),
  }
}

async function partition(
  { provenance }: InventoryDeps,
  listed: readonly Docker.ContainerInfo[],
  signal: AbortSignal,
): Promise<{ own: Docker.ContainerInfo[]; foreign: Docker.ContainerInfo[] }> {
  const isOwn = await Promise.all(
    listed.map((item) =>
      provenance.isOurs(item.Labels, item.ImageID, item.HostConfig.NetworkMode, signal),
    ),
  )
  return {
    own: listed.filter((_, at) => isOwn[at] === true),
    foreign: listed.filter((_, at) => isOwn[at] !== true),
  }
}

/** @returns `undefined` if the container was removed after it was listed */
async function findContainer(
  deps: InventoryDeps,
  item: Docker.ContainerInfo,
  { own }: ClassifiedNetworks,
  references: Set<string>,
  signal: AbortSignal,
): Promise<FoundContainer | undefined> {
  const network = Object.keys(item.NetworkSettings.Networks).find((name) => own.has(name))
  const index = network === undefined ? undefined : own.get(network)?.index
  const found = {
    workspace: (item.Labels[labels.workspace] ?? '') as WorkspaceName,
    template: item.Labels[labels.template] ?? '',
    kind: kindOf(item.Labels),
    owner: ownerOf(item.Labels),
    ...(index === undefined ? {} : { network: index }),
  }
  const info = await inspect(deps, item.Id, signal)
  if (info === undefined) return undefined
  if (info === 'unknown') return { ...found, container: fromList(item, network) }
  // The list shows an id instead as soon as the reference leads to another image.
  references.add(info.Config.Image)
  const container = describeContainer(info, deps.clock, network)
  const finishedAt = onOurClock(deps.clock, info.State.FinishedAt)
  if (finishedAt === undefined || container.status !== 'exited') return { ...found, container }
  return { ...found, container, finishedAgoMs: Math.max(0, deps.clock.now() - finishedAt) }
}

/** `unknown`: the engine failed to answer for this container, which does not mean that it is gone. */
async function inspect(
  deps: InventoryDeps,
  id: string,
  signal: AbortSignal,
): Promise<Docker.ContainerInspectInfo | undefined | 'unknown'> {
  try {
    return await inspectContainer(deps, id, { signal, deadlineMs })
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
    ...partsIn(item.Labels),
    status: statusOf(item.State),
    name: listedName(item),
    imageId: item.ImageID,
    ...entranceOf(item.Labels),
    ...(address === undefined ? {} : { address }),
  }
}

/** Containers from before there were other kinds do not have the label. */
function kindOf(carried: Readonly<Record<string, string>>): WorkspaceKind {
  const kind = carried[labels.kind]
  return kind === 'shared' || kind === 'standby' ? kind : 'private'
}

/** A private workspace has an owner, and no other kind has one. */
function hasClearOwner({ Labels }: Docker.ContainerInfo): boolean {
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

interface PersonalVolume {
  readonly volume: string
  readonly user: UserName
  readonly subject: string
}

function personalVolumes(
  volumes: readonly Docker.VolumeInspectInfo[] | null,
): readonly PersonalVolume[] {
  return (volumes ?? []).flatMap((volume): PersonalVolume[] => {
    // A volume without labels has `null` here.
    const carried = (volume.Labels as Record<string, string> | null) ?? {}
    const user = parseUserName(carried[labels.user] ?? '')
    if (user === undefined || carried[labels.volume] !== volume.Name) return []
    return [{ volume: volume.Name, user, subject: carried[labels.subject] ?? '' }]
  })
}

/** By the containers: the network's own list lacks the stopped ones. */
function attachedTo(name: string, directors: readonly Docker.ContainerInfo[]): string[] {
  return directors
    .filter((item) => item.NetworkSettings.Networks[name] !== undefined)
    .map(({ Id }) => shortId(Id))
}
