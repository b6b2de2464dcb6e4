// One Docker Engine as the loop's engine: puts the parts of docker/ together and decides nothing.
import { randomBytes } from 'node:crypto'
import type { Clock } from '@berth/shared/clock'
import type { SubnetPool } from '@berth/shared/subnet-pool'
import type { Engine } from '../loop/engine.ts'
import type { Template } from '../templates/template.ts'
import { createCall, type CallObserver } from './client/calls.ts'
import { connectEngine } from './client/connection.ts'
import { createArchive } from './containers/archive.ts'
import { homeVolume, specHash, specParts } from './containers/container-options.ts'
import { createUsage } from './containers/cpu-usage.ts'
import { createCreateContainer } from './containers/create-container.ts'
import { followLog } from './containers/follow-log.ts'
import { createFindListeners } from './containers/find-listeners.ts'
import { createFreezing } from './containers/freeze-container.ts'
import { createOpenSession } from './containers/open-session.ts'
import { createPreparation } from './containers/prepare-container.ts'
import { createRemoveContainer } from './containers/remove-container.ts'
import { createEndLeftSessions } from './containers/left-sessions.ts'
import { readLastWords } from './containers/last-words.ts'
import { createRenameContainer } from './containers/rename-container.ts'
import { createPutSecrets } from './containers/secrets.ts'
import { createStartContainer } from './containers/start-container.ts'
import { createStopContainer } from './containers/stop-container.ts'
import { createFindUserIds } from './containers/user-ids.ts'
import { createFindCredentials, type FindCredentials } from './images/docker-configuration.ts'
import { createImages } from './images/images.ts'
import { createAdditionalNetworks } from './networks/additional-networks.ts'
import { createAttachDirector } from './networks/directors.ts'
import { createNetworks } from './networks/networks.ts'
import { engineEvents } from './observe/events.ts'
import { takeInventory } from './observe/inventory.ts'
import { findMissing } from './observe/missing.ts'
import { createProvenance } from './observe/provenance.ts'
import { createAdmitKey } from './volumes/admitted-key.ts'
import { createRefuseOtherUsers } from './volumes/other-users.ts'
import { createEnsureTools } from './volumes/tools-volume.ts'
import { createVolumes } from './volumes/volumes.ts'
import { createWritableVolumes } from './volumes/writable-volumes.ts'

export interface DockerEngineOptions {
  readonly dockerHost: string
  readonly instance: string
  readonly pool: SubnetPool
  readonly clock: Clock
  readonly observer: CallObserver
  /** The Docker configuration with credentials for registries: a folder with `config.json`, or that file. */
  readonly dockerConfig?: string
  /** A tar of the tools for sessions. Default: where the image of the spawner has it. */
  readonly toolsArchive?: string
}

export interface DockerEngine extends Engine, Disposable {
  /** What these templates need and the engine does not have, one sentence each. */
  missing(templates: readonly Template[], signal: AbortSignal): Promise<readonly string[]>
}

export function createDockerEngine(options: DockerEngineOptions): DockerEngine {
  const { instance, pool, clock, observer } = options
  const connection = connectEngine(options.dockerHost)
  const run = randomBytes(8).toString('hex')
  const client = { docker: connection.docker, call: createCall({ clock, observer }) }
  const base = { ...client, clock, instance, pool }
  const findCredentials: FindCredentials =
    options.dockerConfig === undefined
      ? async () => ({ status: 'none' })
      : createFindCredentials(options.dockerConfig)

  const provenance = createProvenance(base)
  const images = createImages({ ...client, findCredentials })
  const additionalNetworks = createAdditionalNetworks(base)
  const volumes = createVolumes(base)

  const archive = createArchive(client)
  const findUserIds = createFindUserIds(archive)
  const inContainer = { archive, findUserIds }
  const refuseOtherUsers = createRefuseOtherUsers({ ...client, findUserIds })
  const preparation = createPreparation({
    volumes,
    writableVolumes: createWritableVolumes({ ...inContainer, refuseOtherUsers }),
    putSecrets: createPutSecrets(inContainer),
    additionalNetworks,
  })
  const remove = createRemoveContainer(client)
  const { toolsArchive = '/berth/tools.tar' } = options
  const ensureTools = createEnsureTools({ ...base, toolsArchive })
  const forCreation = { images, volumes, preparation, provenance, ensureTools, remove }

  return {
    takeInventory: (signal) => takeInventory({ ...base, provenance, images }, signal),
    events: (onOpen, signal) => engineEvents(base, onOpen, signal),
    images: images.labelled,
    imageSizes: images.sizes,
    ensureImage: images.ensure,
    createContainer: createCreateContainer({ ...base, ...forCreation }),
    startContainer: createStartContainer({ ...base, preparation, additionalNetworks }),
    ...createFreezing(client),
    renameContainer: createRenameContainer(client),
    ...createUsage(client),
    stopContainer: createStopContainer(client),
    removeHome: volumes.remove,
    volumeSizes: volumes.sizes,
    removeContainer: remove,
    lastWords: (generation, signal) => readLastWords(client, generation, signal),
    listeners: createFindListeners(client),
    logs: async (generation, lines, signal) =>
      (await readLastWords(client, generation, signal, lines)).log,
    followLog: (generation, lines, signal) => followLog(client, generation, lines, signal),
    admitKey: createAdmitKey({ ...base, archive }),
    openSession: createOpenSession(client, run),
    endLeftSessions: createEndLeftSessions(client, run),
    ...createNetworks(base),
    attachDirector: createAttachDirector({ ...base, provenance }),
    missing: (templates, signal) => findMissing(client, templates, signal),
    specOf: (template, owner) => specHash(template, owner, instance),
    partsOf: (template, owner) => specParts(template, owner, instance),
    homeOf: (template, owner) => homeVolume(template, owner, instance),
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  }
}
