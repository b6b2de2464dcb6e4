// Puts the spawner's parts together: templates of all sources, the loop, and the web in front of it.
import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import { createAudit } from './audit.ts'
import { policyConfig, templateContext, webSettings, type SpawnerConfig } from './config.ts'
import { createHouse } from './house.ts'
import { createImpersonations } from './impersonations.ts'
import { createOrders } from './orders.ts'
import type { History } from './history/history.ts'
import type { Engine } from './loop/engine.ts'
import { createDisk, type Space } from './loop/disk.ts'
import { createLoop } from './loop/loop.ts'
import { createSignIns, type SignInStore } from './loop/sign-ins.ts'
import { createHostKeys, type HostKeyStore } from './ssh/host-keys.ts'
import { createRegisteredKeys, type RegisteredKeyStore } from './ssh/keys.ts'
import { createTerminalSignIns } from './ssh/terminal-sign-ins.ts'
import type { Store } from './loop/store.ts'
import type { State } from './policy/domain.ts'
import { systemTimer } from '@berth/shared/timer'
import { createUsage } from './loop/usage.ts'
import type { Metrics } from './metrics.ts'
import { startServer } from './start-server.ts'
import type { Template } from './templates/template.ts'
import { createTemplateSource } from './templates/template-source.ts'
import { watchFile } from './watch-file.ts'
import { watchImages } from './watch-images.ts'
import { createHexOf } from './web/docker-spawner/container-hex.ts'
import { apiFor, hexRoutes } from './web/api/from-settings.ts'
import { createSessions } from './web/internal/sessions.ts'
import { createWeb } from './web/web.ts'

export interface Spawner extends AsyncDisposable {
  ready(): boolean
  /** Reads the file with templates again. */
  reload(): void
}

/** @throws SettingsConflict */
export async function startSpawner(deps: {
  config: SpawnerConfig
  version: string
  engine: Engine
  store: Store & SignInStore & RegisteredKeyStore & HostKeyStore
  /** Absent: none is kept. */
  history: History | undefined
  metrics: Metrics
  clock: Clock
  log: Log
}): Promise<Spawner> {
  const { engine, store, history, metrics, clock, log, version } = deps
  const { settings, templates: environment } = deps.config
  await using building = new AsyncDisposableStack()
  // Without a loop there is nothing to reconfigure yet.
  let applyRules = (): void => undefined
  const orders = createOrders(store)
  const house = createHouse(orders, () => applyRules())
  const policyFor = (templates: ReadonlyMap<string, Template>) => ({
    ...policyConfig(settings, templates, {
      specOf: (...made) => engine.specOf(...made),
      partsOf: (...made) => engine.partsOf(...made),
    }),
    house: house.rules(),
  })

  // Without a loop there is nothing to reconfigure yet.
  let applyTemplates: (templates: ReadonlyMap<string, Template>) => void = () => undefined
  const source = building.use(
    createTemplateSource({
      path: settings.TEMPLATES_FILE,
      environment: environment.values(),
      context: { ...templateContext(settings), variables: deps.config.variables },
      readFile: (path) => readFileSync(path, 'utf8'),
      watch: watchFile,
      beside: (file, path) => resolve(dirname(file), path),
      log,
      changed: (templates) => applyTemplates(templates),
    }),
  )
  if (settings.IMAGES_ALLOWED !== undefined) {
    const list = (signal: AbortSignal) => engine.images(signal)
    building.use(await watchImages({ list, seen: (images) => source.images(images), log }))
  }
  const hasSsh = settings.SSH_PORT !== undefined || settings.SSH_ADDRESS !== undefined
  logOffered(log, source.templates(), hasSsh)

  const hexOf = createHexOf(settings.INTERNAL_SECRET)
  const config = policyFor(source.templates())
  const around = {
    reconcileEveryMs: settings.RECONCILE_EVERY,
    observer: metrics.loop,
    history: history?.recorder,
    furtherGroups: [settings.ADMIN_GROUP],
    store,
  }
  const impersonations =
    settings.ADMIN_OPEN_AS && settings.PORTAL_URL !== undefined
      ? building.use(
          createImpersonations({
            orders,
            portalUrl: settings.PORTAL_URL,
            administrators: webSettings(settings).administrators,
            clock,
            setTimer: systemTimer,
          }),
        )
      : undefined
  const ways = [hexRoutes(settings, hexOf), impersonations?.routes].filter(
    (way) => way !== undefined,
  )
  const workspaceRoutes =
    ways.length === 0 ? undefined : (state: State) => ways.flatMap((way) => way(state))
  const loopDeps = { engine, config, clock, log, ...around, workspaceRoutes }
  const workspaces = building.use(createLoop(loopDeps))
  if (impersonations !== undefined)
    building.use(impersonations.follow(() => workspaces.routesChanged()))
  applyTemplates = (templates) => {
    workspaces.reconfigure(policyFor(templates))
    logOffered(log, templates, hasSsh)
  }
  applyRules = () => workspaces.reconfigure(policyFor(source.templates()))
  metrics.countFrom(workspaces.counts)
  await workspaces.start()
  // Only the administrator's page shows it.
  const usage =
    settings.PORTAL_URL === undefined
      ? undefined
      : building.use(createUsage({ engine, state: () => workspaces.state(), clock, log }))
  const disk =
    settings.PORTAL_URL === undefined
      ? undefined
      : building.use(createDisk({ engine, space: () => spaceOf(settings.DATA_DIR), clock, log }))
  const signIns = createSignIns({ store, clock, log })
  const hostKeys = createHostKeys({ store, clock, log })
  const terminalSignIns = building.use(createTerminalSignIns({ clock, setTimer: systemTimer }))
  const web = createWeb({
    workspaces,
    keys: createRegisteredKeys({ store, signIns, clock, log }),
    hostKeys,
    terminalSignIns,
    usage,
    disk,
    house,
    signIns,
    impersonations,
    settings: webSettings(settings),
    hexOf,
    clock,
    version,
    history,
    audit: createAudit(log, history?.recorder.audited),
    log,
  })
  const sessions = createSessions({ workspaces, settings: webSettings(settings), log })
  building.use(await startServer(web, settings.LISTEN_PORT, log, sessions.serve))
  const api = apiFor(settings, { workspaces, hexOf, history, hostKeys, clock, log, version })
  if (api !== undefined) building.use(await startServer(api, settings.API_PORT, log))

  const parts = building.move()
  return {
    ready: () => workspaces.ready(),
    reload: () => source.reload(),
    async [Symbol.asyncDispose]() {
      // While the engine still takes orders: nothing in a container outlives the connection of its session.
      await sessions[Symbol.asyncDispose]()
      // Held requests are answered while the ports are still open.
      await workspaces[Symbol.asyncDispose]()
      await parts.disposeAsync()
    },
  }
}

async function spaceOf(folder: string): Promise<Space> {
  const { bavail, blocks, bsize } = await statfs(folder)
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
}

function logOffered(log: Log, templates: ReadonlyMap<string, Template>, hasSsh: boolean): void {
  if (templates.size === 0) log.warn('no template is offered')
  for (const { name: template, source, kind, spec, weakened } of templates.values()) {
    log.info(
      { template, source, image: spec.image, ...(weakened.length === 0 ? {} : { weakened }) },
      'template offered',
    )
    if (kind === 'ssh' && !hasSsh)
      log.warn({ template }, 'a template is reached by SSH only, and SSH_PORT is not set')
  }
}
