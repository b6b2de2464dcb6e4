// The `CONTAINER_*` variables that describe the one template of the environment, in the order of the reference.
import { containerPort, containerPrefix, containerScheme } from '@berth/shared/common-settings'
import { identityFields, requestTokens } from '@berth/shared/contract'
import { choice, flag, listOf, someOf, text } from '@berth/shared/parse'
import { optional, orUnset, withDefault, type Setting, type Settings } from '@berth/shared/settings'
import * as field from './fields.ts'
import { defaults } from './template-defaults.ts'
import { parseVolumes } from './volume-list.ts'

/** All of these variables may be unset: the templates may come from the file or from images only. */
export const templateSettings = {
  CONTAINER_IMAGE: optional(field.image, {
    doc: 'the image of the one template that these variables describe; an image named berth/... is built on this machine and never pulled',
    example: 'quay.io/jupyter/minimal-notebook:latest',
  }),
  CONTAINER_HOST_PREFIX: orUnset(containerPrefix),
  CONTAINER_PORT: orUnset(containerPort),
  CONTAINER_SCHEME: containerScheme,
  CONTAINER_TITLE: optional(field.words, {
    doc: 'the name that people read on the pages; unset: the prefix',
    example: 'JupyterLab',
  }),
  CONTAINER_DESCRIPTION: optional(field.words, {
    doc: 'one line that tells people what the application is',
    example: 'Notebooks for the course in statistics',
  }),
  CONTAINER_HOSTS: optional(listOf(field.host), {
    doc: 'the host names that lead to the application, where *. stands for any one label; unset: every host name that no other template has',
    example: 'lab.example.com',
  }),
  CONTAINER_OPEN: optional(field.openPath, {
    doc: 'the path of the application at which people begin: a visit to / is led there; unset: /',
    example: '/vnc.html?autoconnect=true',
  }),
  CONTAINER_COMMAND: optional(field.command, {
    doc: 'the command that runs instead of the command of the image: words with quotes, or a JSON array',
    example: 'start-notebook.py --IdentityProvider.token=',
  }),
  CONTAINER_HOME: optional(field.homePath, {
    doc: 'the path of the person’s home, which is kept when the container is removed; unset: no files are kept',
    example: '/home/jovyan',
  }),
  CONTAINER_HOME_VOLUME: withDefault(field.homeVolume, defaults.homeVolume, {
    doc: 'the name of the volume of a person’s home; must contain {user} or {workspace}',
  }),
  CONTAINER_VOLUMES: optional(parseVolumes, {
    doc: 'further volumes, as name:/path or name:/path:ro, separated by commas',
    example: 'datasets:/data:ro,{instance}-{user}-cache:/cache',
  }),
  CONTAINER_USER: optional(field.user, {
    doc: 'the user in the container, as user or user:group; unset: the user of the image',
    example: '1000:100',
  }),
  CONTAINER_MEMORY: withDefault(field.memory, defaults.memory, {
    doc: 'how much memory one container may use, swap included; 0 is no limit',
  }),
  CONTAINER_CPUS: withDefault(field.cpus, defaults.cpus, {
    doc: 'how many processors one container may use, such as 0.5; 0 is no limit',
  }),
  CONTAINER_PIDS: withDefault(field.pids, defaults.pids, {
    doc: 'how many processes and threads one container may have; 0 is no limit',
  }),
  CONTAINER_INIT: withDefault(flag, defaults.init, {
    doc: 'whether the init of the engine is process 1 of a container; false for an image whose own program must be process 1, such as one with s6-overlay',
  }),
  CONTAINER_EGRESS: withDefault(choice('internet', 'none'), defaults.egress, {
    doc: 'what a container can reach: internet, or none (only Berth can reach the container, and the container can reach nothing)',
  }),
  CONTAINER_PULL: withDefault(choice('missing', 'always'), defaults.pull, {
    doc: 'when the image is pulled: missing (only if the engine does not have it) or always (before each new container)',
  }),
  CONTAINER_READY_PATH: withDefault(field.urlPath, defaults.readyPath, {
    doc: 'a path of the application; the container is ready when this path answers with a status below 500',
  }),
  CONTAINER_START_BY: withDefault(choice('visit', 'click', 'request'), defaults.startsBy, {
    doc: 'what starts a container: visit; click (the page then has a start button); or request (a visit, and also a request of a page that is still open, except background requests)',
  }),
  CONTAINER_START_TIMEOUT: withDefault(field.period('1s', '24h'), defaults.startTimeout, {
    doc: 'how long a container may take to become ready after it was created; after that the start has failed',
  }),
  CONTAINER_STOP_SIGNAL: optional(field.signal, {
    doc: 'the signal that asks a container to stop; unset: the signal of the image',
    example: 'SIGINT',
  }),
  CONTAINER_STOP_TIMEOUT: withDefault(field.period('0s', '10m'), defaults.stopTimeout, {
    doc: 'how long a container may take to stop before it is killed',
  }),
  CONTAINER_IDLE_FREEZE: withDefault(field.idleStep, defaults.idleFreeze, {
    doc: 'a container is frozen (paused) this long after its last use; it keeps its memory and wakes when it is used again; 0 is never',
    example: '5m',
  }),
  CONTAINER_IDLE_STOP: withDefault(field.idleStep, defaults.idleStop, {
    doc: 'a container is stopped this long after its last use; 0 is never',
  }),
  CONTAINER_IDLE_REMOVE: withDefault(field.idleStep, defaults.idleRemove, {
    doc: 'a stopped container is removed this long after its last use (the home is kept); 0 is never',
  }),
  CONTAINER_CONNECTION_IDLE: withDefault(field.period('1s', '24h'), defaults.connectionIdle, {
    doc: 'a download counts as use only if the client received data within this time',
  }),
  CONTAINER_BACKGROUND_REQUESTS: optional(listOf(field.backgroundRequest), {
    doc: 'requests that a page sends by itself and that do not count as use, as METHOD /path, where * stands for anything and {name} for one segment, separated by commas',
    // The requests that an open tab of JupyterLab sends without a person. Requests for files must not match: a
    // background request does not wake a workspace, so a person could not save a file in a frozen workspace.
    example:
      'GET /api/kernels,GET /api/kernels/{id},GET /api/sessions,GET /api/terminals,GET /api/kernelspecs,GET /api/me,GET /api/contents,GET /api/contents/*/checkpoints,PUT /lab/api/workspaces/*',
  }),
  CONTAINER_ACTIVITY_PATH: optional(field.urlPath, {
    doc: 'a path of the application, in the form of Jupyter, that tells whether the application is busy; Berth asks before each idle step',
    example: '/api/kernels',
  }),
  CONTAINER_BUSY_CPU: withDefault(field.cpuPercent, defaults.busyCpu, {
    doc: 'a container that uses more per cent of one processor than this is busy, so it is not idle; 0 turns this check off',
    example: '20',
  }),
  CONTAINER_BUSY_AT_MOST: withDefault(field.idleStep, defaults.busyAtMost, {
    doc: 'this long after an idle step was due, a container counts as idle even if it is busy or does not answer the check; 0 is no bound (1h for a container that cannot be checked)',
  }),
  CONTAINER_MAX_LIFETIME: withDefault(field.idleStep, defaults.maxLifetime, {
    doc: 'a container is ended this long after its start, even if it is in use; 0 is never',
    example: '12h',
  }),
  CONTAINER_EXTENSION: withDefault(field.idleStep, defaults.extension, {
    doc: 'how much time a person may add to CONTAINER_MAX_LIFETIME, once; 0 is nothing',
    example: '2h',
  }),
  CONTAINER_DRAIN_AFTER: withDefault(field.idleStep, defaults.drainAfter, {
    doc: 'this long after its start a container accepts no new people, and it ends when the last person leaves; 0 is never',
    example: '24h',
  }),
  CONTAINER_SEATS: withDefault(field.count, defaults.seats, {
    doc: 'how many people share one container; 1 gives each person a container of their own; 0 is any number',
    example: '10',
  }),
  CONTAINER_SEATS_TOTAL: withDefault(field.count, defaults.seatsTotal, {
    doc: 'how many different people a shared container accepts in its lifetime; 0 is any number',
    example: '20',
  }),
  CONTAINER_SEAT_IDLE: withDefault(field.idleStep, defaults.seatIdle, {
    doc: 'a person loses the seat in a shared container this long after their last use; 0 is never',
  }),
  CONTAINER_SEAT_PERSISTS: withDefault(flag, defaults.seatPersists, {
    doc: 'false: a person loses the seat when their last connection closes, and a workspace of their own then ends',
  }),
  CONTAINER_STANDBY: withDefault(field.count, defaults.standby, {
    doc: 'how many containers are kept ready without an owner; only for templates in which nothing depends on the person',
    example: '2',
  }),
  CONTAINER_PASS_IDENTITY: optional(listOf(choice(...identityFields)), {
    doc: `the identity headers of the gateway that the application receives: ${identityFields.join(', ')}; unset: all of them if several people share a container, none otherwise`,
    example: 'user,groups',
  }),
  CONTAINER_PASS_TOKENS: optional(listOf(choice(...requestTokens)), {
    doc: `the person’s tokens that the application receives, if the gateway has them: ${requestTokens.join(', ')}`,
    example: 'access',
  }),
  CONTAINER_ALLOWED_USERS: optional(someOf(text), {
    doc: 'the names of the people, written exactly, who may have such a container; if this and CONTAINER_ALLOWED_GROUPS are unset, everybody who is signed in may',
    example: 'alice,bob',
  }),
  CONTAINER_ALLOWED_GROUPS: optional(someOf(text), {
    doc: 'members of any of these groups may have such a container',
    example: 'staff,students',
  }),
  CONTAINER_ALLOWED_GUESTS: withDefault(flag, defaults.guests, {
    doc: 'whether people without a sign-in may have such a container, too, by GUEST_PORT (docs/guests.md)',
  }),
} satisfies Settings

export const environmentPrefix = 'CONTAINER_ENV_'

/** Documents the whole family of variables. Each variable has its own setting, which reads it. */
const environmentFamily: Setting<string | undefined> = optional(field.withPlaceholders, {
  doc: 'CONTAINER_ENV_<NAME> sets the variable NAME in the container',
  example: 'http://example.com/{user}',
})

/** One setting for each `CONTAINER_ENV_<NAME>` of the environment. */
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
