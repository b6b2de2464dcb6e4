// The containers, networks and volumes of one instance, found by label, and their removal.
import type { Engine } from './engine.ts'

export interface ListedContainer {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Image: string
  readonly State: string
  readonly Labels: Readonly<Record<string, string>>
}

interface Mounted {
  readonly Type: string
  /** Of a volume. */
  readonly Name?: string
  readonly Source: string
  readonly Destination: string
  readonly RW: boolean
}

export interface InspectedContainer {
  readonly Id: string
  readonly Name: string
  readonly RestartCount: number
  readonly State: {
    readonly Status: string
    readonly Running: boolean
    readonly Pid: number
    readonly ExitCode: number
    readonly StartedAt: string
    readonly FinishedAt: string
  }
  readonly Config: {
    readonly Image: string
    readonly Hostname: string
    readonly User: string
    readonly Env: readonly string[]
    readonly Cmd: readonly string[]
    readonly StopSignal?: string
    readonly StopTimeout?: number
    readonly Healthcheck?: Readonly<Record<string, unknown>>
    readonly Labels: Readonly<Record<string, string>>
  }
  readonly HostConfig: Readonly<Record<string, unknown>>
  readonly Mounts: readonly Mounted[]
  readonly NetworkSettings: {
    readonly Networks: Readonly<
      Record<string, { readonly IPAddress: string; readonly Gateway: string }>
    >
  }
}

export interface ListedNetwork {
  readonly Id: string
  readonly Name: string
  readonly Labels: Readonly<Record<string, string>>
  readonly IPAM: { readonly Config: readonly { readonly Subnet: string }[] | null }
}

export interface ListedVolume {
  readonly Name: string
  readonly Labels: Readonly<Record<string, string>> | null
}

const ofInstance = (instance: string, ...more: string[]) => ({
  filters: { label: [`berth.instance=${instance}`, ...more] },
})

function containersOf(engine: Engine, instance: string): Promise<ListedContainer[]> {
  return engine.get('/containers/json', { all: true, ...ofInstance(instance) })
}

export function workspacesOf(engine: Engine, instance: string): Promise<ListedContainer[]> {
  return engine.get('/containers/json', { all: true, ...ofInstance(instance, 'berth.workspace') })
}

export function servicesOf(
  engine: Engine,
  instance: string,
  role: string,
): Promise<ListedContainer[]> {
  return engine.get('/containers/json', {
    all: true,
    ...ofInstance(instance, `berth.role=${role}`),
  })
}

export function networksOf(engine: Engine, instance: string): Promise<ListedNetwork[]> {
  return engine.get('/networks', ofInstance(instance))
}

/** The networks of workspaces, including spares. */
export async function workspaceNetworksOf(
  engine: Engine,
  instance: string,
): Promise<ListedNetwork[]> {
  return engine.get('/networks', ofInstance(instance, 'berth.network'))
}

export async function volumesOf(engine: Engine, instance: string): Promise<ListedVolume[]> {
  const { Volumes } = await engine.get<{ Volumes: ListedVolume[] | null }>(
    '/volumes',
    ofInstance(instance),
  )
  return Volumes ?? []
}

export function inspect(engine: Engine, name: string): Promise<InspectedContainer | undefined> {
  return engine.find(`/containers/${encodeURIComponent(name)}/json`)
}

export async function inspected(engine: Engine, name: string): Promise<InspectedContainer> {
  const found = await inspect(engine, name)
  if (found === undefined) throw new Error(`there is no container ${name}`)
  return found
}

/** Removes everything, including people's homes. The spawner is removed first, so that it restores nothing meanwhile. */
export async function removeBelongings(engine: Engine, instance: string): Promise<void> {
  const containers = await containersOf(engine, instance)
  const spawners = containers.filter(({ Labels }) => Labels['berth.role'] === 'spawner')
  await removeContainers(engine, spawners)
  // List again: the spawner may have created one just before it was removed.
  await removeContainers(engine, await containersOf(engine, instance))
  for (const { Id } of await networksOf(engine, instance)) await engine.remove(`/networks/${Id}`)
  for (const { Name } of await volumesOf(engine, instance)) {
    await engine.remove(`/volumes/${encodeURIComponent(Name)}`)
  }
}

async function removeContainers(
  engine: Engine,
  containers: readonly ListedContainer[],
): Promise<void> {
  await Promise.all(
    containers.map(({ Id }) => engine.remove(`/containers/${Id}`, { force: true, v: true })),
  )
}
