// Makes a template from its entry in the file. Pure: the schema has parsed the texts, and the secrets have been read
// before.
import { parsePrefix, parseUserName, type Prefix } from '@berth/shared/names'
import type { Parsed } from '@berth/shared/parse'
import { Secret } from '@berth/shared/secret'
import { parseEnvFile, type Pair } from './env-file.ts'
import { readDevice, readGpus } from './file-devices.ts'
import { readExtraHosts } from './file-extra-hosts.ts'
import { readHealthcheck } from './file-healthcheck.ts'
import { readLogging } from './file-logging.ts'
import { readSecurityOption } from './file-security.ts'
import { readUlimits } from './file-ulimits.ts'
import { readTmpfs, readVolume } from './file-volumes.ts'
import * as field from './fields.ts'
import type { WrittenTemplate } from './file-schema.ts'
import type { Variables } from './interpolate.ts'
import {
  defaultConnectionIdleMs,
  defaultIdentity,
  defaultPolicy,
  defaults,
  defaultSpec,
  entranceFor,
} from './template-defaults.ts'
import type { SecretMount, Template, TemplateRoute, TemplateSpec, VolumeMount } from './template.ts'
import type { Complaint } from './complaint.ts'
import { weakened } from './weakened.ts'

export interface FileSurroundings {
  /** The secrets of the top level, by name. `undefined`: the secret could not be read, and its own entry has the
   * complaint. */
  readonly secrets: ReadonlyMap<string, Secret | undefined>
  /** Some secrets may be missing, because a part of the file could not be read. */
  readonly lacksSecrets: boolean
  readonly bindsAllowed: readonly string[]
  readonly variables: Variables
  /** The text of a file beside the templates file. Throws if it cannot be read. */
  readonly readBeside: (path: string) => string
}

type EnvFile =
  | Exclude<WrittenTemplate['env_file'], readonly unknown[] | undefined>
  | {
      readonly path: string
      readonly required?: boolean | undefined
      readonly format?: 'raw' | undefined
    }

export interface FromFile {
  /** Fields with an error have a substitute value, so that the rest can be checked. */
  readonly template: Template
  readonly complaints: readonly Complaint[]
  /** Where in the file an item of a list is that the template has elsewhere: `volumes.1` for `tmpfs.0`, say. */
  readonly places: ReadonlyMap<string, string>
}

