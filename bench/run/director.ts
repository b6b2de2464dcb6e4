// The director as its image runs it, with a stand-in for the spawner: what a spawner does while nothing starts is to
// renew leases, and that is all it is asked for here.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  startStandInSpawner,
  type StandInSpawner,
} from '../../director/src/testing/stand-in-spawner.ts'
import { granted, labRoute } from '../../director/src/testing/test-bed.ts'
import { startPinned, type Pinned } from './pinned.ts'
import { freePort } from '../../e2e/run/free-ports.ts'

export interface BenchDirector extends Pinned {
  readonly at: { readonly host: string; readonly port: number }
  readonly spawner: StandInSpawner
}

export interface BenchDirectorOptions {
  readonly cores: string
  /** Every person's workspace. */
  readonly upstream: { readonly host: string; readonly port: number }
  readonly settings?: Readonly<Record<string, string>>
  readonly nodeOptions?: readonly string[]
}

export const gatewaySecret = 'the gateway of the bench alone'
const internalSecret = 'the spawner of the bench alone'
const root = join(import.meta.dirname, '../..')

export async function startDirector(options: BenchDirectorOptions): Promise<BenchDirector> {
  const { cores, upstream, settings, nodeOptions = imageOptions() } = options
  await using building = new AsyncDisposableStack()
  const spawner = building.use(await startStandInSpawner(internalSecret))
  spawner.seats = async ({ user }) =>
    granted(upstream, {
      workspace: `lab-${user.name}`,
      generation: `generation-of-${user.name}`,
      leaseMs: 600_000,
    })
  spawner.send({ event: 'routes', data: { routes: [labRoute] } })
  const port = await freePort()
  const director = building.use(
    await startPinned(process.execPath, [...nodeOptions, join(root, 'director/src/main.ts')], {
      cores,
      listensAt: { host: '127.0.0.1', port },
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        MALLOC_ARENA_MAX: '2',
        MALLOC_MMAP_THRESHOLD_: '60000',
        SPAWNER_HOST: '127.0.0.1',
        SPAWNER_PORT: String(spawner.port),
        INTERNAL_SECRET: internalSecret,
        GATEWAY_SECRET: gatewaySecret,
        PUBLIC_URL: 'http://berth.test',
        NETWORK_POOL: '127.5.0.0/16',
        LISTEN_PORT: String(port),
        OPS_PORT: String(await freePort()),
        ...settings,
      },
    }),
  )
  await spawner.until(() => spawner.streams() > 0)
  const built = building.move()
  return {
    ...director,
    at: { host: '127.0.0.1', port },
    spawner,
    [Symbol.asyncDispose]: () => built.disposeAsync(),
  }
}

/** The options of Node in the image, so that the bench measures what is delivered. */
function imageOptions(): string[] {
  const text = readFileSync(join(root, 'director/Dockerfile'), 'utf8')
  const command = /^CMD (\[.*\])$/m.exec(text)?.[1]
  if (command === undefined) throw new Error('director/Dockerfile has no CMD')
  return (JSON.parse(command) as string[]).filter((word) => word.startsWith('--'))
}

/** The head that a gateway sends for a person. */
export function headOf(user: string): Record<string, string> {
  return {
    // wrk adds a second one unless it is spelt so.
    Host: 'berth.test',
    'berth-gateway-secret': gatewaySecret,
    'x-forwarded-preferred-username': user,
    'x-forwarded-user': `u-${user}`,
    'x-forwarded-email': `${user}@example.com`,
    'x-forwarded-groups': 'staff,students',
    'x-forwarded-for': '192.0.2.7',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'berth.test',
    'x-request-id': 'c0ffee00-0000-4000-8000-000000000000',
    'user-agent':
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0',
    accept: '*/*',
    'accept-language': 'en',
    'sec-fetch-site': 'same-origin',
    'sec-fetch-mode': 'cors',
    'sec-fetch-dest': 'empty',
    cookie: `_xsrf=2|1234|5678; _oauth2_proxy=${'c'.repeat(600)}`,
  }
}
