// The spawner's configuration: its settings read and checked against each other, and what each part gets of them.
import { portalComplaint } from '@berth/shared/common-settings'
import { readSettings, SettingsError, type Settings, type Values } from '@berth/shared/settings'
import { subnetCount } from '@berth/shared/subnet-pool'
import type { PolicyConfig } from './policy/domain.ts'
import { leaseTimes } from './policy/state/lease-times.ts'
import { sshAddressOf } from './ssh/ssh-address.ts'
import { spawnerSettings, type SpawnerSettings } from './settings.ts'
import { inVariables, templateFromEnvironment, variableOf } from './templates/from-environment.ts'
import { templateComplaints } from './templates/template-rules.ts'
import {
  containerEnvironment,
  environmentSettings,
  templateSettings,
} from './templates/template-settings.ts'
import type { Variables } from './templates/interpolate.ts'
import type { TemplateContext } from './templates/template-source.ts'
import type { Template } from './templates/template.ts'
import { unknownSettings } from './unknown-settings.ts'
import type { WebSettings } from './web/http/settings.ts'

export interface SpawnerConfig {
  readonly settings: SpawnerSettings
  /** The templates of the environment: none, or one. */
  readonly templates: ReadonlyMap<string, Template>
  /** What the templates file may use as `${NAME}`. */
  readonly variables: Variables
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * @param env the environment
 * @param readFile reads a secret's file
 * @throws SettingsError with all problems
 */
export function readConfig(env: Environment, readFile: (path: string) => string): SpawnerConfig {
  const problems: string[] = []
  const settings = attempt(spawnerSettings, env, readFile, problems)
  const environment = attempt(environmentSettings(env), env, readFile, problems)
  problems.push(...missing(env), ...disagreements(env, readFile))
  problems.push(...unknownSettings(env, Object.keys(spawnerSettings)))
  if (settings === undefined || environment === undefined || problems.length > 0)
    throw new SettingsError(problems)
  return configOf(settings, environment, env)
}

/** Set by the image or the engine, and about this process: in a command they mean the variables of the workspace. */
const ofThisProcess =
  /^(HOME|HOSTNAME|LOGNAME|NODE_.*|OLDPWD|PATH|PWD|SHELL|SHLVL|TERM|USER|YARN_.*)$/

/** Everybody can read in a container what its template says, so Berth's own secrets are withheld. */
function variablesOf(env: Environment): Variables {
  const secrets = new Set(
    Object.entries(spawnerSettings).flatMap(([name, { secret }]) => (secret ? [name] : [])),
  )
  return (name) => {
    if (secrets.has(name)) return { complaint: 'is a secret of Berth that no container gets' }
    if (ofThisProcess.test(name))
      return {
        complaint: `is not filled in here: write $$${name} for the variable of the container`,
      }
    return { value: env[name] }
  }
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

/** The environment must set all three of these, or none of them if templates come from elsewhere. */
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

/** Settings that are valid and contradict each other. Invalid settings are reported elsewhere. */
function disagreements(env: Environment, readFile: (path: string) => string): string[] {
  const mended = mend(env, readFile)
  if (mended === undefined) return []
  const { config, wrong } = mended
  const portal = wrong.has('PUBLIC_URL') ? undefined : portalComplaint(config.settings)
  const template = config.templates.values().next().value
  const { ADMIN_OPEN_AS: opensAs, PORTAL_URL: portalUrl } = config.settings
  return [
    ...(portal === undefined ? [] : [portal]),
    ...(opensAs && portalUrl === undefined
      ? ['ADMIN_OPEN_AS needs PORTAL_URL (example: PORTAL_URL=https://portal.berth.example.com)']
      : []),
    ...(template === undefined ? [] : templateDisagreements(template, config, wrong)),
  ]
}

function templateDisagreements(
  template: Template,
  config: SpawnerConfig,
  wrong: ReadonlySet<string>,
): string[] {
  return templateComplaints(template, templateContext(config.settings))
    .filter(({ fields }) => !fields.map(variableOf).some((name) => wrong.has(name)))
    .map(({ fields: [field], message }) => {
      const name = variableOf(field)
      const setting =
        name in templateSettings ? spawnerSettings[name as 'CONTAINER_PORT'] : undefined
      const example = setting === undefined ? '' : ` (example: ${name}=${setting.example})`
      return `${name} ${inVariables(message)}${example}`
    })
}

/** The configuration with examples in place of the invalid settings, so that everything else can be checked. */
export function mend(
  env: Environment,
  readFile: (path: string) => string,
): { readonly config: SpawnerConfig; readonly wrong: ReadonlySet<string> } | undefined {
  const wrong = Object.entries({ ...spawnerSettings, ...environmentSettings(env) }).filter(
    ([name, setting]) => attempt({ [name]: setting }, env, readFile, []) === undefined,
  )
  const mended = {
    ...env,
    ...Object.fromEntries(wrong.map(([name, { example }]) => [name, example])),
  }
  const settings = attempt(spawnerSettings, mended, readFile, [])
  const environment = attempt(environmentSettings(mended), mended, readFile, [])
  if (settings === undefined || environment === undefined) return undefined
  const config = configOf(settings, environment, env)
  return { config, wrong: new Set(wrong.map(([name]) => name)) }
}

function configOf(
  settings: SpawnerSettings,
  environment: Readonly<Record<string, string | undefined>>,
  env: Environment,
): SpawnerConfig {
  const template = templateFromEnvironment(settings, containerEnvironment(environment))
  const templates = new Map(template === undefined ? [] : [[template.name, template]])
  return Object.freeze({ settings, templates, variables: variablesOf(env) })
}

/** What templates of every source are checked against. */
export function templateContext(settings: SpawnerSettings): Omit<TemplateContext, 'variables'> {
  const hostOf = (url: string | undefined): string | undefined =>
    url === undefined ? undefined : new URL(url).hostname
  return {
    instance: settings.INSTANCE,
    maxMemoryBytes: settings.MAX_MEMORY,
    publicUrl: settings.PUBLIC_URL,
    hosts: { public: hostOf(settings.PUBLIC_URL), portal: hostOf(settings.PORTAL_URL) },
    imagesAllowed: settings.IMAGES_ALLOWED ?? [],
    bindsAllowed: settings.BINDS_ALLOWED ?? [],
  }
}

/**
 * The configuration of the policy.
 *
 * @param templates all templates that are offered now
 * @param made the engine's
 */
export function policyConfig(
  settings: SpawnerSettings,
  templates: ReadonlyMap<string, Template>,
  made: Pick<PolicyConfig, 'specOf' | 'partsOf'>,
): PolicyConfig {
  return {
    limits: {
      maxWorkspaces: settings.MAX_WORKSPACES,
      maxWorkspacesPerUser: settings.MAX_WORKSPACES_PER_USER,
      maxGuests: settings.MAX_GUESTS,
      guestsPerAddress: settings.GUESTS_PER_ADDRESS,
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
    ...made,
  }
}

/** The settings of the pages and the internal API. */
export function webSettings(settings: SpawnerSettings): WebSettings {
  return {
    internalSecret: settings.INTERNAL_SECRET,
    siteTitle: settings.SITE_TITLE,
    supportUrl: settings.SUPPORT_URL,
    signOutUrl: settings.SIGN_OUT_URL,
    frameAncestors: settings.FRAME_ANCESTORS,
    publicUrl: settings.PUBLIC_URL,
    portalUrl: settings.PORTAL_URL,
    administrators: { group: settings.ADMIN_GROUP, users: settings.ADMIN_USERS ?? [] },
    sshAddress: sshAddressOf(settings),
    keyForges: settings.SSH_KEY_FORGES,
    problemBase: settings.PORTAL_URL ?? settings.PUBLIC_URL,
  }
}
