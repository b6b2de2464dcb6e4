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
  flag,
  integer,
  optional,
  optionalSecret,
  pattern,
  port,
  readSettings,
  SettingsError,
  text,
  withDefault,
  type Settings,
  type Values,
} from '@berth/shared/settings'
import { subnetCount } from '@berth/shared/subnet-pool'
import type { PolicyConfig } from './policy/domain.ts'
import { leaseTimes } from './policy/state/lease-times.ts'
import { hostFolder, imagePattern, listOf, size, taken } from './templates/fields.ts'
import { inVariables, templateFromEnvironment, variableOf } from './templates/from-environment.ts'
import { templateComplaints } from './templates/template-rules.ts'
import type { TemplateContext } from './templates/template-source.ts'
import type { Template } from './templates/template.ts'
import { unknownSettings } from './unknown-settings.ts'
import type { WebSettings } from './web/http/settings.ts'
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

/** Years are fine: no timer keeps it. */
const keepHomes = custom((value) => {
  const ms = parseDuration(value)
  return ms === 0 || (ms !== undefined && ms >= 3_600_000 && ms <= 3_660 * 86_400_000)
    ? ms
    : undefined
}, 'must be a duration from 1h to 3660d, or 0 for ever')

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
  MAX_MEMORY: withDefault(taken(size), '0', {
    doc: 'how much memory all workspaces may use together, by the limits of their templates; who comes later waits in a queue; 0 is no limit',
    example: '48g',
  }),
  EVICT_FROZEN: withDefault(flag, 'true', {
    doc: 'a frozen workspace, least recently used first, gives way when somebody waits for its place or memory',
  }),
  TEMPLATES_FILE: optional(text, {
    doc: 'a file with templates, read again when it changes; docs/templates.md says what is in it',
    example: '/etc/berth/templates.yml',
  }),
  IMAGES_ALLOWED: optional(taken(listOf(imagePattern)), {
    doc: 'images that become templates by their own labels, comma-separated; * stands for anything but /; unset: none',
    example: 'registry.example.com/course/*,berth/hello',
  }),
  REGISTRY_CONFIG: optional(text, {
    doc: 'a Docker configuration (config.json) with credentials of registries, read anew for each pull; unset: none',
    example: '/etc/berth/config.json',
  }),
  BINDS_ALLOWED: optional(taken(listOf(hostFolder)), {
    doc: 'folders of the engine’s host below which the templates of the file may mount; unset: none',
    example: '/srv/datasets',
  }),
  KEEP_HOMES: withDefault(keepHomes, '0', {
    doc: 'how long a person’s volumes are kept after their last use; 0 is for ever',
    example: '4320h',
  }),
  KEEP_HOMES_DRY_RUN: withDefault(flag, 'true', {
    doc: 'true: the log says which volumes would go, and none goes',
  }),
  API_TOKEN: optionalSecret({
    doc: 'what scripts prove themselves by on API_PORT; without it nothing listens there',
    example: 'the output of: openssl rand -hex 32',
  }),
  API_PORT: withDefault(port, '8082', { doc: 'where the API for scripts answers' }),
  WITH_USERS: withDefault(flag, 'true', {
    doc: 'false: a container that a script starts has no owner, and anybody who is signed in may use it',
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
    doc: 'where the engine answers',
    example: 'unix:///var/run/docker.sock',
  }),
  DATA_DIR: withDefault(text, '/data', {
    doc: 'a folder that survives: the spawner’s records, and the lock that lets one spawner work at a time',
  }),
  LISTEN_PORT: listenPort('8081'),
  OPS_PORT: opsPort,
  LOG_LEVEL: logLevel,
} satisfies Settings

export type SpawnerSettings = Values<typeof spawnerSettings>

