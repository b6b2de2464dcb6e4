// Starting and stopping a workspace's container: on the right network, thawed first, its volumes prepared.
import type { WorkspaceName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type Docker from 'dockerode'
import { labels } from '@berth/shared/labels'
import type { EngineResult } from '../../loop/engine.ts'
import type { Generation, NetworkIndex } from '../../policy/domain.ts'
import { unlessDone, unlessGone, type Call } from '../client/calls.ts'
import { aliasesOf } from './container-options.ts'
import { addressOn, healthOf, type Health } from './container-state.ts'
import { EngineFault, isFault } from '../client/fault.ts'
import type { FurtherNetworks } from '../networks/additional-networks.ts'
import type { Homes } from '../volumes/writable-volumes.ts'
import { readLastWords } from './exit-report.ts'
import { done, failed, outcomeOf } from '../client/engine-result.ts'
import { networkIndex, networkName } from '../observe/ownership.ts'
import type { Volumes } from '../volumes/volumes.ts'

export interface Started {
  readonly address: string
  readonly health?: Health
}

export interface Running {
  start(
    generation: Generation,
    network: NetworkIndex,
    signal: AbortSignal,
  ): Promise<EngineResult<Started>>
  stop(
    generation: Generation,
    options: { readonly signal: string; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<EngineResult<{ exitCode?: number }>>
  /** A container that has all that it gets before its first start. */
  finished(generation: Generation): void
}

const startDeadlineMs = 60_000
/** Those made and never started are few: each is started next. */
const longestMemory = 4096

export function createRunning(deps: {
  docker: Docker
  call: Call
  instance: string
  homes: Homes
  volumes: Volumes
  furtherNetworks: FurtherNetworks
}): Running {
  const { docker, call, instance } = deps
  const finished = new Set<Generation>()

  const inspect = (id: Generation, signal: AbortSignal): Promise<Docker.ContainerInspectInfo> =>
    call('container-inspect', { signal }, (abortSignal) =>
      docker.getContainer(id).inspect({ abortSignal }),
    )

  async function start(
    generation: Generation,
    wanted: string,
    signal: AbortSignal,
  ): Promise<EngineResult<Started>> {
    const before = await unlessGone(inspect(generation, signal))
    if (before === undefined)
      return failed({ code: 'start_failed', detail: 'The container is gone.' }, true)
    await leaveOtherNetworks(before, wanted, signal)
    if (before.NetworkSettings.Networks[wanted] === undefined) await connect(before, wanted, signal)
    if (before.State.Paused) await thaw(generation, signal)
    if (!before.State.Running) {
      if (before.State.Status === 'created') await finishOnce(before, signal)
      await launch(before, wanted, signal)
    }
    finished.delete(generation)
    return settled(await inspect(generation, signal), wanted, signal)
  }

  async function launch(
    info: Docker.ContainerInspectInfo,
    wanted: string,
    signal: AbortSignal,
  ): Promise<void> {
    const options = { signal, deadlineMs: startDeadlineMs }
    const container = docker.getContainer(info.Id)
    const begin = (): Promise<void> =>
      unlessDone(
        call('container-start', options, (abortSignal) => container.start({ abortSignal })),
      )
    try {
      await begin()
    } catch (error) {
      if (!isFault(error) || !/network/i.test(error.message)) throw error
      // The network it was on was removed and made again: the name is the same, the network is another.
      await disconnect(info.Id, wanted, signal)
      await connect(info, wanted, signal)
      await deps.furtherNetworks.rejoin(info, signal)
      await begin()
    }
  }

  async function settled(
    info: Docker.ContainerInspectInfo,
    network: string,
    signal: AbortSignal,
  ): Promise<EngineResult<Started>> {
    if (!info.State.Running) {
      const words = await readLastWords(deps, info.Id, signal)
      const detail = `It ended at once with exit code ${info.State.ExitCode}.`
      return failed({ code: 'start_failed', detail, exitCode: info.State.ExitCode, log: words.log })
    }
    const address = addressOn(info.NetworkSettings.Networks, network)
    if (address === undefined)
      throw new EngineFault('unreachable', 'container-start', 'it has no address yet')
    const health = healthOf(info.State.Health?.Status)
    return done(health === undefined ? { address } : { address, health })
  }

  async function leaveOtherNetworks(
    info: Docker.ContainerInspectInfo,
    wanted: string,
    signal: AbortSignal,
  ): Promise<void> {
    const others = Object.keys(info.NetworkSettings.Networks).filter(
      (name) => name !== wanted && networkIndex(instance, name) !== undefined,
    )
    await Promise.all(others.map((name) => disconnect(info.Id, name, signal)))
  }

  async function connect(
    info: Docker.ContainerInspectInfo,
    network: string,
    signal: AbortSignal,
  ): Promise<void> {
    const carried = info.Config.Labels
    const workspace = (carried[labels.workspace] ?? '') as WorkspaceName
    const EndpointConfig = { Aliases: aliasesOf(workspace, carried[labels.subject]) }
    const options = { Container: info.Id, EndpointConfig }
    await call('network-connect', { signal, deadlineMs: 30_000 }, (abortSignal) =>
      docker.getNetwork(network).connect({ ...options, ...{ abortSignal } }),
    )
  }

  async function disconnect(id: Generation, network: string, signal: AbortSignal): Promise<void> {
    const options = { Container: id, Force: true }
    const answer = call('network-disconnect', { signal, deadlineMs: 30_000 }, (abortSignal) =>
      docker.getNetwork(network).disconnect({ ...options, abortSignal }),
    )
    await unlessDone(answer, 'gone', 'refused', 'conflict')
  }

  async function thaw(id: Generation, signal: AbortSignal): Promise<void> {
    const answer = call('container-unpause', { signal }, (abortSignal) =>
      docker.getContainer(id).unpause({ abortSignal }),
    )
    // It is not frozen any more.
    await unlessDone(answer, 'conflict', 'gone')
  }

  /** Whoever made it may have died between making it and preparing its volumes. */
  async function finishOnce(info: Docker.ContainerInspectInfo, signal: AbortSignal): Promise<void> {
    if (finished.has(info.Id)) return
    if (info.Config.Labels[labels.contents] !== undefined)
      throw new BerthError('start_failed', 'The container was never finished; it is made anew.')
    const writable = info.Mounts.filter(({ Type, RW }) => Type === 'volume' && RW)
    const names = writable.flatMap(({ Name }) => (Name === undefined ? [] : [Name]))
    const personal = await deps.volumes.personal(names, signal)
    const paths = writable
      .filter(({ Name }) => Name !== undefined && personal.includes(Name))
      .map(({ Destination }) => Destination)
    const { Id: container, Image: imageId } = info
    await deps.homes.prepare({ container, imageId, user: info.Config.User, paths }, signal)
  }

  return {
    finished(generation) {
      if (finished.size >= longestMemory) finished.clear()
      finished.add(generation)
    },

    start: (generation, network, signal) =>
      outcomeOf('start_failed', 'The container could not be started', () =>
        start(generation, networkName(instance, network), signal),
      ),

    stop: (generation, options, signal) =>
      outcomeOf(
        'conflict',
        'The container could not be stopped',
        async () => {
          const before = await unlessGone(inspect(generation, signal))
          if (before === undefined) return {}
          // Stopping a frozen one waits for the thaw, and then kills.
          if (before.State.Paused) await thaw(generation, signal)
          const seconds = Math.ceil(options.timeoutMs / 1_000)
          const how = { t: seconds, ...(options.signal === '' ? {} : { signal: options.signal }) }
          await unlessDone(
            call(
              'container-stop',
              { signal, deadlineMs: seconds * 1_000 + 20_000 },
              (abortSignal) => docker.getContainer(generation).stop({ ...how, abortSignal }),
            ),
            'gone',
          )
          const after = await unlessGone(inspect(generation, signal))
          return after === undefined ? {} : { exitCode: after.State.ExitCode }
        },
        { retryBroken: true },
      ),
  }
}
