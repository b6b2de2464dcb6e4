// One Docker Engine as the loop's engine. Puts the parts of docker/ together and decides nothing.
import type { Clock } from '@berth/shared/clock'
import type { SubnetPool } from '@berth/shared/subnet-pool'
import type { Engine } from '../loop/engine.ts'
import { createArchive } from './containers/archive.ts'
import { createCall, type CallObserver } from './client/calls.ts'
import { connectEngine } from './client/connection.ts'
import { specHash } from './containers/container-options.ts'
import { createContainers } from './containers/create-container.ts'
import { createFindCredentials, type FindCredentials } from './images/docker-configuration.ts'
import { createDirectors } from './networks/directors.ts'
import { engineEvents } from './observe/events.ts'
import { createFinish } from './containers/prepare-container.ts'
import { createFreezing } from './containers/freeze-container.ts'
import { createFurtherNetworks } from './networks/additional-networks.ts'
import { createHomes } from './volumes/writable-volumes.ts'
import { createIdentities } from './containers/user-ids.ts'
import { createImages } from './images/images.ts'
import { readLastWords } from './containers/exit-report.ts'
import { takeInventory } from './observe/inventory.ts'
import { createNetworks } from './networks/networks.ts'
import { createMeasureCpu } from './containers/cpu-usage.ts'
import { createProvenance } from './observe/provenance.ts'
import { createRename } from './containers/rename-container.ts'
import { createRunning } from './containers/start-container.ts'
import { createPutSecrets } from './containers/secrets.ts'
import { createVolumes } from './volumes/volumes.ts'

export interface DockerEngineOptions {
  readonly dockerHost: string
  readonly instance: string
  readonly pool: SubnetPool
  readonly clock: Clock
  readonly observer: CallObserver
  /** The Docker configuration with credentials for registries: a folder with `config.json`, or that file. */
  readonly dockerConfig?: string
}

export function createDockerEngine(options: DockerEngineOptions): Engine & Disposable {
  const { instance, pool, clock, observer } = options
  const connection = connectEngine(options.dockerHost)
  const { docker } = connection
  const call = createCall({ clock, observer })
  const base = { docker, call, clock, instance, pool }
  const provenance = createProvenance(base)
  const findCredentials: FindCredentials =
    options.dockerConfig === undefined
      ? async () => ({ status: 'none' })
      : createFindCredentials(options.dockerConfig)
  const images = createImages({ ...base, findCredentials })
  const networks = createNetworks(base)
  const volumes = createVolumes(base)
  const archive = createArchive(base)
  const inside = { archive, identityOf: createIdentities(archive) }
  const homes = createHomes(inside)
  const furtherNetworks = createFurtherNetworks(base)
  const finish = createFinish({ homes, putSecrets: createPutSecrets(inside), furtherNetworks })
  const running = createRunning({ ...base, homes, volumes, furtherNetworks })
  const freezing = createFreezing(base)
  const finished = (generation: string): void => running.finished(generation)
  const containers = createContainers({ ...base, images, volumes, finish, provenance, finished })
  const directors = createDirectors({ ...base, provenance })
  return {
    takeInventory: (signal) => takeInventory({ ...base, provenance, images }, signal),
    events: (onOpen, signal) => engineEvents(base, onOpen, signal),
    images: (signal) => images.labelled(signal),
    ensureImage: (...order) => images.ensure(...order),
    createContainer: ({ kind = 'private', ...order }, signal) =>
      containers.create({ ...order, kind }, signal),
    startContainer: (...order) => running.start(...order),
    freezeContainer: (...order) => freezing.freeze(...order),
    thawContainer: (...order) => freezing.thaw(...order),
    renameContainer: createRename(base),
    measureCpu: createMeasureCpu(base),
    stopContainer: (...order) => running.stop(...order),
    removeHome: (...order) => volumes.remove(...order),
    removeContainer: (...order) => containers.remove(...order),
    lastWords: (generation, signal) => readLastWords(base, generation, signal),
    logs: async (generation, lines, signal) =>
      (await readLastWords(base, generation, signal, lines)).log,
    createNetwork: (index, signal, egress = 'internet') => networks.create(index, egress, signal),
    removeNetwork: (...order) => networks.remove(...order),
    attachDirector: (...order) => directors.attach(...order),
    specOf: (template, owner) => specHash(template, owner, instance),
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  }
}