export interface SpawnerConfig {
  readonly settings: SpawnerSettings
  /** Those of the environment: none, or one. */
  readonly templates: ReadonlyMap<string, Template>
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * @param env the environment
 * @param readFile reads a secret's file
 * @throws SettingsError with every problem there is
 */
export function readConfig(env: Environment, readFile: (path: string) => string): SpawnerConfig {
  const problems: string[] = []
  const settings = attempt(spawnerSettings, env, readFile, problems)
  const environment = attempt(environmentSettings(env), env, readFile, problems)
  problems.push(...missing(env), ...disagreements(env, readFile))
  problems.push(...unknownSettings(env, Object.keys(spawnerSettings)))
  if (settings === undefined || environment === undefined || problems.length > 0)
    throw new SettingsError(problems)
  const template = templateFromEnvironment(settings, containerEnvironment(environment))
  const templates = new Map(template === undefined ? [] : [[template.name, template]])
  return Object.freeze({ settings, templates })
}

function attempt<S extends Settings>(
  settings: S,
  env: Environment,
  readFile: (path: string) => string,
  problems: string[],
): Values<S> | undefined {
  try {
    return readSettings(settings, env, readFile)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    problems.push(...error.problems)
    return undefined
  }
}

/** What the environment must say: all three, or none of them where templates come from elsewhere. */
function missing(env: Environment): string[] {
  const isSet = (name: string): boolean => (env[name] ?? '') !== ''
  if (!isSet('CONTAINER_IMAGE') && (isSet('TEMPLATES_FILE') || isSet('IMAGES_ALLOWED'))) return []
  return (['CONTAINER_IMAGE', 'CONTAINER_HOST_PREFIX', 'CONTAINER_PORT'] as const)
    .filter((name) => !isSet(name))
    .map((name) => {
      const { doc, example } = spawnerSettings[name]
      return `${name} is not set: ${doc} (example: ${name}=${example})`
    })
}

/** Settings that are each fine and do not go together; those that are not fine are told elsewhere. */
function disagreements(env: Environment, readFile: (path: string) => string): string[] {
  const wrong = Object.entries({ ...spawnerSettings, ...environmentSettings(env) }).filter(
    ([name, setting]) => attempt({ [name]: setting }, env, readFile, []) === undefined,
  )
  // In their place stands what would be fine, so that the others can be compared.
  const mended = {
    ...env,
    ...Object.fromEntries(wrong.map(([name, { example }]) => [name, example])),
  }
  const settings = attempt(spawnerSettings, mended, readFile, [])
  const environment = attempt(environmentSettings(mended), mended, readFile, [])
  if (settings === undefined || environment === undefined) return []
  const template = templateFromEnvironment(settings, containerEnvironment(environment))
  if (template === undefined) return []
  const isWrong = (name: string): boolean => wrong.some(([other]) => other === name)
  return templateComplaints(template, templateContext(settings))
    .filter(({ fields }) => !fields.map(variableOf).some(isWrong))
    .map(({ fields: [field], message }) => {
      const name = variableOf(field)
      const setting =
        name in templateSettings ? spawnerSettings[name as 'CONTAINER_PORT'] : undefined
      const example = setting === undefined ? '' : ` (example: ${name}=${setting.example})`
      return `${name} ${inVariables(message)}${example}`
    })
}

/** What templates from everywhere must get along with. */
export function templateContext(settings: SpawnerSettings): TemplateContext {
  const hostOf = (url: string | undefined): string | undefined =>
    url === undefined ? undefined : new URL(url).hostname
  return {
    instance: settings.INSTANCE,
    maxMemoryBytes: settings.MAX_MEMORY,
    hosts: { public: hostOf(settings.PUBLIC_URL), portal: hostOf(settings.PORTAL_URL) },
    imagesAllowed: settings.IMAGES_ALLOWED ?? [],
    bindsAllowed: settings.BINDS_ALLOWED ?? [],
  }
}

/**
 * What the policy goes by.
 *
 * @param templates all there are at present
 * @param specOf the engine's
 */
export function policyConfig(
  settings: SpawnerSettings,
  templates: ReadonlyMap<string, Template>,
  specOf: PolicyConfig['specOf'],
): PolicyConfig {
  return {
    limits: {
      maxWorkspaces: settings.MAX_WORKSPACES,
      maxWorkspacesPerUser: settings.MAX_WORKSPACES_PER_USER,
      maxStarting: settings.MAX_STARTING,
      maxQueue: settings.MAX_QUEUE,
      maxMemoryBytes: settings.MAX_MEMORY,
      evictsFrozen: settings.EVICT_FROZEN,
      keepHomesMs: settings.KEEP_HOMES,
      keepHomesDryRun: settings.KEEP_HOMES_DRY_RUN,
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
