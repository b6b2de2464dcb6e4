// The spawner's process: reads the environment, opens lock, store and engine, runs until it gets a signal.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { systemClock as clock } from '@berth/shared/clock'
import { createLog, type Log } from '@berth/shared/log'
import { createRegistry, startOpsServer } from '@berth/shared/ops-server'
import { SettingsError } from '@berth/shared/settings'
import { systemTimer } from '@berth/shared/timer'
import { config as loadDotenv } from 'dotenv'
import { readConfig } from './config.ts'
import { createDockerEngine } from './docker/docker-engine.ts'
import { SettingsConflict } from './loop/engine.ts'
import { createHistory, type History } from './history/history.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import type { SpawnerSettings } from './settings.ts'
import { startSpawner } from './spawner.ts'
import { removeHistoryFile } from './sqlite/history-file.ts'
import { createHistoryThread } from './sqlite/history-thread.ts'
import { acquireInstanceLock } from './sqlite/instance-lock.ts'
import { openStore } from './sqlite/store.ts'
import { StoreError } from './sqlite/store-error.ts'

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }
const errorsForAdministrators = [SettingsError, StoreError, SettingsConflict]
const ending = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort())
let reload = (): void => undefined
process.on('SIGHUP', () => reload())

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
  const credentials = settings.REGISTRY_CONFIG && { dockerConfig: settings.REGISTRY_CONFIG }
  const place = { dockerHost, instance, pool, clock, observer: metrics.calls, ...credentials }
  const engine = stack.use(createDockerEngine(place))
  const history = stack.use(openHistory(settings, metrics, log))
  const around = { engine, store, history, metrics, clock, log }
  const spawner = stack.use(await startSpawner({ config, version, ...around }))
  reload = () => spawner.reload()
  ready = () => spawner.ready() && !ending.signal.aborted
  log.info({ instance, port: settings.LISTEN_PORT }, 'spawner started')
  if (!ending.signal.aborted) await once(ending.signal, 'abort')
  log.info('spawner ending; workspaces keep running')
}

/** @returns `undefined` if none is to be kept */
function openHistory(
  { HISTORY_KEEP: keepMs, DATA_DIR: dataDir }: SpawnerSettings,
  { historyDropped: dropped }: Metrics,
  log: Log,
): History | undefined {
  if (keepMs > 0) {
    const store = createHistoryThread(dataDir)
    return createHistory({ store, keepMs, clock, setTimer: systemTimer, log, dropped })
  }
  try {
    removeHistoryFile(dataDir)
  } catch (error) {
    log.error({ error }, 'former history cannot be removed')
  }
  return undefined
}

main().catch((error: unknown) => {
  if (error === ending.signal.reason) return
  const isExplained = errorsForAdministrators.some((kind) => error instanceof kind)
  const words = isExplained ? (error as Error).message : inspect(error)
  process.stderr.write(`berth spawner stopped: ${words}\n`)
  process.exitCode = 1
})
