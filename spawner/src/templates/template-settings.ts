// The `CONTAINER_*` variables that describe the one template of the environment, in the order of the reference.
import { containerPort, containerPrefix } from '@berth/shared/common-settings'
import { longestMs } from '@berth/shared/contract'
import { parseDuration } from '@berth/shared/duration'
import {
  choice,
  custom,
  decimal,
  integer,
  list,
  optional,
  pattern,
  required,
  withDefault,
  type Setting,
  type Settings,
} from '@berth/shared/settings'
import { parseSize } from '@berth/shared/size'
import { z } from 'zod'
import { parseCommand } from './command-words.ts'
import { placeholderComplaint, usesPlaceholder } from './placeholders.ts'
import { mountPathComplaint, parseVolumes, volumeNameComplaint } from './volume-list.ts'

/** A text that is taken as it is, unless there is a complaint about it. */
const checked = (complaintOf: (text: string) => string | undefined): z.ZodType<string, string> =>
  z.string().superRefine((text, context) => {
    const complaint = complaintOf(text)
    if (complaint !== undefined) context.addIssue({ code: 'custom', message: complaint })
  })

const command = z.string().transform((text, context): readonly string[] => {
  const words = parseCommand(text)
  const complaint =
    words === undefined
      ? 'has an open quote, or is not a JSON array of texts'
      : placeholderComplaint(text.startsWith('[') ? words.join(' ') : text)
  if (words !== undefined && complaint === undefined) return words
  context.addIssue({ code: 'custom', message: complaint ?? 'is not a command', input: text })
  return z.NEVER
})

const volumes = z.string().transform((text, context) => {
  const mounts = parseVolumes(text)
  if (!('complaint' in mounts)) return mounts
  context.addIssue({ code: 'custom', message: mounts.complaint, input: text })
  return z.NEVER
})

const homeVolume = checked(
  (name) =>
    volumeNameComplaint(name) ??
    (usesPlaceholder(name, 'user', 'workspace')
      ? undefined
      : 'must contain {user}, or people would share one home'),
)

const backgroundRequests = z.string().transform((text, context): readonly string[] => {
  const patterns = list.parse(text)
  const wrong = patterns.find((item) => !/^([A-Z]+|\*) \/\S*$/.test(item))
  if (wrong === undefined) return patterns
  const message = `has "${wrong}", which is not a method and a path such as GET /api/*`
  context.addIssue({ code: 'custom', message, input: text })
  return z.NEVER
})

const period = (shortest: string, longest: string): z.ZodType<number, string> => {
  const [from = 0, to = longestMs] = [parseDuration(shortest), parseDuration(longest)]
  return custom((text) => {
    const ms = parseDuration(text)
    return ms !== undefined && ms >= from && ms <= to ? ms : undefined
  }, `must be a duration from ${shortest} to ${longest}`)
}
const periodOrOff = (shortestMs: number, words: string): z.ZodType<number, string> =>
  custom((text) => {
    const ms = parseDuration(text)
    return ms === 0 || (ms !== undefined && ms >= shortestMs && ms <= longestMs) ? ms : undefined
  }, `must be a duration from ${words} to 366d, or 0 for off`)

const memory = custom((text) => {
  const bytes = parseSize(text)
  return bytes === 0 || (bytes !== undefined && bytes >= 6 * 1024 ** 2) ? bytes : undefined
}, 'must be a size of at least 6m, or 0 for no limit')

