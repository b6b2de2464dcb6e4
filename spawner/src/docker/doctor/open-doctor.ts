// What the doctor learns from the engine: puts the parts of this folder together. For a process of its own.
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Clock } from '@berth/shared/clock'
import { labels } from '@berth/shared/labels'
import {
  parseSubnet,
  subnetAt,
  subnetCount,
  subnetsOverlap,
  type SubnetPool,
} from '@berth/shared/subnet-pool'
import { z } from 'zod'
import type { Examined } from '../../doctor/examine.ts'
import type { SocketFacts } from '../../doctor/facts.ts'
import { createCall } from '../client/calls.ts'
import { connectEngine } from '../client/connection.ts'
import { inspectContainer } from '../client/inspect.ts'
import { listedName } from '../containers/container-state.ts'
import { createRunShortly, removeLeftovers } from '../containers/short-run.ts'
import { createFindCredentials, type FindCredentials } from '../images/docker-configuration.ts'
import { createImages } from '../images/images.ts'
import { isBuiltHere, notBuilt, pullFailure } from '../images/pull-failure.ts'
import { isFault } from '../client/fault.ts'
import { classifyNetworks, subnetsOf } from '../networks/classify-networks.ts'
import { isOurs, networkIndex } from '../observe/ownership.ts'
import { askUrls } from './ask-urls.ts'
import { gatherHostFacts } from './host-facts.ts'
import { tryLimits } from './limits-trial.ts'
import { tryNames } from './names-trial.ts'
import { doctorRole } from './trial.ts'

/** Without what needs no engine, or the spawner's own view of it. */
export interface DoctorOfEngine extends Disposable, Omit<Examined, 'offered' | 'dataFolder'> {
  /** Removes what a doctor left behind that was killed. */
  sweep(signal: AbortSignal): Promise<void>
}

export interface DoctorOptions {
  readonly dockerHost: string
  readonly instance: string
  readonly pool: SubnetPool
  readonly clock: Clock
  readonly dockerConfig?: string | undefined
}

const versionSchema = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  Os: z.string(),
  Components: z.array(z.object({ Name: z.string() })).nullish(),
})
const infoSchema = z.object({
  Driver: z.string(),
  DriverStatus: z.array(z.array(z.string())).nullish(),
  MemTotal: z.number(),
  SwapLimit: z.boolean(),
  SystemTime: z.string(),
  DefaultAddressPools: z.array(z.object({ Base: z.string() })).nullish(),
})

/** No trial takes so long, so what is older was left behind. */
const leftAfterMs = 10 * 60_000

