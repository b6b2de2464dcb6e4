// Connects a container to a network and disconnects it again, stopped containers too. Both are idempotent.
import type Docker from 'dockerode'
import { unlessDone } from '../client/calls.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { isFault, type FaultKind } from '../client/fault.ts'
import { inspectContainer } from '../client/inspect.ts'

const deadlineMs = 30_000

/** @throws EngineFault unless the container is on the network afterwards */
export async function connectToNetwork(
  client: EngineClient,
  network: string,
  container: string,
  signal: AbortSignal,
  endpoint?: Docker.EndpointSettings,
): Promise<void> {
  const options = {
    Container: container,
    ...(endpoint === undefined ? {} : { EndpointConfig: endpoint }),
  }
  try {
    await client.call('network-connect', { signal, deadlineMs }, (abortSignal) =>
      client.docker.getNetwork(network).connect({ ...options, ...{ abortSignal } }),
    )
  } catch (error) {
    if (!isFault(error) || isFault(error, 'unreachable', 'gone')) throw error
    // Versions of the engine differ in how they refuse a container that is on the network already.
    const info = await inspectContainer(client, container, { signal })
    if (info?.NetworkSettings.Networks[network] === undefined) throw error
  }
}

/** @param also further faults that the caller accepts, because it checks the result itself */
export async function disconnectFromNetwork(
  { docker, call }: EngineClient,
  network: string,
  container: string,
  signal: AbortSignal,
  ...also: readonly FaultKind[]
): Promise<void> {
  const options = { Container: container, Force: true }
  const answer = call('network-disconnect', { signal, deadlineMs }, (abortSignal) =>
    docker.getNetwork(network).disconnect({ ...options, abortSignal }),
  )
  // Versions of the engine differ in how they refuse a container that is not on the network.
  await unlessDone(answer, 'gone', 'refused', 'conflict', ...also)
}
