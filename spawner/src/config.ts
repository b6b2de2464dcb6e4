// The spawner's settings: every variable it reads, and what follows from them. Nothing here reads the environment.
import {
  bound,
  internalSecret,
  listenPort,
  logLevel,
  networkPool,
  opsPort,
  portalUrl,
  publicUrl,
} from '@berth/shared/common-settings'
import { parseDuration } from '@berth/shared/duration'
import {
  custom,
  integer,
  optional,
  pattern,
  readSettings,
  SettingsError,
  text,
  withDefault,
  type Settings,
  type Values,
} from '@berth/shared/settings'
import { subnetCount } from '@berth/shared/subnet-pool'
import type { PolicyConfig } from './policy/domain.ts'
import { noLimits } from './policy/limits.ts'
import { leaseTimes } from './policy/lease-times.ts'
import { templateFromEnvironment } from './templates/from-environment.ts'
import type { Template } from './templates/template.ts'
import type { WebSettings } from './web/settings.ts'
import {
  containerEnvironment,
  environmentSettings,
  templateSettings,
} from './templates/template-settings.ts'

const instance = pattern(
  /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'must be lower-case letters, digits and single hyphens, a letter first',
)

const webUrl = custom(
  (value) => (/^(https?:\/\/|mailto:)/.test(value) && URL.canParse(value) ? value : undefined),
  'must be a URL of http, https or mailto',
)

const reconcileEvery = custom((value) => {
  const ms = parseDuration(value)
  return ms !== undefined && ms >= 500 && ms <= 3_600_000 ? ms : undefined
}, 'must be a duration from 500ms to 1h')

const dockerHost = pattern(
  /^(unix:\/\/\/.+|(tcp|http|https|ssh):\/\/[^/]+\/?)$/,
  'must begin with unix://, tcp:// or ssh://',
)

/** In the order of the reference. */
export const spawnerSettings = {
  INTERNAL_SECRET: internalSecret,
  INSTANCE: withDefault(instance, 'berth', {
    doc: 'names the deployment; two instances on one engine need different prefixes',
  }),
  ...templateSettings,
  MAX_WORKSPACES: withDefault(bound, '100', {
    doc: 'how many workspaces may run at once; who comes later waits in a queue; 0 is no limit',
  }),
  MAX_WORKSPACES_PER_USER: withDefault(bound, '0', {
    doc: 'how many workspaces one person may run at once; 0 is no limit',
  }),
  MAX_STARTING: withDefault(bound, '4', {
    doc: 'how many workspaces may be starting at once; 0 is no limit',
  }),
  MAX_QUEUE: withDefault(bound, '1000', {
    doc: 'how many people may wait; who comes later is refused; 0 is no limit',
  }),
  NETWORK_POOL: networkPool,
  NETWORK_SPARES: withDefault(integer(0, 64), '2', {
    doc: 'how many networks stand ready, so that no start has to wait for one',
  }),
  RECONCILE_EVERY: withDefault(reconcileEvery, '10s', {
    doc: 'how often everything is compared with what the engine really has',
  }),
  PUBLIC_URL: publicUrl,
  PORTAL_URL: portalUrl,
  SITE_TITLE: withDefault(text, 'Berth', { doc: 'the name that the pages show' }),
  SUPPORT_URL: optional(webUrl, {
    doc: 'where people find help; shown on the pages',
    example: 'mailto:help@example.com',
  }),
  SIGN_OUT_URL: withDefault(text, '/oauth2/sign_out', {
    doc: 'where the gateway signs people out',
  }),
  FRAME_ANCESTORS: withDefault(text, "'none'", {
    doc: 'who may show the pages in a frame, as in Content-Security-Policy',
    example: 'https://portal.example.com',
  }),
  DOCKER_HOST: withDefault(dockerHost, 'unix:///var/run/docker.sock', {
    doc: 'the engine',
    example: 'unix:///var/run/docker.sock',
  }),
  DATA_DIR: withDefault(text, '/data', {
    doc: 'a folder that survives; the lock that lets one spawner work at a time is in it',
  }),
  LISTEN_PORT: listenPort('8081'),
  OPS_PORT: opsPort,
  LOG_LEVEL: logLevel,
} satisfies Settings

export type SpawnerSettings = Values<typeof spawnerSettings>

