// A Berth deployment for a test: started by Compose, reconfigured, inspected, and removed at the end.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { send } from '../clients/http.ts'
import type { Place } from '../clients/place.ts'
import type { Site } from '../clients/sign-in.ts'
import {
  inspect,
  inspected,
  removeBelongings,
  servicesOf,
  type InspectedContainer,
} from '../engine/belongings.ts'
import { createEngine, defaultSocket, type Engine } from '../engine/engine.ts'
import { logsOf } from '../engine/logs.ts'
import { attempt, run, type CommandResult } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { freePorts } from '../run/free-ports.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { reservePool } from '../run/reserved-pool.ts'
import { surroundings } from '../run/surroundings.ts'
import { composeEnvironment, environmentFileText } from './environment.ts'
import { chooseGateway } from './gateway.ts'
import { plantSettings, secretsIn } from './planted-secrets.ts'
import { helloTemplate, type Settings } from './templates.ts'

const roles = ['spawner', 'director', 'gateway', 'idp', 'edge'] as const
export type Role = (typeof roles)[number]

export interface DeploymentOptions {
  /** Distinguishes the instances of one run: lower-case letters and digits. */
  readonly name: string
  readonly template?: Settings
  readonly settings?: Settings
  /** The text of a TEMPLATES_FILE, in addition to the template of the environment. */
  readonly templates?: string
  /** Further files in the same folder, by name. */
  readonly templateFiles?: Readonly<Record<string, string>>
  /** Prepares the engine before the services start. Objects with the label of the instance are removed with the rest. */
  readonly beforeUp?: (engine: Engine, instance: string) => Promise<void>
  /** When the services are healthy, and before the gateway is asked: for what is between it and people. */
  readonly afterUp?: (engine: Engine, instance: string) => Promise<void>
  readonly directors?: number
  /** Sets PORTAL_URL to the host name portal.localhost. */
  readonly portal?: boolean
  readonly engine?: Engine
  /** How to reach a published port that is not on 127.0.0.1. */
  readonly reach?: (port: number, role: 'gateway' | 'idp') => Promise<Place>
  /** Instead of the compose files of the repository. */
  readonly composeFiles?: readonly string[]
  /** Beside the other compose files. */
  readonly moreComposeFiles?: readonly string[]
  /** Beside `demo`. */
  readonly profiles?: readonly string[]
}

export interface Deployment extends AsyncDisposable {
  readonly instance: string
  readonly prefix: string
  readonly engine: Engine
  readonly site: Site
  /** The same site under another host name, such as `hello.localhost`. */
  siteAt(host: string): Site
  readonly gatewaySecret: string
  readonly settings: Settings
  /** What stands for `compose` in a command line: it names this deployment's files and settings. */
  readonly composeWords: readonly string[]
  /** Runs Compose with this deployment's files and settings. */
  compose(...args: string[]): Promise<string>
  /** Runs Compose with further settings, which may be wrong. They are not kept. */
  tryCompose(changes: Settings, ...args: string[]): Promise<CommandResult>
  /** Applies settings: they replace present ones, and an empty value removes a setting. */
  reconfigure(settings: Settings, ...services: Role[]): Promise<void>
  /** Replaces the TEMPLATES_FILE in one step. */
  writeTemplates(text: string): Promise<void>
  services(role: Role): Promise<InspectedContainer[]>
  /** @param tail how many lines of each container, from the end */
  logs(role: Role, tail?: number | 'all'): Promise<string>
  /** Where each director listens, as the gateway sees it. */
  directorPlaces(): Promise<Place[]>
  /** Where the spawner's API for scripts listens. */
  apiPlace(): Promise<Place>
  workspaceName(user: string): string
}

const upTimeoutMs = 300_000
/** Of each container. A proof about load writes a line for each of a hundred thousand requests. */
const searchedLines = 20_000

