// The `CONTAINER_*` variables that describe the one template of the environment, in the order of the reference.
import { containerPort, containerPrefix } from '@berth/shared/common-settings'
import { identityFields, requestTokens } from '@berth/shared/contract'
import { choice, flag, list, listOf } from '@berth/shared/parse'
import { optional, orUnset, withDefault, type Setting, type Settings } from '@berth/shared/settings'
import * as field from './fields.ts'
import { parseVolumes } from './volume-list.ts'

/** Needed only where the environment describes a template at all. */
export const templateSettings = {
  CONTAINER_IMAGE: optional(field.image, {
    doc: 'the image that everybody gets a container of; one named berth/... is built, never pulled',
    example: 'quay.io/jupyter/minimal-notebook:latest',
  }),
  CONTAINER_HOST_PREFIX: orUnset(containerPrefix),
  CONTAINER_PORT: orUnset(containerPort),
  CONTAINER_TITLE: optional(field.words, {
    doc: 'what people read as its name; unset: the prefix',
    example: 'JupyterLab',
  }),
  CONTAINER_DESCRIPTION: optional(field.words, {
    doc: 'what people read about it, one line',
    example: 'Notebooks for the course in statistics',
  }),
  CONTAINER_HOSTS: optional(listOf(field.host), {
    doc: 'the host names that lead to it, *. standing for one label; unset: every host that is nobody else’s',
    example: 'lab.example.com',
  }),
  CONTAINER_COMMAND: optional(field.command, {
    doc: 'what is run instead of the image’s own command: words with quotes, or a JSON array',
    example: 'start-notebook.py --IdentityProvider.token=',
  }),
  CONTAINER_HOME: optional(field.homePath, {
    doc: 'the path of the home that survives its container; unset: nothing survives',
    example: '/home/jovyan',
  }),
  CONTAINER_HOME_VOLUME: withDefault(field.homeVolume, '{instance}-{user}-home', {
    doc: 'the volume that holds a person’s home; must contain {user} or {workspace}',
  }),
  CONTAINER_VOLUMES: optional(parseVolumes, {
    doc: 'further volumes, name:/path or name:/path:ro, separated by commas',
    example: 'datasets:/data:ro,{instance}-{user}-cache:/cache',
  }),
  CONTAINER_USER: optional(field.user, {
    doc: 'whom the container runs as, user or user:group; unset: the image’s own',
    example: '1000:100',
  }),
  CONTAINER_MEMORY: withDefault(field.memory, '2g', {
    doc: 'the most memory one container gets, swap included; 0 is no limit',
  }),
  CONTAINER_CPUS: withDefault(field.cpus, '1', {
    doc: 'the most processors one container gets, such as 0.5; 0 is no limit',
  }),
  CONTAINER_PIDS: withDefault(field.pids, '512', {
    doc: 'the most processes and threads in one container; 0 is no limit',
  }),
  CONTAINER_EGRESS: withDefault(choice('internet', 'none'), 'internet', {
    doc: 'where a container’s network leads: internet, or none (nowhere but to Berth)',
  }),
  CONTAINER_PULL: withDefault(choice('missing', 'always'), 'missing', {
    doc: 'when the image is pulled: missing (only if it is not there), always (before each new container)',
  }),
  CONTAINER_READY_PATH: withDefault(field.urlPath, '/', {
    doc: 'the path that answers with less than 500 once the container is ready',
  }),
  CONTAINER_START_BY: withDefault(choice('visit', 'click'), 'visit', {
    doc: 'what starts it: a visit, or a click on the start button of the page that a visit shows',
  }),
  CONTAINER_START_TIMEOUT: withDefault(field.period('1s', '24h'), '120s', {
    doc: 'how long a container may take to become ready, once it is made, before the start has failed',
  }),
  CONTAINER_STOP_SIGNAL: optional(field.signal, {
    doc: 'what a container is asked to end with; unset: the image’s own',
    example: 'SIGINT',
  }),
  CONTAINER_STOP_TIMEOUT: withDefault(field.period('0s', '10m'), '10s', {
    doc: 'how long it may take to end before it is killed',
  }),
  CONTAINER_IDLE_FREEZE: withDefault(field.idleStep, '0', {
    doc: 'a container is paused when its last use is this long ago, and wakes unnoticed; it keeps its memory; 0 is never',
    example: '5m',
  }),
  CONTAINER_IDLE_STOP: withDefault(field.idleStep, '15m', {
    doc: 'a container stops when its last use is this long ago; 0 is never',
  }),
  CONTAINER_IDLE_REMOVE: withDefault(field.idleStep, '24h', {
    doc: 'a stopped container is removed when its last use is this long ago (its home stays); 0 is never',
  }),
  CONTAINER_CONNECTION_IDLE: withDefault(field.period('1s', '24h'), '1m', {
    doc: 'a download of which nothing was taken for this long is not in use any more',
  }),
  CONTAINER_BACKGROUND_REQUESTS: optional(listOf(field.backgroundRequest), {
    doc: 'requests that pages make by themselves and that do not count as use, as METHOD /path with * for anything, separated by commas',
    // What an open, untouched tab of JupyterLab sends. Files must not match: a background request does not wake a
    // workspace, so saving in a frozen one would fail.
    example:
      'GET /api/kernels,GET /api/sessions,GET /api/terminals,GET /api/kernelspecs,GET /api/me,GET /api/contents,GET /api/contents/*/checkpoints,PUT /lab/api/workspaces/*',
  }),
  CONTAINER_ACTIVITY_PATH: optional(field.urlPath, {
    doc: 'a path of the application that says whether it is busy, as Jupyter does; asked before an idle step',
    example: '/api/kernels',
  }),
  CONTAINER_BUSY_CPU: withDefault(field.cpuPercent, '0', {
    doc: 'above this many per cent of one processor it is busy, and not idle; 0 is not asked',
    example: '20',
  }),
  CONTAINER_BUSY_AT_MOST: withDefault(field.idleStep, '24h', {
    doc: 'however busy it is, or silent when asked: this long after an idle step was due it is idle all the same; 0 is no bound (1h for one that cannot be asked)',
  }),
  CONTAINER_MAX_LIFETIME: withDefault(field.idleStep, '0', {
    doc: 'a container ends this long after its start, used or not; 0 is never',
    example: '12h',
  }),
  CONTAINER_EXTENSION: withDefault(field.idleStep, '0', {
    doc: 'what a person may add to that lifetime, once; 0 is nothing',
    example: '2h',
  }),
  CONTAINER_DRAIN_AFTER: withDefault(field.idleStep, '0', {
    doc: 'this long after its start a container takes nobody new, and ends with the last who leaves; 0 is never',
    example: '24h',
  }),
  CONTAINER_SEATS: withDefault(field.count, '1', {
    doc: 'how many people share one container; 1 gives everybody their own; 0 is any number',
    example: '10',
  }),
  CONTAINER_SEATS_TOTAL: withDefault(field.count, '0', {
    doc: 'how many people a shared container takes in its whole life; 0 is any number',
    example: '20',
  }),
  CONTAINER_SEAT_IDLE: withDefault(field.idleStep, '15m', {
    doc: 'a person’s seat in a shared container ends when its last use is this long ago; 0 is never',
  }),
  CONTAINER_SEAT_PERSISTS: withDefault(flag, 'true', {
    doc: 'false: a seat ends when the last connection closes',
  }),
  CONTAINER_STANDBY: withDefault(field.count, '0', {
    doc: 'how many containers stand ready without an owner; only where nothing in them names a person',
    example: '2',
  }),
  CONTAINER_PASS_IDENTITY: optional(listOf(choice(...identityFields)), {
    doc: `which of the gateway’s identity headers the application sees: ${identityFields.join(', ')}; unset: all where it is shared, else none`,
    example: 'user,groups',
  }),
  CONTAINER_PASS_TOKENS: optional(listOf(choice(...requestTokens)), {
    doc: `which of a person’s tokens the application is given, where the gateway has them: ${requestTokens.join(', ')}`,
    example: 'access',
  }),
  CONTAINER_ALLOWED_USERS: optional(list, {
    doc: 'who may have one, by exact user name; with neither this nor groups set, everybody who is signed in',
    example: 'alice,bob',
  }),
  CONTAINER_ALLOWED_GROUPS: optional(list, {
    doc: 'members of any of these groups may have one',
    example: 'staff,students',
  }),
} satisfies Settings

export const environmentPrefix = 'CONTAINER_ENV_'

/** What documents the whole family of variables; each is read by a setting of its own. */
const environmentFamily: Setting<string | undefined> = optional(field.withPlaceholders, {
  doc: 'CONTAINER_ENV_<NAME> becomes the variable NAME in the container',
  example: 'http://example.com/{user}',
})

/** One setting for each `CONTAINER_ENV_<NAME>` that is there. */
export function environmentSettings(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, Setting<string | undefined>>> {
  const names = Object.keys(env).filter((name) => /^CONTAINER_ENV_[^\s=]+$/.test(name))
  return Object.fromEntries(names.sort().map((name) => [name, environmentFamily]))
}

/** @returns the container's variables by their own names */
export function containerEnvironment(
  values: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const pairs = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name.slice(environmentPrefix.length), value] as const],
  )
  return Object.fromEntries(pairs)
}
