// Starts a director from the environment, and ends it on a signal.
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { systemClock } from '@berth/shared/clock'
import { createLog } from '@berth/shared/log'
import { readSettings, SettingsError } from '@berth/shared/settings'
import { config as loadEnvFile } from 'dotenv'
import {
  directorSettings,
  warningsAbout,
  type DirectorConfig,
} from '@berth/shared/director-settings'
import { startDirector } from './director.ts'
import { createResolver } from './spawner/name-lookup.ts'
import { systemTimer } from '@berth/shared/timer'

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }

function settings(): DirectorConfig {
  loadEnvFile({ quiet: true })
  try {
    return readSettings(directorSettings, process.env, (path) => readFileSync(path, 'utf8'))
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    process.stderr.write(`berth director cannot start: ${error.message}\n`)
    process.exit(1)
  }
}

const config = settings()
const log = createLog({ service: 'director', level: config.LOG_LEVEL })
for (const warning of warningsAbout(config, process.env)) log.warn(warning)

const director = await startDirector(config, {
  hostname: hostname(),
  version,
  log,
  clock: systemClock,
  setTimer: systemTimer,
  random: Math.random,
  resolve: createResolver(),
  fetch,
}).catch((error: unknown) => {
  log.fatal({ error }, 'director could not start')
  process.exit(1)
})
log.info({ port: director.port, opsPort: director.opsPort, version }, 'director started')

let stopping = false
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, () => {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'director is stopping')
    void director[Symbol.asyncDispose]().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ error }, 'director did not stop cleanly')
        process.exit(1)
      },
    )
  })
