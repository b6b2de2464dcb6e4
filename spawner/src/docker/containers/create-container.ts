// Making and removing a workspace's container. What bears its name and is not ours is never touched.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { labels } from '@berth/shared/labels'
import type { WorkspaceName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type Docker from 'dockerode'
import type { EngineResult } from '../../loop/engine.ts'
import type { Container, Generation, NetworkIndex, WorkspaceKind } from '../../policy/domain.ts'
import type { Template } from '../../templates/template.ts'
import { unlessDone, unlessGone, type Call } from '../client/calls.ts'
import { containerOptions, mountsOf, specHash, type Mount } from './container-options.ts'
import { describeContainer } from './container-state.ts'
import { EngineFault, isFault } from '../client/fault.ts'
import type { Finish } from './prepare-container.ts'
import type { Image, Images } from '../images/images.ts'
import { done, failed, outcomeOf } from '../client/engine-result.ts'
import { networkName } from '../observe/ownership.ts'
import type { Provenance } from '../observe/provenance.ts'
import { notBuilt, pullFailure, isBuiltHere } from '../images/pull-failure.ts'
import type { Volumes } from '../volumes/volumes.ts'

export interface CreateOrder {
  readonly workspace: WorkspaceName
  readonly template: Template
  readonly kind: WorkspaceKind
  /** Of a private one. */
  readonly owner: Person | undefined
  readonly network: NetworkIndex
}

export interface Containers {
  create(order: CreateOrder, signal: AbortSignal): Promise<EngineResult<Container>>
  remove(generation: Generation, signal: AbortSignal): Promise<EngineResult<void>>
}

/** A name is taken a moment before and after there is a container to look at. */
const mostTries = 40
const tryAgainMs = 50

export function createContainers(deps: {
  docker: Docker
  call: Call
  clock: Clock
  instance: string
  images: Images
  volumes: Volumes
  finish: Finish
  provenance: Provenance
  /** Told which new containers have all that they get before their first start. */
  finished(generation: Generation): void
}): Containers {
  const { docker, call, clock, instance, images, volumes, finish } = deps

  async function create(order: CreateOrder, signal: AbortSignal): Promise<EngineResult<Container>> {
    const { template, owner } = order
    const reference = template.spec.image
    const mounts = mountsOf(template, owner, instance)
    const nobodys = owner === undefined ? mounts.find(({ named }) => named) : undefined
    if (nobodys !== undefined)
      return failed({
        code: 'start_failed',
        detail: `What is mounted at ${nobodys.target} is named after one person, and this workspace is no one person's.`,
      })
    const [image] = await Promise.all([
      images.inspect(reference, signal),
      ...mounts
        .filter(({ kind }) => kind !== 'bind')
        .map((mount) => volumes.ensure(mount.source, ownerOf(mount, owner), signal)),
    ])
    if (image === undefined)
      return failed(
        isBuiltHere(reference) ? notBuilt(reference) : pullFailure(reference, 'it is not there'),
      )
    const container = await makeOrFind(order, image, signal)
    // Whoever made it may have died before it was finished.
    if (container.status !== 'created') return done(container)
    const { generation } = container
    try {
      await finish({ container: generation, template, mounts, image }, signal)
    } catch (error) {
      // The next start would find it again and fail without saying why.
      if (!isFault(error, 'unreachable')) await remove(generation, signal)
      throw error
    }
    deps.finished(generation)
    return done(container)
  }

  async function makeOrFind(
    order: CreateOrder,
    image: Image,
    signal: AbortSignal,
  ): Promise<Container> {
    const spec = specHash(order.template, order.owner, instance)
    const made = { spec, status: 'created', name: order.workspace, imageId: image.id } as const
    for (let tries = 1; ; tries += 1) {
      const generation = await makeUnlessTaken(order, image, signal)
      if (generation !== undefined) return { generation, ...made }
      const found = await findOurs(order, signal)
      if (found === undefined) {
        if (tries >= mostTries)
          throw new EngineFault('unreachable', 'container-create', 'the name is not freed')
        await sleep(tryAgainMs, undefined, { signal })
        continue
      }
      // The engine lets a container start only as long as the network that it was created on is there.
      const fits =
        found.Config.Labels[labels.spec] === spec &&
        found.HostConfig.NetworkMode === networkName(instance, order.network)
      if (fits || found.State.Running) return describeContainer(found, clock)
      // Made from something else, or for a network that is gone: it makes room.
      const removed = await remove(found.Id, signal)
      if (!removed.ok) throw new EngineFault('unreachable', 'container-remove', 'it stays')
    }
  }

  async function makeUnlessTaken(
    order: CreateOrder,
    image: Image,
    signal: AbortSignal,
  ): Promise<Generation | undefined> {
    try {
      return await make(order, image, signal)
    } catch (error) {
      if (isFault(error, 'conflict')) return undefined
      throw error
    }
  }

  async function make(order: CreateOrder, image: Image, signal: AbortSignal): Promise<Generation> {
    const body = containerOptions({
      ...order,
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

  /** An earlier try of ours that has the name already; `undefined` while one is being made or removed. */
  async function findOurs(
    { workspace, owner }: CreateOrder,
    signal: AbortSignal,
  ): Promise<Docker.ContainerInspectInfo | undefined> {
    const container = docker.getContainer(workspace)
    const info = await unlessGone(
      call('container-inspect', { signal }, (abortSignal) => container.inspect({ abortSignal })),
    )
    if (info === undefined) return undefined
    const carried = info.Config.Labels
    const ours =
      carried[labels.workspace] === workspace &&
      (await deps.provenance.isOurs(carried, info.Image, info.HostConfig.NetworkMode, signal))
    if (!ours)
      throw new BerthError(
        'name_taken',
        `A container named ${workspace} exists already and is not this instance's.`,
      )
    if (carried[labels.user] !== owner?.name)
      throw new BerthError('name_taken', `The container ${workspace} belongs to somebody else.`)
    if (carried[labels.subject] !== owner?.subject)
      throw new BerthError(
        'identity_reused',
        'The container under this user name belongs to somebody who had it before.',
      )
    return info
  }

  async function remove(generation: Generation, signal: AbortSignal): Promise<EngineResult<void>> {
    const retry = { retryBroken: true }
    const words = 'The container could not be removed'
    const work = async (): Promise<void> => {
      const container = docker.getContainer(generation)
      try {
        await unlessDone(
          // `v` takes the nameless volumes that the image asks for; those with a name stay.
          call('container-remove', { signal, deadlineMs: 60_000 }, (abortSignal) =>
            container.remove({ force: true, v: true, abortSignal }),
          ),
          'gone',
        )
      } catch (error) {
        if (!isFault(error, 'conflict')) throw error
        // Somebody else's removal of it is under way.
        const condition = 'removed' as const
        await unlessDone(
          call('container-wait', { signal, deadlineMs: 60_000 }, (abortSignal) =>
            container.wait({ condition, abortSignal }),
          ),
          'gone',
        )
      }
    }
    return outcomeOf('conflict', words, work, retry)
  }

  return {
    create: (order, signal) =>
      outcomeOf('start_failed', 'The container could not be made', () => create(order, signal)),
    remove,
  }
}

function ownerOf({ personal }: Mount, owner: Person | undefined): Person | undefined {
  return personal ? owner : undefined
}
