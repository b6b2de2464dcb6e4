// Creates a workspace's container, or finds the one that an earlier try created. A container of the same name that is
// not ours is never touched.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { labels } from '@berth/shared/labels'
import { BerthError } from '@berth/shared/problems'
import type Docker from 'dockerode'
import type { Engine, EngineResult } from '../../loop/engine.ts'
import type { Container, Generation } from '../../policy/domain.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { done, failed, resultOf } from '../client/engine-result.ts'
import { EngineFault, isFault } from '../client/fault.ts'
import { inspectContainer } from '../client/inspect.ts'
import type { Image, Images } from '../images/images.ts'
import { notBuilt, notPulled, isBuiltHere } from '../images/pull-failure.ts'
import { networkName } from '../observe/ownership.ts'
import type { Provenance } from '../observe/provenance.ts'
import type { EnsureTools } from '../volumes/tools-volume.ts'
import type { Volumes } from '../volumes/volumes.ts'
import { containerOptions, mountsOf, specHash, specParts, type Mount } from './container-options.ts'
import { describeContainer } from './container-state.ts'
import { aboutPath } from './path-in-image.ts'
import type { Preparation } from './prepare-container.ts'

type CreateOrder = Parameters<Engine['createContainer']>[0]

/** The engine keeps a name taken for a moment before and after it shows the container that has it. */
const maxTries = 40
const retryMs = 50

export function createCreateContainer(
  deps: EngineClient & {
    clock: Clock
    instance: string
    images: Images
    volumes: Volumes
    preparation: Preparation
    provenance: Provenance
    ensureTools: EnsureTools
    remove: Engine['removeContainer']
  },
): Engine['createContainer'] {
  const { docker, call, clock, instance, images, volumes, preparation, ensureTools, remove } = deps

  async function create(order: CreateOrder, signal: AbortSignal): Promise<EngineResult<Container>> {
    const { template, owner } = order
    const reference = template.spec.image
    const mounts = mountsOf(template, owner, instance)
    const ownerless =
      owner === undefined ? mounts.find(({ namesPerson }) => namesPerson) : undefined
    if (ownerless !== undefined)
      return failed({
        code: 'start_failed',
        detail: `The mount at ${ownerless.target} is named after one person, but this workspace has no owner.`,
      })
    const [image] = await Promise.all([
      images.inspect(reference, signal),
      ...mounts
        .filter(({ kind }) => kind !== 'bind')
        .map((mount) => {
          const { source: name, readOnly } = mount
          return volumes.ensure({ name, owner: ownerOf(mount, owner), readOnly }, signal)
        }),
    ])
    if (image === undefined)
      return failed(
        isBuiltHere(reference)
          ? notBuilt(reference)
          : notPulled(reference, 'the engine does not have it'),
      )
    if (template.ssh !== undefined) await ensureTools(image.id, signal)
    const container = await createOrFind(order, image, signal)
    // A container that was found may have been started already; if not, it may have been left unprepared.
    if (container.status !== 'created') return done(container)
    const { generation } = container
    try {
      await preparation.prepare({ container: generation, template, mounts, image }, signal)
    } catch (error) {
      // Otherwise the next start would find the container and fail without the reason.
      if (!isFault(error, 'unreachable')) await remove(generation, signal)
      throw error
    }
    return done(container)
  }

  async function createOrFind(
    order: CreateOrder,
    image: Image,
    signal: AbortSignal,
  ): Promise<Container> {
    const spec = specHash(order.template, order.owner, instance)
    const created = {
      spec,
      parts: specParts(order.template, order.owner, instance),
      status: 'created',
      name: order.workspace,
      imageId: image.id,
      memoryBytes: order.template.spec.memoryBytes,
      port: order.template.spec.port,
      scheme: order.template.spec.scheme,
    } as const
    for (let tries = 1; ; tries += 1) {
      const generation = await createUnlessTaken(order, image, signal)
      if (generation !== undefined) return { generation, ...created }
      const found = await findOurs(order, signal)
      if (found === undefined) {
        if (tries >= maxTries)
          throw new EngineFault(
            'unreachable',
            'container-create',
            `the engine does not free the name ${order.workspace}`,
          )
        await sleep(retryMs, undefined, { signal })
        continue
      }
      // The engine lets a container start only as long as the network that it was created on is there.
      const fits =
        found.Config.Labels[labels.spec] === spec &&
        found.HostConfig.NetworkMode === networkName(instance, order.network)
      if (fits || found.State.Running) return describeContainer(found, clock)
      // Created from another template, or on a network that is gone: it is replaced.
      const removed = await remove(found.Id, signal)
      if (!removed.ok)
        throw new EngineFault('unreachable', 'container-remove', removed.failure.detail)
    }
  }

  async function createUnlessTaken(
    order: CreateOrder,
    image: Image,
    signal: AbortSignal,
  ): Promise<Generation | undefined> {
    try {
      return await createNew(order, image, signal)
    } catch (error) {
      if (isFault(error, 'conflict')) return undefined
      throw error
    }
  }

  async function createNew(
    order: CreateOrder,
    image: Image,
    signal: AbortSignal,
  ): Promise<Generation> {
    const body = containerOptions({
      ...order,
      kind: order.kind ?? 'private',
      instance,
      network: networkName(instance, order.network),
      imageUser: image.user,
      hasHealthcheck: image.hasHealthcheck,
      createdAt: Math.floor(clock.wall() / 1_000),
    })
    // dockerode would otherwise repeat the whole body, environment included, in the query.
    const options = { _query: { name: order.workspace }, _body: body }
    const container = await call(
      'container-create',
      { signal, deadlineMs: 60_000 },
      (abortSignal) => docker.createContainer({ ...options, abortSignal }),
    )
    return container.id
  }

  /** The container that has the name; `undefined` while the engine creates or removes one. */
  async function findOurs(
    { workspace, owner }: CreateOrder,
    signal: AbortSignal,
  ): Promise<Docker.ContainerInspectInfo | undefined> {
    const info = await inspectContainer(deps, workspace, { signal })
    if (info === undefined) return undefined
    const carried = info.Config.Labels
    const ours =
      carried[labels.workspace] === workspace &&
      (await deps.provenance.isOurs(carried, info.Image, info.HostConfig.NetworkMode, signal))
    if (!ours)
      throw new BerthError(
        'name_taken',
        `A container named ${workspace} exists already and does not belong to this instance.`,
      )
    if (carried[labels.user] !== owner?.name)
      throw new BerthError('name_taken', `The container ${workspace} belongs to another person.`)
    if (carried[labels.subject] !== owner?.subject)
      throw new BerthError(
        'identity_reused',
        'The container of this user name belongs to a person who had the name before.',
      )
    return info
  }

  return (order, signal) =>
    resultOf('start_failed', 'The container could not be created', async () => {
      try {
        return await create(order, signal)
      } catch (error) {
        throw aboutPath(error)
      }
    })
}

function ownerOf({ personal }: Mount, owner: Person | undefined): Person | undefined {
  return personal ? owner : undefined
}
