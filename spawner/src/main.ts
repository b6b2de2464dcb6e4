// The spawner's composition root: reads the environment, puts the parts together, waits for the signal to end.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { systemClock as clock } from '@berth/shared/clock'
import { createLog } from '@berth/shared/log'
import { createRegistry, startOpsServer } from '@berth/shared/ops-server'
import { SettingsError } from '@berth/shared/settings'
import { config as loadDotenv } from 'dotenv'
import { policyConfig, readConfig, webSettings } from './config.ts'
import { createDockerEngine } from './docker/docker-engine.ts'
import { listen } from './listen.ts'
import { createWorkspaces } from './loop/create-workspaces.ts'
import { createMetrics } from './metrics.ts'
import { acquireInstanceLock } from './sqlite/instance-lock.ts'
import { openStore } from './sqlite/store.ts'
import { StoreError } from './sqlite/store-error.ts'
import { createHexOf } from './web/api/container-hex.ts'
import { apiFor, hexRoutes } from './web/api/from-settings.ts'
import { createWeb } from './web/web.ts'

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }
const ending = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort())

async function main(): Promise<void> {
  loadDotenv({ quiet: true })
  const config = readConfig(process.env, (path) => readFileSync(path, 'utf8'))
  const { settings } = config
  const log = createLog({ service: 'spawner', level: settings.LOG_LEVEL })
  const { INSTANCE: instance, NETWORK_POOL: pool, DOCKER_HOST: dockerHost } = settings
  const registry = createRegistry('spawner', version)
  const metrics = createMetrics(registry)
  let ready = (): boolean => false
  await using stack = new AsyncDisposableStack()
  const ops = { port: settings.OPS_PORT, registry, ready: () => ready(), refuseFrom: pool }
  stack.use(await startOpsServer(ops))
  stack.use(await acquireInstanceLock(settings.DATA_DIR, log, ending.signal))
  const store = stack.use(openStore(settings.DATA_DIR))
  const place = { dockerHost, instance, pool, clock, observer: metrics.calls }
  const engine = stack.use(createDockerEngine(place))
  const policy = policyConfig(settings, config.templates, (...made) => engine.specOf(...made))
  const hexOf = createHexOf(settings.INTERNAL_SECRET)
  const around = { reconcileEveryMs: settings.RECONCILE_EVERY, observer: metrics.loop, store }
  const workspaces = stack.use(
    createWorkspaces({
      engine,
      config: policy,
      clock,
      log,
      ...around,
      ...hexRoutes(settings, hexOf),
    }),
  )
  metrics.countFrom(workspaces.counts)
  await workspaces.start()
  const web = createWeb({ workspaces, settings: webSettings(settings), clock, log })
  stack.use(await listen(web, settings.LISTEN_PORT, log))
  const api = apiFor(settings, { workspaces, hexOf, clock, log, version })
  if (api !== undefined) stack.use(await listen(api, settings.API_PORT, log))
  ready = () => workspaces.ready() && !ending.signal.aborted
  log.info({ instance, port: settings.LISTEN_PORT }, 'spawner started')
  if (!ending.signal.aborted) await once(ending.signal, 'abort')
  log.info('spawner ending; workspaces go on')
  // Whoever is held is answered while the port is still open.
  await workspaces[Symbol.asyncDispose]()
}

main().catch((error: unknown) => {
  if (error === ending.signal.reason) return
  const isExplained = error instanceof SettingsError || error instanceof StoreError
  const words = isExplained ? error.message : inspect(error)
  process.stderr.write(`berth spawner cannot go on: ${words}\n`)
  process.exitCode = 1
})
