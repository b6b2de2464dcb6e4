// Inspect calls: what the engine says about one thing, or `undefined` if the engine does not have it.
import type Docker from 'dockerode'
import { unlessGone, type CallOptions } from './calls.ts'
import type { EngineClient } from './engine-client.ts'

/** @param id the id or the name */
export function inspectContainer(
  { docker, call }: EngineClient,
  id: string,
  options: CallOptions,
): Promise<Docker.ContainerInspectInfo | undefined> {
  const container = docker.getContainer(id)
  return unlessGone(
    call('container-inspect', options, (abortSignal) => container.inspect({ abortSignal })),
  )
}

/** @param reference a reference or an id */
export function inspectImage(
  { docker, call }: EngineClient,
  reference: string,
  options: CallOptions,
): Promise<Docker.ImageInspectInfo | undefined> {
  const image = docker.getImage(reference)
  return unlessGone(call('image-inspect', options, () => image.inspect()))
}

/** Does not list stopped containers: only a container itself says which networks it is on. */
export function inspectNetwork(
  { docker, call }: EngineClient,
  name: string,
  options: CallOptions,
): Promise<Docker.NetworkInspectInfo | undefined> {
  const network = docker.getNetwork(name)
  return unlessGone(call('network-inspect', options, () => network.inspect()))
}
