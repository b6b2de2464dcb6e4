// Starts a workspace's container: prepared, on the right network, thawed if it is paused.
import { labels } from '@berth/shared/labels'
import type { WorkspaceName } from '@berth/shared/names'
import type Docker from 'dockerode'
import type { Engine, EngineResult } from '../../loop/engine.ts'
import type { Generation } from '../../policy/domain.ts'
import { unlessDone } from '../client/calls.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { done, failed, resultOf } from '../client/engine-result.ts'
import { EngineFault, isFault } from '../client/fault.ts'
import { inspectContainer } from '../client/inspect.ts'
import type { AdditionalNetworks } from '../networks/additional-networks.ts'
import { connectToNetwork, disconnectFromNetwork } from '../networks/connect.ts'
import { networkIndex, networkName } from '../observe/ownership.ts'
import { aliasesOf } from './container-options.ts'
import { addressOn, healthOf, type Health } from './container-state.ts'
import { readLastWords } from './last-words.ts'
import { unpause } from './freeze-container.ts'
import type { Preparation } from './prepare-container.ts'

interface Started {
  readonly address: string
  readonly health?: Health
}

const startDeadlineMs = 60_000

export function createStartContainer(
  deps: EngineClient & {
    instance: string
    preparation: Preparation
    additionalNetworks: AdditionalNetworks
  },
): Engine['startContainer'] {
  const { docker, call, instance, preparation, additionalNetworks } = deps

  async function start(
    generation: Generation,
    network: string,
    signal: AbortSignal,
  ): Promise<EngineResult<Started>> {
    const before = await inspectContainer(deps, generation, { signal })
    if (before === undefined)
      return failed({ code: 'start_failed', detail: 'The container is gone.' }, true)
    await leaveOtherNetworks(before, network, signal)
    if (before.NetworkSettings.Networks[network] === undefined)
      await connect(before, network, signal)
    if (before.State.Paused) await unpause(deps, generation, signal)
    if (!before.State.Running) {
      if (before.State.Status === 'created') await preparation.prepareFound(before, signal)
      else await preparation.giveVolumes(before, signal)
      await run(before, network, signal)
    }
    preparation.started(generation)
    const after = await inspectContainer(deps, generation, { signal })
    if (after === undefined)
      throw new EngineFault('gone', 'container-inspect', 'it was removed during its start')
    return startedOrEnded(after, network, signal)
  }

  async function run(
    info: Docker.ContainerInspectInfo,
    network: string,
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
      // A network of the container was removed and created again: it has the same name and another id.
      await disconnectFromNetwork(deps, network, info.Id, signal)
      await connect(info, network, signal)
      await additionalNetworks.rejoin(info, signal)
      await begin()
    }
  }

  async function startedOrEnded(
    info: Docker.ContainerInspectInfo,
    network: string,
    signal: AbortSignal,
  ): Promise<EngineResult<Started>> {
    if (!info.State.Running) {
      const { log } = await readLastWords(deps, info.Id, signal)
      const exitCode = info.State.ExitCode
      const detail = `The container ended right after its start, with exit code ${exitCode}.`
      return failed({ code: 'start_failed', detail, exitCode, log })
    }
    const address = addressOn(info.NetworkSettings.Networks, network)
    if (address === undefined)
      throw new EngineFault('unreachable', 'container-start', 'it has no address yet')
    const health = healthOf(info.State.Health?.Status)
    return done(health === undefined ? { address } : { address, health })
  }

  async function leaveOtherNetworks(
    info: Docker.ContainerInspectInfo,
    network: string,
    signal: AbortSignal,
  ): Promise<void> {
    const others = Object.keys(info.NetworkSettings.Networks).filter(
      (name) => name !== network && networkIndex(instance, name) !== undefined,
    )
    await Promise.all(others.map((name) => disconnectFromNetwork(deps, name, info.Id, signal)))
  }

  async function connect(
    info: Docker.ContainerInspectInfo,
    network: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { Labels } = info.Config
    const workspace = (Labels[labels.workspace] ?? '') as WorkspaceName
    const endpoint = { Aliases: aliasesOf(workspace, Labels[labels.subject]) }
    await connectToNetwork(deps, network, info.Id, signal, endpoint)
  }

  return (generation, network, signal) =>
    resultOf('start_failed', 'The container could not be started', () =>
      start(generation, networkName(instance, network), signal),
    )
}