export function templateFromFile(
  name: string,
  written: WrittenTemplate,
  surroundings: FileSurroundings,
): FromFile {
  const complaints: Complaint[] = []
  const complain = (field: string, message: string): void => {
    complaints.push({ fields: [field], message })
  }
  const prefix = written.prefix ?? parsePrefix(name)
  if (prefix === undefined)
    complain(
      'prefix',
      `must be set: "${name}" is not a valid prefix (a letter, then letters and digits, at most 20)`,
    )
  const { volumes, tmpfs, places } = mountsOf(written, surroundings.bindsAllowed, complain)
  const secrets = (written.secrets ?? []).map((item, index): SecretMount => {
    const { source, target } = typeof item === 'string' ? { source: item } : item
    if (!surroundings.secrets.has(source) && !surroundings.lacksSecrets)
      complain(`secrets.${index}`, `"${source}" is not a secret of the top level`)
    const value = surroundings.secrets.get(source) ?? new Secret('')
    return { name: source, target: target ?? `/run/secrets/${source}`, value }
  })
  const environment = environmentOf(written, surroundings, complain)
  const gpus = readGpus(written.gpus ?? [])
  if ('complaint' in gpus) complain('gpus', gpus.complaint)

  for (const key of ['entrypoint', 'command'] as const)
    if (written[key]?.some(isTooLong) === true) complain(key, tooLong)

  // Without users and groups the template is for everybody, which an empty list hardly means.
  for (const key of ['users', 'groups'] as const)
    if (written.allow?.[key]?.length === 0) complain(`allow.${key}`, namesNobody)
  if (written.allow !== undefined && Object.keys(written.allow).length === 0)
    complain('allow', namesNobody)

  const login = loginOf(written, complain)
  const { ready = {}, seats = {}, idle = {}, lifetime = {}, activity = {} } = written
  const concurrent = seats.concurrent ?? defaultPolicy.seats
  const template: Omit<Template, 'weakened'> = {
    name,
    source: 'file',
    kind: written.kind ?? 'web',
    title: written.title ?? name,
    description: written.description ?? '',
    icon: written.icon ?? '',
    // An invalid prefix equals no valid one, so it leads to no further complaint.
    prefix: prefix ?? (name as Prefix),
    spec: {
      ...containerOf(written, login.ssh, complain),
      ...healthcheckOf(written, complain),
      environment,
      securityOpt: securityOptionsOf(written, surroundings, complain),
      volumes,
      secrets,
      tmpfs,
      gpus: 'value' in gpus ? gpus.value : [],
      ulimits: written.ulimits === undefined ? [] : readUlimits(written.ulimits, complain),
      extraHosts: readExtraHosts(written.extra_hosts ?? [], complain),
      readyPath: ready.path ?? defaultSpec.readyPath,
    },
    policy: {
      seats: concurrent,
      seatsTotal: seats.total ?? defaultPolicy.seatsTotal,
      seatIdleMs: seats.idle ?? defaultPolicy.seatIdleMs,
      persistBetweenReconnects:
        seats.persist_between_reconnects ??
        (written.seats_by === 'connection' ? false : defaultPolicy.persistBetweenReconnects),
      idleFreezeMs: idle.freeze ?? defaultPolicy.idleFreezeMs,
      idleStopMs: idle.stop ?? defaultPolicy.idleStopMs,
      idleRemoveMs: idle.remove ?? defaultPolicy.idleRemoveMs,
      maxLifetimeMs: lifetime.max ?? defaultPolicy.maxLifetimeMs,
      drainAfterMs: lifetime.drain_after ?? defaultPolicy.drainAfterMs,
      extensionMs: lifetime.extension ?? defaultPolicy.extensionMs,
      startTimeoutMs: ready.timeout ?? defaultPolicy.startTimeoutMs,
      startsBy: written.start ?? defaultPolicy.startsBy,
      allowedUsers: written.allow?.users ?? defaultPolicy.allowedUsers,
      allowedGroups: written.allow?.groups ?? defaultPolicy.allowedGroups,
      allowsGuests: written.allow?.guests ?? defaultPolicy.allowsGuests,
      maxWorkspaces: written.limits?.workspaces ?? defaultPolicy.maxWorkspaces,
      maxWorkspacesByGroup: Object.fromEntries(written.limits?.groups ?? []),
      standby: written.standby ?? defaultPolicy.standby,
      activityPath: activity.path ?? defaultPolicy.activityPath,
      busyCpuPercent: activity.cpu ?? defaultPolicy.busyCpuPercent,
      busyAtMostMs: activity.at_most ?? defaultPolicy.busyAtMostMs,
    },
    route: routeOf(written),
    open: written.open ?? '',
    passIdentity: written.pass?.identity ?? defaultIdentity(concurrent),
    passTokens: written.pass?.tokens ?? [],
    backgroundRequests: (written.background ?? []).map((item) =>
      typeof item === 'string' ? item : { request: item.request, maxBytes: item.max_size },
    ),
    banner: written.banner ?? false,
    quietFrames: (written.frames ?? []).map(
      ({ path = '*', prefix, max_size, period, answers }) => ({
        path,
        ...(prefix === undefined ? {} : { prefix }),
        ...(max_size === undefined ? {} : { maxBytes: max_size }),
        ...(period === undefined ? {} : { periodMs: period }),
        ...(answers === undefined ? {} : { answers }),
      }),
    ),
    connectionIdleMs: written.connection_idle ?? defaultConnectionIdleMs,
    ...login,
    ...tcpOf(written, complain),
  }
  return { template: { ...template, weakened: weakened(template.spec) }, complaints, places }
}

/** Where the application listens: the SSH server, if that is all there is. Sessions through the engine need nothing. */
function entranceOf(
  { kind = 'web', port, scheme = defaults.scheme }: WrittenTemplate,
  login: Template['ssh'],
  complain: (field: string, message: string) => void,
): Pick<TemplateSpec, 'port' | 'scheme'> {
  if (kind === 'ssh') {
    if (port !== undefined)
      complain('port', 'has no effect, because the kind is ssh: remove it, or set ssh.port')
    return entranceFor(login)
  }
  if (port === undefined) complain('port', 'is not set')
  return { port: port ?? 1, scheme: kind === 'tcp' ? 'tcp' : scheme }
}