export function openDoctor(options: DoctorOptions): DoctorOfEngine {
  const { dockerHost, instance, pool, clock } = options
  const connection = connectEngine(dockerHost)
  const { docker } = connection
  const observer = { called: () => undefined, failed: () => undefined }
  const call = createCall({ clock, observer })
  const client = { docker, call }
  const base = { ...client, instance }
  const runShortly = createRunShortly(base)
  const findCredentials: FindCredentials =
    options.dockerConfig === undefined
      ? async () => ({ status: 'none' })
      : createFindCredentials(options.dockerConfig)
  const images = createImages({ ...client, findCredentials })

  /** The image of this container has all that a trial needs. */
  async function trial(signal: AbortSignal) {
    const own = await inspectContainer(client, hostname(), { signal })
    return { ...base, image: own?.Image ?? 'berth/spawner' }
  }

  const ours = { label: [`${labels.instance}=${instance}`] }
  const ofRole = (role: string) => ({ label: [...ours.label, `${labels.role}=${role}`] })
  const listNetworks = (signal: AbortSignal) =>
    call('network-list', { signal }, (abortSignal) => docker.listNetworks({ abortSignal }))

  async function freeSubnet(signal: AbortSignal) {
    const listed = await listNetworks(signal)
    const { own, foreignIndexes } = classifyNetworks(instance, pool, listed)
    const taken = new Set([...[...own.values()].map(({ index }) => index), ...foreignIndexes])
    // From the end: the spawner takes the next one from the beginning.
    for (let index = subnetCount(pool) - 1; index >= 0; index -= 1)
      if (!taken.has(index)) return subnetAt(pool, index)
    throw new Error('NETWORK_POOL has no free subnet')
  }

  return {
    async socket(signal) {
      const path = dockerHost.startsWith('unix://') ? dockerHost.slice('unix://'.length) : undefined
      const about = path === undefined ? {} : { path: await describePath(path) }
      const failure = await call('ping', { signal }, () => docker.ping()).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      const uid = process.getuid?.() ?? 0
      return { dockerHost, uid, ...about, ...(failure === undefined ? {} : { failure }) }
    },

    async engine(signal) {
      const version = versionSchema.parse(await call('version', { signal }, () => docker.version()))
      const sentAt = clock.wall()
      const told: unknown = await call('info', { signal }, () => docker.info())
      const middle = (sentAt + clock.wall()) / 2
      const info = infoSchema.parse(told)
      const [component] = version.Components ?? []
      const status = new Map(
        (info.DriverStatus ?? []).map(([name = '', value = '']) => [name, value]),
      )
      return {
        product:
          component === undefined || component.Name === 'Engine' ? 'Docker Engine' : component.Name,
        version: version.Version,
        apiVersion: version.ApiVersion,
        system: version.Os,
        storageDriver: info.Driver,
        hasEntryTypes: status.get('Supports d_type') !== 'false',
        memoryBytes: info.MemTotal,
        countsSwap: info.SwapLimit,
        aheadMs: Date.parse(info.SystemTime) - middle,
        defaultPools: (info.DefaultAddressPools ?? []).map(({ Base }) => Base),
      }
    },

    host: async (signal) => gatherHostFacts(await trial(signal), runShortly, signal),
    limits: async (signal) => tryLimits(await trial(signal), runShortly, signal),

    async networks(signal) {
      const listed = await listNetworks(signal)
      const { foreignIndexes } = classifyNetworks(instance, pool, listed)
      const isOwn = ({ Name, Labels }: (typeof listed)[number]): boolean =>
        isOurs(instance, Labels) && networkIndex(instance, Name) !== undefined
      const foreign = listed
        .filter((one) => !isOwn(one))
        .map((one) => ({ name: one.Name, subnets: subnetsOf(one) }))
        .filter(({ subnets }) => overlaps(pool, subnets))
      const devices = listed.map(({ Id, Options }) => deviceOf(Id, Options))
      return { pool, foreign, taken: foreignIndexes.length, devices }
    },

    names: async (signal) =>
      tryNames(await trial(signal), runShortly, await freeSubnet(signal), signal),

    async services(signal) {
      const filters = { label: [...ours.label, labels.role] }
      const listed = await call('container-list', { signal }, (abortSignal) =>
        docker.listContainers({ all: true, filters, abortSignal }),
      )
      const roles = ['gateway', 'director', 'spawner']
      const wanted = listed.filter(({ Labels }) => roles.includes(Labels[labels.role] ?? ''))
      // This container itself has the labels of the spawner, and runs no spawner.
      const others = wanted.filter(({ Labels }) => Labels['com.docker.compose.oneoff'] !== 'True')
      const found = await Promise.all(
        others.map(({ Id }) => inspectContainer(client, Id, { signal })),
      )
      return found
        .filter((info) => info !== undefined)
        .map(({ Name, State, Config }) => ({
          role: Config.Labels[labels.role] ?? '',
          name: Name.replace(/^\//, ''),
          running: State.Running,
          health: State.Health?.Status,
          environment: Object.fromEntries(
            Config.Env.map((line) => {
              const at = line.indexOf('=')
              return [line.slice(0, at), line.slice(at + 1)]
            }),
          ),
        }))
    },

    async ask(urls, signal) {
      const filters = { ...ofRole('director'), status: ['running'] }
      const [director] = await call('container-list', { signal }, (abortSignal) =>
        docker.listContainers({ filters, abortSignal }),
      )
      return askUrls(client, director?.Id, urls, signal)
    },

    async published(signal) {
      const listed = await call('container-list', { signal }, (abortSignal) =>
        docker.listContainers({ abortSignal }),
      )
      return listed.flatMap((item) =>
        item.Ports.flatMap(({ PublicPort: port }) =>
          port === undefined
            ? []
            : [{ port, container: listedName(item), isOurs: isOurs(instance, item.Labels) }],
        ),
      )
    },

    async image({ name: template, spec: { image } }, signal) {
      const present = await images.inspect(image, signal)
      if (present?.reserved !== undefined)
        return {
          template,
          image,
          state: {
            failure: `it carries the label ${present.reserved}, which is reserved for Berth`,
          },
        }
      if (present !== undefined) return { template, image, state: 'present' }
      if (isBuiltHere(image)) return { template, image, state: { failure: notBuilt(image).detail } }
      const login = await findCredentials(image)
      const authconfig = login.status === 'found' ? { authconfig: login.credentials } : {}
      try {
        await call('image-distribution', { signal, deadlineMs: 20_000 }, () =>
          docker.getImage(image).distribution(authconfig),
        )
        return { template, image, state: 'pullable' }
      } catch (error) {
        if (!isFault(error)) throw error
        const { detail } = pullFailure(image, error.message)
        return { template, image, state: { failure: detail } }
      }
    },

    async sweep(signal) {
      await removeLeftovers(base, doctorRole, clock.wall(), signal)
      const filters = ofRole(doctorRole)
      const networks = await call('network-list', { signal }, (abortSignal) =>
        docker.listNetworks({ filters, abortSignal }),
      )
      const before = clock.wall() - leftAfterMs
      for (const { Id, Created } of networks)
        if (Date.parse(Created) < before)
          await call('network-remove', { signal }, () => docker.getNetwork(Id).remove())
    },

    [Symbol.dispose]: () => connection[Symbol.dispose](),
  }
}

/** The engine names the bridge of a network by its id, unless an option names it. */
function deviceOf(id: string, options: Record<string, string> | undefined): string {
  return options?.['com.docker.network.bridge.name'] ?? `br-${id.slice(0, 12)}`
}

function overlaps(pool: SubnetPool, subnets: readonly string[]): boolean {
  return subnets.some((text) => {
    const subnet = parseSubnet(text)
    return subnet !== undefined && subnetsOverlap(subnet, pool)
  })
}

async function describePath(path: string): Promise<NonNullable<SocketFacts['path']>> {
  try {
    const found = await stat(path)
    const { mode, uid, gid } = found
    return { kind: found.isSocket() ? 'socket' : 'other', mode, uid, gid }
  } catch {
    return { kind: 'absent', mode: 0, uid: 0, gid: 0 }
  }
}