export async function deploy(options: DeploymentOptions): Promise<Deployment> {
  const gateway = await chooseGateway()
  const engine = options.engine ?? createEngine(defaultSocket)
  const instance = `${surroundings.instance}-${options.name}`
  const [port = 0, idpPort = 0] = await freePorts(2)
  const pool = await reservePool()
  const work = await mkdtemp(join(tmpdir(), `${instance}-`))
  const environmentFile = join(work, 'env')
  const templatesFolder = join(work, 'templates')
  await mkdir(templatesFolder)
  const places = new Map<string, Place>()
  for (const [each, role] of [
    [port, 'gateway'],
    [idpPort, 'idp'],
  ] as const) {
    const reached = await options.reach?.(each, role)
    places.set(String(each), reached ?? { host: '127.0.0.1', port: each })
  }
  // A prefix has no hyphen, and must be unique on the engine.
  const prefix = `t${options.name}${process.pid.toString(36)}`.slice(0, 20)
  const gatewaySecret = randomBytes(24).toString('hex')
  let settings: Settings = {
    INSTANCE: instance,
    BERTH_PORT: String(port),
    IDP_PORT: String(idpPort),
    BERTH_ENV_FILE: environmentFile,
    DOCKER_SOCKET: engine.socketPath,
    GATEWAY_IMAGE: surroundings.gatewayImage,
    BERTH_TAG: surroundings.tag,
    INTERNAL_SECRET: randomBytes(24).toString('hex'),
    GATEWAY_SECRET: gatewaySecret,
    OAUTH2_PROXY_COOKIE_SECRET: randomBytes(32).toString('base64url'),
    OAUTH2_PROXY_COOKIE_SECURE: 'false',
    OAUTH2_PROXY_CLIENT_ID: 'berth',
    OAUTH2_PROXY_CLIENT_SECRET: randomBytes(24).toString('hex'),
    OAUTH2_PROXY_OIDC_ISSUER_URL: `http://idp.localhost:${idpPort}`,
    CONTAINER_HOST_PREFIX: prefix,
    // Neither the default range, which a running demo uses, nor that of another deployment of the tests.
    NETWORK_POOL: pool.subnet,
    DIRECTORS: String(options.directors ?? 1),
    TEMPLATES_FOLDER: templatesFolder,
    ...(options.templates === undefined ? {} : { TEMPLATES_FILE: '/etc/berth/templates.yml' }),
    ...(options.portal === true ? { PORTAL_URL: `http://portal.localhost:${port}` } : {}),
    ...(options.template ?? helloTemplate),
    ...options.settings,
  }
  plantSettings(settings)
  const ownFiles = options.composeFiles ?? [
    'docker-compose.yml',
    ...(gateway === 'apache' ? ['docker-compose.apache.yml'] : []),
    'e2e/compose/quiet.yml',
  ]
  const files = [...ownFiles, ...(options.moreComposeFiles ?? [])]
  const base = [
    'compose',
    ...['--project-directory', surroundings.root, '--project-name', instance],
    ...files.flatMap((file) => ['--file', join(surroundings.root, file)]),
    ...['--env-file', environmentFile, '--progress', 'plain'],
    ...['demo', ...(options.profiles ?? [])].flatMap((profile) => ['--profile', profile]),
  ]

  const around = {
    env: composeEnvironment(engine),
    cwd: surroundings.root,
    withinMs: upTimeoutMs,
  }

  /** Of this deployment's secrets. */
  const leaks: string[] = []

  async function compose(...args: string[]): Promise<string> {
    await writeFile(environmentFile, environmentFileText(settings), { mode: 0o600 })
    const said = await run('docker', [...base, ...args], around)
    searchOutput(args, said)
    return said
  }

  async function tryCompose(changes: Settings, ...args: string[]): Promise<CommandResult> {
    const text = environmentFileText({ ...settings, ...changes })
    await writeFile(environmentFile, text, { mode: 0o600 })
    const result = await attempt('docker', [...base, ...args], around)
    searchOutput(args, `${result.stdout}\n${result.stderr}`)
    return result
  }

  /** These commands say no secret either. */
  function searchOutput(args: readonly string[], text: string): void {
    const command = ['doctor', 'backup-home', 'restore-home'].find((name) => args.includes(name))
    if (command !== undefined) leaks.push(...secretsIn(text).map((leak) => `${command}: ${leak}`))
  }

  async function writeTemplates(text: string): Promise<void> {
    const next = join(templatesFolder, 'next')
    await writeFile(next, text)
    await rename(next, join(templatesFolder, 'templates.yml'))
  }

  const up = ['up', '--detach', '--wait', '--wait-timeout', '120']

  async function explained(work: Promise<string>): Promise<void> {
    try {
      await work
    } catch (error) {
      const words = await Promise.all(roles.map((role) => logs(role)))
      throw new Error(`${String(error)}\n${words.join('\n').slice(-6_000)}`, { cause: error })
    }
  }

  async function services(role: Role): Promise<InspectedContainer[]> {
    const listed = await servicesOf(engine, instance, role)
    return Promise.all(listed.map(({ Id }) => inspected(engine, Id)))
  }

  async function logs(role: Role, tail?: number | 'all'): Promise<string> {
    const listed = await servicesOf(engine, instance, role)
    const texts = listed.map(({ Id }) => logsOf(engine, Id, tail))
    return (await Promise.all(texts)).join('\n')
  }
  /** To be called before containers are removed: their logs go with them. */
  async function searchLogs(): Promise<void> {
    for (const role of roles)
      for (const { Id, Config } of await services(role)) {
        // A gateway that was not built here logs as it likes.
        if (!Config.Image.startsWith('berth/')) continue
        const text = await logsOf(engine, Id, searchedLines).catch(async (error: unknown) => {
          // A command that ran beside the services is removed by itself.
          if ((await inspect(engine, Id)) === undefined) return ''
          throw error
        })
        const found = secretsIn(text)
        leaks.push(...found.map((leak) => `${role}: ${leak}`))
      }
  }

  const takeDown = takenDownAtTheEnd(async () => {
    await searchLogs().finally(async () => {
      await removeBelongings(engine, instance)
      await rm(work, { recursive: true, force: true })
      pool[Symbol.dispose]()
    })
    if (leaks.length > 0) throw new Error(`logs or outputs have secrets:\n${leaks.join('\n')}`)
  })

  const siteAt = (host: string): Site => ({
    origin: `http://${host}:${port}`,
    placeOf: (url) => places.get(url.port) ?? { host: '127.0.0.1', port: Number(url.port) },
  })
  const site = siteAt('localhost')

  const deployment: Deployment = {
    instance,
    prefix,
    engine,
    gatewaySecret,
    get settings() {
      return settings
    },
    site,
    siteAt,
    composeWords: base,
    compose,
    tryCompose,
    writeTemplates,
    async reconfigure(changes, ...names) {
      await searchLogs()
      settings = { ...settings, ...changes }
      plantSettings(settings)
      await explained(compose(...up, '--no-build', ...names))
      await answering(site)
    },
    services,
    logs,
    async directorPlaces() {
      const directors = await services('director')
      return directors.map(({ NetworkSettings }) => ({
        host: NetworkSettings.Networks[`${instance}-front`]?.IPAddress ?? '',
        port: 8080,
      }))
    },
    async apiPlace() {
      const [spawner] = await services('spawner')
      const address = spawner?.NetworkSettings.Networks[`${instance}-internal`]?.IPAddress
      return { host: address ?? '', port: 8082 }
    },
    workspaceName: (user) => `${prefix}-${user}`,
    [Symbol.asyncDispose]: takeDown,
  }

  try {
    for (const [name, text] of Object.entries(options.templateFiles ?? {}))
      await writeFile(join(templatesFolder, name), text)
    if (options.templates !== undefined) await writeTemplates(options.templates)
    await options.beforeUp?.(engine, instance)
    if (!surroundings.built && options.engine === undefined) await compose('build')
    await explained(compose(...up, '--no-build'))
    await options.afterUp?.(engine, instance)
    await answering(site)
  } catch (error) {
    await takeDown()
    throw error
  }
  return deployment
}

/** Not every gateway has a health check, and a gateway restarts if the provider was not ready yet. */
async function answering(site: Site): Promise<void> {
  const url = new URL('/', site.origin)
  await eventually('the gateway answers', 60_000, async () => {
    const answer = await send({ url, place: site.placeOf(url) })
    answer.leave()
    return answer.status < 500
  })
}