function containerOf(
  written: WrittenTemplate,
  login: Template['ssh'],
  complain: (field: string, message: string) => void,
): Omit<
  TemplateSpec,
  | 'environment'
  | 'securityOpt'
  | 'volumes'
  | 'secrets'
  | 'tmpfs'
  | 'gpus'
  | 'ulimits'
  | 'extraHosts'
  | 'readyPath'
> {
  const { home } = written
  const memory = written.mem_limit ?? defaultSpec.memoryBytes
  return {
    image: written.image,
    pull: written.pull_policy === 'always' ? 'always' : 'missing',
    ...entranceOf(written, login, complain),
    ...(written.entrypoint === undefined ? {} : { entrypoint: written.entrypoint }),
    command: written.command ?? defaultSpec.command,
    ...(home === undefined
      ? {}
      : { home: { path: home.path, volume: home.volume ?? defaults.homeVolume } }),
    user: written.user ?? defaultSpec.user,
    memoryBytes: memory,
    memorySwapBytes: written.memswap_limit ?? memory,
    shmBytes: written.shm_size ?? defaultSpec.shmBytes,
    cpus: written.cpus ?? defaultSpec.cpus,
    pids: written.pids_limit ?? defaultSpec.pids,
    networks: written.networks ?? defaultSpec.networks,
    init: written.init ?? defaultSpec.init,
    capAdd: written.cap_add ?? defaultSpec.capAdd,
    devices: (written.devices ?? []).map(readDevice),
    logging: readLogging(written.logging ?? {}),
    runtime: written.runtime ?? defaultSpec.runtime,
    egress: written.egress ?? defaultSpec.egress,
    stopSignal: written.stop_signal ?? defaultSpec.stopSignal,
    stopTimeoutMs: written.stop_grace_period ?? defaultSpec.stopTimeoutMs,
  }
}

/** The long form of a volume may be a folder in memory, which the template has with the others of that kind. */
function mountsOf(
  written: WrittenTemplate,
  bindsAllowed: readonly string[],
  complain: (field: string, message: string) => void,
) {
  const places = new Map<string, string>()
  const tmpfs = [written.tmpfs ?? []].flat()
  const volumes: VolumeMount[] = []
  for (const [index, item] of (written.volumes ?? []).entries()) {
    const place = `volumes.${index}`
    const folder = readTmpfs(item)
    if (folder !== undefined) {
      places.set(`tmpfs.${tmpfs.length}`, place)
      if ('value' in folder) tmpfs.push(folder.value)
      else complain(place, folder.complaint)
      continue
    }
    places.set(`volumes.${volumes.length}`, place)
    const mount = readVolume(item, bindsAllowed)
    if ('complaint' in mount) complain(place, mount.complaint)
    volumes.push(
      'value' in mount
        ? mount.value
        : { kind: 'shared', source: '', target: place, readOnly: false },
    )
  }
  return { volumes, tmpfs, places }
}

const namesNobody =
  'names nobody, and without users and groups everybody may use the template: name them, or leave this out'

/** MAX_ARG_STRLEN of Linux, with the byte at the end: a program with a longer argument or variable does not start. */
const longestArgument = 131_072
const isTooLong = (text: string): boolean => Buffer.byteLength(text) >= longestArgument
const tooLong = `is too long: Linux passes at most ${longestArgument - 1} bytes to a program in one piece`

function environmentOf(
  { environment = [], env_file: files = [] }: WrittenTemplate,
  surroundings: FileSurroundings,
  complain: (field: string, message: string) => void,
): Readonly<Record<string, string>> {
  const fromFiles = [files].flat().flatMap((file, index) => {
    const place = Array.isArray(files) ? `env_file.${index}` : 'env_file'
    const pairs = pairsOf(file, surroundings)
    if ('complaint' in pairs) {
      complain(place, pairs.complaint)
      return []
    }
    for (const [name, value] of pairs.value)
      if (isTooLong(`${name}=${value}`)) complain(place, `${name} ${tooLong}`)
    return pairs.value
  })
  const pairs = [...environment]
  for (const [name, value] of pairs) {
    const result = field.variableName(name)
    if ('complaint' in result) complain(`environment.${name}`, result.complaint)
    if (isTooLong(`${name}=${value}`)) complain(`environment.${name}`, tooLong)
  }
  return Object.fromEntries([...fromFiles, ...pairs])
}