export interface SpawnerConfig {
  readonly settings: SpawnerSettings
  readonly templates: ReadonlyMap<string, Template>
}

/**
 * @param env the environment
 * @param readFile reads a secret's file
 * @throws SettingsError with every problem there is
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): SpawnerConfig {
  const problems: string[] = []
  const read = <S extends Settings>(settings: S): Values<S> | undefined => {
    try {
      return readSettings(settings, env, readFile)
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error
      problems.push(...error.problems)
      return undefined
    }
  }
  const settings = read(spawnerSettings)
  const environment = read(environmentSettings(env))
  problems.push(...disagreements(env, readFile))
  if (settings === undefined || environment === undefined || problems.length > 0)
    throw new SettingsError(problems)
  const template = templateFromEnvironment(settings, containerEnvironment(environment))
  const templates = new Map([[template.name, template]])
  return Object.freeze({ settings, templates })
}

/** Pairs of settings that are each fine and do not go together; those that are not fine are told elsewhere. */
function disagreements(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): string[] {
  const { INSTANCE, CONTAINER_HOST_PREFIX, CONTAINER_IDLE_STOP, CONTAINER_IDLE_REMOVE } =
    spawnerSettings
  const { CONTAINER_HOME, CONTAINER_VOLUMES } = spawnerSettings
  return [
    check({ INSTANCE, CONTAINER_HOST_PREFIX }, (values) =>
      values.INSTANCE === values.CONTAINER_HOST_PREFIX
        ? `CONTAINER_HOST_PREFIX "${values.INSTANCE}" must differ from INSTANCE (example: CONTAINER_HOST_PREFIX=lab)`
        : undefined,
    ),
    check({ CONTAINER_IDLE_STOP, CONTAINER_IDLE_REMOVE }, (values) =>
      values.CONTAINER_IDLE_REMOVE > 0 && values.CONTAINER_IDLE_REMOVE < values.CONTAINER_IDLE_STOP
        ? 'CONTAINER_IDLE_REMOVE must not be shorter than CONTAINER_IDLE_STOP: both count from the last use (example: CONTAINER_IDLE_REMOVE=24h)'
        : undefined,
    ),
    check({ CONTAINER_HOME, CONTAINER_VOLUMES }, (values) =>
      values.CONTAINER_VOLUMES?.some((mount) => mount.target === values.CONTAINER_HOME) === true
        ? `CONTAINER_VOLUMES has the path ${values.CONTAINER_HOME} that CONTAINER_HOME has already (example: CONTAINER_VOLUMES=datasets:/data:ro)`
        : undefined,
    ),
  ].filter((complaint) => complaint !== undefined)

  function check<S extends Settings>(
    settings: S,
    complaintOf: (values: Values<S>) => string | undefined,
  ): string | undefined {
    try {
      return complaintOf(readSettings(settings, env, readFile))
    } catch (error) {
      if (error instanceof SettingsError) return undefined
      throw error
    }
  }
}

/** What the policy goes by. `specOf` is the engine's. */
export function policyConfig(
  { settings, templates }: SpawnerConfig,
  specOf: PolicyConfig['specOf'],
): PolicyConfig {
  return {
    limits: {
      ...noLimits,
      maxWorkspaces: settings.MAX_WORKSPACES,
      maxWorkspacesPerUser: settings.MAX_WORKSPACES_PER_USER,
      maxStarting: settings.MAX_STARTING,
      maxQueue: settings.MAX_QUEUE,
    },
    templates,
    lease: leaseTimes(templates.values()),
    spareNetworks: settings.NETWORK_SPARES,
    networkCount: subnetCount(settings.NETWORK_POOL),
    presenceMs: 30_000,
    forgetAfterMs: 3_600_000,
    retryAfterMs: 2_000,
    specOf,
  }
}

/** What the pages and the internal API are told. */
export function webSettings(settings: SpawnerSettings): WebSettings {
  return {
    internalSecret: settings.INTERNAL_SECRET,
    siteTitle: settings.SITE_TITLE,
    supportUrl: settings.SUPPORT_URL,
    signOutUrl: settings.SIGN_OUT_URL,
    frameAncestors: settings.FRAME_ANCESTORS,
    publicUrl: settings.PUBLIC_URL,
    problemBase: settings.PORTAL_URL ?? settings.PUBLIC_URL,
  }
}