export const templateSettings = {
  CONTAINER_IMAGE: required(pattern(/^[a-z0-9][\w.:/@-]*$/, 'is not the name of an image'), {
    doc: 'the image that everybody gets a container of; one named berth/... is built, never pulled',
    example: 'quay.io/jupyter/minimal-notebook:latest',
  }),
  CONTAINER_HOST_PREFIX: containerPrefix,
  CONTAINER_PORT: containerPort,
  CONTAINER_COMMAND: optional(command, {
    doc: 'what is run instead of the image’s own command: words with quotes, or a JSON array',
    example: 'start-notebook.py --IdentityProvider.token=',
  }),
  CONTAINER_HOME: optional(checked(mountPathComplaint), {
    doc: 'the path of the home that survives its container; unset: nothing survives',
    example: '/home/jovyan',
  }),
  CONTAINER_HOME_VOLUME: withDefault(homeVolume, '{instance}-{user}-home', {
    doc: 'the volume that holds a person’s home; must contain {user} or {workspace}',
  }),
  CONTAINER_VOLUMES: optional(volumes, {
    doc: 'further volumes, name:/path or name:/path:ro, separated by commas',
    example: 'datasets:/data:ro,{instance}-{user}-cache:/cache',
  }),
  CONTAINER_USER: optional(
    pattern(/^[a-zA-Z0-9_][\w.-]*(:[a-zA-Z0-9_][\w.-]*)?$/, 'is not a user such as 1000:1000'),
    {
      doc: 'whom the container runs as, user or user:group; unset: the image’s own',
      example: '1000:100',
    },
  ),
  CONTAINER_MEMORY: withDefault(memory, '2g', {
    doc: 'the most memory one container gets, swap included; 0 is no limit',
  }),
  CONTAINER_CPUS: withDefault(decimal(0, 4096), '1', {
    doc: 'the most processors one container gets, such as 0.5; 0 is no limit',
  }),
  CONTAINER_PIDS: withDefault(integer(0, 4_194_304), '512', {
    doc: 'the most processes and threads in one container; 0 is no limit',
  }),
  CONTAINER_PULL: withDefault(choice('missing', 'always'), 'missing', {
    doc: 'when the image is pulled: missing (only if it is not there), always (before each new container)',
  }),
  CONTAINER_READY_PATH: withDefault(
    pattern(/^\/[\x21-\x7e]*$/, 'must be a path that begins with /'),
    '/',
    { doc: 'the path that answers with less than 500 once the container is ready' },
  ),
  CONTAINER_START_TIMEOUT: withDefault(period('1s', '24h'), '120s', {
    doc: 'how long a container may take to become ready, once it is made, before the start has failed',
  }),
  CONTAINER_STOP_SIGNAL: optional(
    pattern(/^(SIG[A-Z0-9+-]+|[A-Z][A-Z0-9+-]*|[1-9]\d?)$/, 'is not a signal such as SIGTERM'),
    { doc: 'what a container is asked to end with; unset: the image’s own', example: 'SIGINT' },
  ),
  CONTAINER_STOP_TIMEOUT: withDefault(period('0s', '10m'), '10s', {
    doc: 'how long it may take to end before it is killed',
  }),
  CONTAINER_IDLE_STOP: withDefault(periodOrOff(2_000, '2s'), '15m', {
    doc: 'a container stops when its last use is this long ago; 0 is never',
  }),
  CONTAINER_IDLE_REMOVE: withDefault(periodOrOff(2_000, '2s'), '24h', {
    doc: 'a stopped container is removed when its last use is this long ago (its home stays); 0 is never',
  }),
  CONTAINER_CONNECTION_IDLE: withDefault(period('1s', '24h'), '1m', {
    doc: 'a download of which nothing was taken for this long is not in use any more',
  }),
  CONTAINER_BACKGROUND_REQUESTS: optional(backgroundRequests, {
    doc: 'what a page asks for by itself and is no use, as METHOD /path with * for anything, separated by commas',
    example: 'GET /api/*,PUT /lab/api/workspaces/*',
  }),
  CONTAINER_MAX_LIFETIME: withDefault(periodOrOff(2_000, '2s'), '0', {
    doc: 'a container ends this long after its start, used or not; 0 is never',
    example: '12h',
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

const environmentPrefix = 'CONTAINER_ENV_'

/** What documents the whole family of variables; each is read by a setting of its own. */
export const environmentFamily: Setting<string | undefined> = optional(
  checked((text) => placeholderComplaint(text)),
  {
    doc: 'CONTAINER_ENV_<NAME> becomes the variable NAME in the container',
    example: 'http://example.com/{user}',
  },
)

/** One setting for each `CONTAINER_ENV_<NAME>` that is there. */
export function environmentSettings(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, Setting<string | undefined>>> {
  const names = Object.keys(env).filter((name) => /^CONTAINER_ENV_[A-Za-z_]\w*$/.test(name))
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
