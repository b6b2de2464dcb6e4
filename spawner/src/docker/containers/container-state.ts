// Translates the engine's description of a container to that of the policy. Pure.
import type { Clock } from '@berth/shared/clock'
import { labels } from '@berth/shared/labels'
import type Docker from 'dockerode'
import type { Container } from '../../policy/domain.ts'
import { plainName, type Labels } from '../observe/ownership.ts'

export type Health = NonNullable<Container['health']>

export function healthOf(text: string | undefined): Health | undefined {
  return text === 'starting' || text === 'healthy' || text === 'unhealthy' ? text : undefined
}

export function statusOf(state: string): Container['status'] {
  switch (state) {
    case 'created':
      return 'created'
    case 'paused':
      return 'paused'
    case 'running':
    case 'restarting':
      return 'running'
    default:
      return 'exited'
  }
}

/** @returns the time on our own monotonic clock; `undefined` for the engine's "never", which is the year 1 */
export function onOurClock(clock: Clock, time: string): number | undefined {
  const at = Date.parse(time)
  return Number.isFinite(at) && at > 0 ? at - clock.wallOf(0) : undefined
}

/** The name of a container as the engine lists it. */
export function listedName({ Names }: Docker.ContainerInfo): string {
  return plainName(Names[0] ?? '')
}

/** By network name. */
export type Addresses = Readonly<Record<string, { readonly IPAddress?: string }>>

export function addressOn(networks: Addresses, name: string): string | undefined {
  const address = networks[name]?.IPAddress
  return address === undefined || address === '' ? undefined : address
}

const schemesOfLabels = ['https', 'tcp', 'none'] as const

/** Where the application listens, as the container was made. */
export function entranceOf(carried: Labels): Pick<Container, 'port' | 'scheme'> {
  const port = Number(carried[labels.port])
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return {}
  const scheme = schemesOfLabels.find((one) => one === carried[labels.scheme])
  return { port, scheme: scheme ?? 'http' }
}

/** Absent in the labels of a container from before there were such labels. */
export function partsIn({ [labels.parts]: parts }: Labels): Pick<Container, 'parts'> {
  return parts === undefined ? {} : { parts }
}

/** @param network the network of ours that the container is on */
export function describeContainer(
  info: Docker.ContainerInspectInfo,
  clock: Clock,
  network?: string,
): Container {
  const { State } = info
  const status = statusOf(State.Status)
  const health = healthOf(State.Health?.Status)
  const startedAt = onOurClock(clock, State.StartedAt)
  const address =
    network === undefined ? undefined : addressOn(info.NetworkSettings.Networks, network)
  return {
    generation: info.Id,
    spec: info.Config.Labels[labels.spec] ?? '',
    ...partsIn(info.Config.Labels),
    status,
    name: plainName(info.Name),
    imageId: info.Image,
    memoryBytes: info.HostConfig.Memory ?? 0,
    ...(State.OOMKilled ? { outOfMemory: true } : {}),
    ...entranceOf(info.Config.Labels),
    ...(status === 'exited' ? { exitCode: State.ExitCode } : {}),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(address === undefined ? {} : { address }),
    ...(health === undefined || status !== 'running' ? {} : { health }),
  }
}
