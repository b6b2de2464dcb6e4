// A template as the file has it -> a template. Pure: texts were parsed by the schema, secrets were read before.
import { identityFields } from '@berth/shared/contract'
import { parsePrefix, type Prefix } from '@berth/shared/names'
import { Secret } from '@berth/shared/secret'
import { readVolume } from './file-volumes.ts'
import type { WrittenTemplate } from './file-schema.ts'
import type { SecretMount, Template, TemplateRoute, TemplateSpec, VolumeMount } from './template.ts'
import type { Complaint } from './template-rules.ts'
import { weakened } from './weakened.ts'

export interface FileSurroundings {
  /** Those of the top level by name; `undefined`: it could not be read, which is told there. */
  readonly secrets: ReadonlyMap<string, Secret | undefined>
  /** Some of them may be missing, because a part of the file could not be read. */
  readonly lacksSecrets: boolean
  readonly bindsAllowed: readonly string[]
}

const defaultMemory = 2 * 1024 ** 3
const minute = 60_000

export interface FromFile {
  /** With something in the place of what is wrong, so that all else can be looked at. */
  readonly template: Template
  readonly complaints: readonly Complaint[]
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
      `must be set: "${name}" is none (a letter, then letters and digits, at most 20)`,
    )
  const volumes = (written.volumes ?? []).map((item, index): VolumeMount => {
    const mount = readVolume(item, surroundings.bindsAllowed)
    if ('value' in mount) return mount.value
    complain(`volumes.${index}`, mount.complaint)
    return { kind: 'shared', source: '', target: `volumes.${index}`, readOnly: false }
  })
  const secrets = (written.secrets ?? []).map((item, index): SecretMount => {
    const { source, target } = typeof item === 'string' ? { source: item } : item
    if (!surroundings.secrets.has(source) && !surroundings.lacksSecrets)
      complain(`secrets.${index}`, `"${source}" is none of the top level’s secrets`)
    const value = surroundings.secrets.get(source) ?? new Secret('')
    return { name: source, target: target ?? `/run/secrets/${source}`, value }
  })
  const environment = environmentOf(written, complain)

  const { ready = {}, seats = {}, idle = {}, lifetime = {}, activity = {} } = written
  const concurrent = seats.concurrent ?? 1
  const template: Omit<Template, 'weakened'> = {
    name,
    source: 'file',
    kind: written.kind ?? 'web',
    title: written.title ?? name,
    description: written.description ?? '',
    icon: written.icon ?? '',
    // What is none meets nobody's.
    prefix: prefix ?? (name as Prefix),
    spec: {
      ...containerOf(written),
      environment,
      volumes,
      secrets,
      readyPath: ready.path ?? '/',
    },
    policy: {
      seats: concurrent,
      seatsTotal: seats.total ?? 0,
      seatIdleMs: seats.idle ?? 15 * minute,
      persistBetweenReconnects: seats.persist_between_reconnects ?? true,
      idleFreezeMs: idle.freeze ?? 0,
      idleStopMs: idle.stop ?? 15 * minute,
      idleRemoveMs: idle.remove ?? 1_440 * minute,
      maxLifetimeMs: lifetime.max ?? 0,
      drainAfterMs: lifetime.drain_after ?? 0,
      extensionMs: lifetime.extension ?? 0,
      startTimeoutMs: ready.timeout ?? 2 * minute,
      startsBy: written.start ?? 'visit',
      allowedUsers: written.allow?.users ?? [],
      allowedGroups: written.allow?.groups ?? [],
      maxWorkspaces: written.limits?.workspaces ?? 0,
      maxWorkspacesByGroup: Object.fromEntries(written.limits?.groups ?? []),
      standby: written.standby ?? 0,
      activityPath: activity.path ?? '',
      busyCpuPercent: activity.cpu ?? 0,
      busyAtMostMs: activity.at_most ?? 1_440 * minute,
    },
    route: routeOf(written),
    // An application that several people share has no other way to know who is who.
    passIdentity: written.pass?.identity ?? (concurrent === 1 ? [] : identityFields),
    passTokens: written.pass?.tokens ?? [],
    backgroundRequests: written.background ?? [],
    connectionIdleMs: written.connection_idle ?? minute,
  }
  return { template: { ...template, weakened: weakened(template.spec) }, complaints }
}

function containerOf(
  written: WrittenTemplate,
): Omit<TemplateSpec, 'environment' | 'volumes' | 'secrets' | 'readyPath'> {
  const { home } = written
  const memory = written.mem_limit ?? defaultMemory
  return {
    image: written.image,
    pull: written.pull_policy === 'always' ? 'always' : 'missing',
    port: written.port,
    command: written.command ?? [],
    ...(home === undefined
      ? {}
      : { home: { path: home.path, volume: home.volume ?? '{instance}-{user}-home' } }),
    user: written.user ?? '',
    memoryBytes: memory,
    memorySwapBytes: written.memswap_limit ?? memory,
    shmBytes: written.shm_size ?? 0,
    cpus: written.cpus ?? 1,
    pids: written.pids_limit ?? 512,
    networks: written.networks ?? [],
    init: written.init ?? true,
    capAdd: (written.cap_add ?? []).map((name) => name.replace(/^CAP_/, '')),
    securityOpt: written.security_opt ?? [],
    runtime: written.runtime ?? '',
    egress: written.egress ?? 'internet',
    stopSignal: written.stop_signal ?? '',
    stopTimeoutMs: written.stop_grace_period ?? 10_000,
  }
}

function environmentOf(
  { environment = [] }: WrittenTemplate,
  complain: (field: string, message: string) => void,
): Readonly<Record<string, string>> {
  const pairs = [...environment]
  for (const [name] of pairs)
    if (!/^[A-Za-z_]\w*$/.test(name))
      complain(`environment.${name}`, 'is not the name of a variable')
  return Object.fromEntries(pairs)
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
