// Assembles, starts and stops the development identity provider.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { systemClock } from '@berth/shared/clock'
import { createLog } from '@berth/shared/log'
import { SettingsError } from '@berth/shared/settings'
import { readConfig, type Config } from './config.ts'
import { createGithubApi } from './github.ts'
import { createMemoryStore } from './memory-store.ts'
import { createPages } from './pages.ts'
import { createProvider } from './provider.ts'
import { createIdpServer } from './server.ts'
import { createSignIn } from './sign-in.ts'

function configOrExit(): Config {
  try {
    return readConfig(process.env, (path) => readFileSync(path, 'utf8'))
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    createLog({ service: 'idp', level: 'info' }).fatal({ problems: error.problems }, error.message)
    process.exit(1)
  }
}

const config = configOrExit()
const log = createLog({ service: 'idp', level: config.logLevel })
const pages = createPages({
  people: config.people.all,
  formOrigins: [...config.gatewayOrigins, `http://*.localhost:${config.gatewayPort}`],
  startUrl: config.publicUrl,
})
const provider = createProvider(config, createMemoryStore(systemClock), pages)
provider.on('server_error', (_context, error) => log.error({ error }, 'provider failed'))
provider.on('authorization.error', (_context, error) =>
  log.warn({ error: error.error, detail: error.error_description }, 'authorization refused'),
)
const signIn = createSignIn({ provider, people: config.people, pages, log })
const server = createIdpServer({
  provider,
  signIn,
  pages,
  startUrl: config.publicUrl,
  ...(config.shape.github === true
    ? { github: createGithubApi({ provider, people: config.people }) }
    : {}),
  log,
})

server.listen(config.port)
await once(server, 'listening')
log.info(
  { issuer: config.issuer, port: config.port, people: config.people.all.length },
  'identity provider started',
)

const signal = await Promise.race(
  ['SIGTERM', 'SIGINT'].map((name) => once(process, name).then(() => name)),
)
log.info({ signal }, 'identity provider stopping')
server.close()
server.closeAllConnections()
