// The one template that the environment describes. Pure: the settings have parsed the texts before.
import type { Values } from '@berth/shared/settings'
import { defaultIdentity, defaultPolicy, defaultSpec } from './template-defaults.ts'
import type { Template } from './template.ts'
import type { templateSettings } from './template-settings.ts'
import { weakened } from './weakened.ts'

/**
 * @param environment the container's variables, by their own names, with placeholders that are not rendered yet
 * @returns `undefined` if the environment describes no template
 */
export function templateFromEnvironment(
  values: Values<typeof templateSettings>,
  environment: Readonly<Record<string, string>>,
): Template | undefined {
  const {
    CONTAINER_IMAGE: image,
    CONTAINER_HOST_PREFIX: prefix,
    CONTAINER_PORT: port,
    CONTAINER_SEATS: seats,
  } = values
  if (image === undefined || prefix === undefined || port === undefined) return undefined
  const template: Omit<Template, 'weakened'> = {
    name: prefix,
    source: 'environment',
    kind: 'web',
    title: values.CONTAINER_TITLE ?? prefix,
    description: values.CONTAINER_DESCRIPTION ?? '',
    icon: '',
    prefix,
    spec: {
      ...defaultSpec,
      image,
      pull: values.CONTAINER_PULL,
      port,
      scheme: values.CONTAINER_SCHEME,
      command: values.CONTAINER_COMMAND ?? defaultSpec.command,
      environment,
      ...(values.CONTAINER_HOME === undefined
        ? {}
        : { home: { path: values.CONTAINER_HOME, volume: values.CONTAINER_HOME_VOLUME } }),
      volumes: values.CONTAINER_VOLUMES ?? defaultSpec.volumes,
      user: values.CONTAINER_USER ?? defaultSpec.user,
      memoryBytes: values.CONTAINER_MEMORY,
      memorySwapBytes: values.CONTAINER_MEMORY,
      cpus: values.CONTAINER_CPUS,
      pids: values.CONTAINER_PIDS,
      init: values.CONTAINER_INIT,
      egress: values.CONTAINER_EGRESS,
      readyPath: values.CONTAINER_READY_PATH,
      stopSignal: values.CONTAINER_STOP_SIGNAL ?? defaultSpec.stopSignal,
      stopTimeoutMs: values.CONTAINER_STOP_TIMEOUT,
    },
    policy: {
      ...defaultPolicy,
      seats,
      seatsTotal: values.CONTAINER_SEATS_TOTAL,
      seatIdleMs: values.CONTAINER_SEAT_IDLE,
      persistBetweenReconnects: values.CONTAINER_SEAT_PERSISTS,
      idleFreezeMs: values.CONTAINER_IDLE_FREEZE,
      idleStopMs: values.CONTAINER_IDLE_STOP,
      idleRemoveMs: values.CONTAINER_IDLE_REMOVE,
      maxLifetimeMs: values.CONTAINER_MAX_LIFETIME,
      drainAfterMs: values.CONTAINER_DRAIN_AFTER,
      extensionMs: values.CONTAINER_EXTENSION,
      startTimeoutMs: values.CONTAINER_START_TIMEOUT,
      startsBy: values.CONTAINER_START_BY,
      allowedUsers: values.CONTAINER_ALLOWED_USERS ?? defaultPolicy.allowedUsers,
      allowedGroups: values.CONTAINER_ALLOWED_GROUPS ?? defaultPolicy.allowedGroups,
      allowsGuests: values.CONTAINER_ALLOWED_GUESTS,
      standby: values.CONTAINER_STANDBY,
      activityPath: values.CONTAINER_ACTIVITY_PATH ?? defaultPolicy.activityPath,
      busyCpuPercent: values.CONTAINER_BUSY_CPU,
      busyAtMostMs: values.CONTAINER_BUSY_AT_MOST,
    },
    route: { hosts: values.CONTAINER_HOSTS ?? [] },
    open: values.CONTAINER_OPEN ?? '',
    passIdentity: values.CONTAINER_PASS_IDENTITY ?? defaultIdentity(seats),
    passTokens: values.CONTAINER_PASS_TOKENS ?? [],
    backgroundRequests: values.CONTAINER_BACKGROUND_REQUESTS ?? [],
    quietFrames: [],
    banner: false,
    connectionIdleMs: values.CONTAINER_CONNECTION_IDLE,
  }
  return { ...template, weakened: weakened(template.spec) }
}

/** The variable of each field, by the name of the field in the file. */
const variables: Readonly<Record<string, string>> = {
  prefix: 'CONTAINER_HOST_PREFIX',
  mem_limit: 'CONTAINER_MEMORY',
  command: 'CONTAINER_COMMAND',
  home: 'CONTAINER_HOME',
  'home.path': 'CONTAINER_HOME',
  volumes: 'CONTAINER_VOLUMES',
  'idle.freeze': 'CONTAINER_IDLE_FREEZE',
  'idle.stop': 'CONTAINER_IDLE_STOP',
  'idle.remove': 'CONTAINER_IDLE_REMOVE',
  'lifetime.max': 'CONTAINER_MAX_LIFETIME',
  'lifetime.extension': 'CONTAINER_EXTENSION',
  'allow.guests': 'CONTAINER_ALLOWED_GUESTS',
  'seats.concurrent': 'CONTAINER_SEATS',
  'seats.total': 'CONTAINER_SEATS_TOTAL',
  standby: 'CONTAINER_STANDBY',
  'route.hosts': 'CONTAINER_HOSTS',
  open: 'CONTAINER_OPEN',
}

/** @param path the path of a field in the file */
export function variableOf(path: string): string {
  if (path.startsWith('environment.')) return `CONTAINER_ENV_${path.slice('environment.'.length)}`
  return variables[path.replace(/\.\d+$/, '')] ?? path
}

/** The same message, with the names of variables in place of the fields of the file. */
export function inVariables(message: string): string {
  return Object.keys(variables)
    .filter((path) => path.includes('.') || path.includes('_'))
    .reduce((text, path) => text.replaceAll(path, variableOf(path)), message)
    .replace('that home.path', 'that CONTAINER_HOME')
}