function securityOptionsOf(
  { security_opt: options = [] }: WrittenTemplate,
  { readBeside }: FileSurroundings,
  complain: (field: string, message: string) => void,
): readonly string[] {
  return options.flatMap((written, index) => {
    const option = readSecurityOption(written, readBeside)
    if ('complaint' in option) complain(`security_opt.${index}`, option.complaint)
    return 'complaint' in option ? [] : [option.value]
  })
}

/** The braces in a file of another program are no placeholders. */
function pairsOf(
  file: EnvFile,
  { readBeside, variables }: FileSurroundings,
): Parsed<readonly Pair[]> {
  const { path, required, format } =
    typeof file === 'string' ? { path: file, required: true, format: undefined } : file
  let text: string
  try {
    text = readBeside(path)
  } catch (error) {
    if (required === false) return { value: [] }
    const reason = error instanceof Error ? error.message : String(error)
    return { complaint: `"${path}" cannot be read: ${reason}` }
  }
  const pairs = parseEnvFile(text, format === 'raw', variables)
  if ('complaint' in pairs) return { complaint: `"${path}" ${pairs.complaint}` }
  const plain = (value: string): string => value.replaceAll(/[{}]/g, '$&$&')
  return { value: pairs.value.map(([name, value]) => [name, plain(value)]) }
}

function healthcheckOf(
  { healthcheck }: WrittenTemplate,
  complain: (field: string, message: string) => void,
): Pick<TemplateSpec, 'healthcheck'> {
  if (healthcheck === undefined) return {}
  const { check, complaints } = readHealthcheck(healthcheck)
  for (const [key, message] of complaints) complain(`healthcheck.${key}`, message)
  return { healthcheck: check }
}

function loginOf(
  { kind, ssh = kind === 'ssh' ? {} : undefined }: WrittenTemplate,
  complain: (field: string, message: string) => void,
): Pick<Template, 'ssh'> {
  if (ssh === undefined) return {}
  const { method = defaults.sshMethod, shell, user = '', port } = ssh
  if (ssh.method === undefined && kind !== 'ssh')
    complain('ssh.method', 'is not set: exec, attach or connect')
  if (method !== 'connect') {
    if (port !== undefined) complain('ssh.port', 'is for the method connect only')
    return { ssh: { method, shell: shell ?? defaults.shell, user } }
  }
  if (shell !== undefined)
    complain('ssh.shell', 'has no effect, because the method is connect: remove it')
  if ('complaint' in field.loginName(user))
    complain(
      'ssh.user',
      'must be set to the name of a user, because the method is connect: sessions sign in with it at the SSH server in the container',
    )
  return { ssh: { method, user, port: port ?? Number(defaults.sshPort) } }
}

function tcpOf(
  { kind, sources = new Map(), allow, scheme, ready, seats_by: seatsBy }: WrittenTemplate,
  complain: (field: string, message: string) => void,
): Pick<Template, 'tcp'> {
  if (kind !== undefined && kind !== 'web')
    for (const [field, value] of [
      ['scheme', scheme],
      ['ready.path', ready?.path],
    ] as const)
      if (value !== undefined)
        complain(field, `has no effect, because the kind is ${kind}: remove it`)
  if (kind !== 'tcp') {
    for (const [field, value] of [
      ['sources', sources.size > 0],
      ['allow.certificates', allow?.certificates],
      ['seats_by', seatsBy !== undefined],
    ] as const)
      if (value === true) complain(field, 'is for templates of the kind tcp only')
    return {}
  }
  if (seatsBy !== undefined && allow?.guests !== true)
    complain(
      'seats_by',
      'is for guests only: each person has one seat. Set allow.guests, or remove it',
    )
  const people = [...sources].flatMap(([name, networks]) => {
    const user = parseUserName(name)
    if (user === undefined) complain('sources', `"${name}" is not a user name`)
    return user === undefined ? [] : [{ user, networks }]
  })
  const certificates = allow?.certificates ?? false
  return { tcp: { sources: people, certificates, seatsBy: seatsBy ?? defaults.seatsBy } }
}

function routeOf({ route = {} }: WrittenTemplate): TemplateRoute {
  const { hosts = [], path, port } = route
  const below = typeof path === 'string' ? { prefix: path } : path
  return {
    hosts: [...new Set(hosts)],
    ...(below === undefined
      ? {}
      : { path: { prefix: below.prefix, strip: 'strip' in below && below.strip === true } }),
    ...(port === undefined ? {} : { listenPort: port }),
  }
}
