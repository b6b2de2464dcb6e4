// What a container gets between its creation and its first start: writable volumes, secrets, additional networks.
import { labels } from '@berth/shared/labels'
import { BerthError } from '@berth/shared/problems'
import type Docker from 'dockerode'
import type { Generation } from '../../policy/domain.ts'
import type { Template } from '../../templates/template.ts'
import type { AdditionalNetworks } from '../networks/additional-networks.ts'
import type { Volumes } from '../volumes/volumes.ts'
import type { WritableVolumes } from '../volumes/writable-volumes.ts'
import type { Mount } from './container-options.ts'
import type { PutSecretsOrder } from './secrets.ts'

export interface PrepareOrder {
  readonly container: Generation
  readonly template: Template
  readonly mounts: readonly Mount[]
  readonly image: { readonly id: string; readonly user: string }
}

export interface Preparation {
  /** Idempotent. */
  prepare(order: PrepareOrder, signal: AbortSignal): Promise<void>
  /**
   * Prepares a container that another process of the spawner created and may have left unprepared.
   *
   * @throws BerthError `start_failed` if the container needs more than its labels and volumes tell
   */
  prepareFound(info: Docker.ContainerInspectInfo, signal: AbortSignal): Promise<void>
  /**
   * Gives the volumes of one person to the user of a container that has run before. Meanwhile the container of another
   * template may have had them.
   *
   * @throws BerthError `start_failed` if it still has them
   */
  giveVolumes(info: Docker.ContainerInspectInfo, signal: AbortSignal): Promise<void>
  /** The container was started: it is never prepared again. */
  started(generation: Generation): void
}

/** Containers that are created and not started are few: each is started next. */
const maxRemembered = 4096

export function createPreparation(deps: {
  volumes: Volumes
  writableVolumes: WritableVolumes
  putSecrets: (order: PutSecretsOrder, signal: AbortSignal) => Promise<void>
  additionalNetworks: AdditionalNetworks
}): Preparation {
  const { volumes, writableVolumes, putSecrets, additionalNetworks } = deps
  const prepared = new Set<Generation>()

  async function giveVolumes(
    { Id, Image, Config, Mounts }: Docker.ContainerInspectInfo,
    signal: AbortSignal,
  ): Promise<void> {
    const writable = Mounts.flatMap(({ Type, RW, Name, Destination }) =>
      Type === 'volume' && RW && Name !== undefined ? [{ volume: Name, path: Destination }] : [],
    )
    const names = writable.map(({ volume }) => volume)
    const personal = await volumes.personal(names, signal)
    const mounts = writable.filter(({ volume }) => personal.includes(volume))
    const order = { container: Id, imageId: Image, user: Config.User, mounts }
    await writableVolumes.giveToUser(order, signal)
  }

  return {
    async prepare({ container, template: { spec }, mounts, image }, signal) {
      const user = spec.user === '' ? image.user : spec.user
      const inside = { container, imageId: image.id, user }
      const own = mounts.filter(({ writableForUser }) => writableForUser)
      const open = mounts.filter(({ kind, readOnly }) => kind === 'shared' && !readOnly)
      const given = own.map(({ source, target }) => ({ volume: source, path: target }))
      await writableVolumes.refuseSamePlace({ container, paths: mounts.map(targetOf) }, signal)
      await writableVolumes.giveToUser({ ...inside, mounts: given }, signal)
      await writableVolumes.openToAll({ container, paths: open.map(targetOf) }, signal)
      await putSecrets({ ...inside, secrets: spec.secrets }, signal)
      await additionalNetworks.join(container, spec.networks, signal)
      if (prepared.size >= maxRemembered) prepared.clear()
      prepared.add(container)
    },

    async prepareFound(info, signal) {
      const { Id, Config } = info
      if (prepared.has(Id)) return
      if (Config.Labels[labels.contents] !== undefined)
        throw new BerthError(
          'start_failed',
          'The container was created, but its secrets, networks or volumes were never set up. Berth creates it again.',
        )
      await giveVolumes(info, signal)
    },

    giveVolumes,

    started: (generation) => void prepared.delete(generation),
  }
}

function targetOf({ target }: Mount): string {
  return target
}
