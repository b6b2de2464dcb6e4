// Makes a template from its entry in the file. Pure: the schema has parsed the texts, and the secrets have been read
// before.
import { parsePrefix, type Prefix } from '@berth/shared/names'
import { Secret } from '@berth/shared/secret'
import { readVolume } from './file-volumes.ts'
import type { WrittenTemplate } from './file-schema.ts'
import {
  defaultConnectionIdleMs,
  defaultIdentity,
  defaultPolicy,
  defaults,
  defaultSpec,
} from './template-defaults.ts'
import type { SecretMount, Template, TemplateRoute, TemplateSpec, VolumeMount } from './template.ts'
import type { Complaint } from './template-rules.ts'
import { weakened } from './weakened.ts'

export interface FileSurroundings {
  /** The secrets of the top level, by name. `undefined`: the secret could not be read, and its own entry has the
   * complaint. */
  readonly secrets: ReadonlyMap<string, Secret | undefined>
  /** Some secrets may be missing, because a part of the file could not be read. */
  readonly lacksSecrets: boolean
  readonly bindsAllowed: readonly string[]
}

export interface FromFile {
  /** Fields with an error have a substitute value, so that the rest can be checked. */
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
      `must be set: "${name}" is not a valid prefix (a letter, then letters and digits, at most 20)`,
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
      complain(`secrets.${index}`, `"${source}" is not a secret of the top level`)
    const value = surroundings.secrets.get(source) ?? new Secret('')
    return { name: source, target: target ?? `/run/secrets/${source}`, value }
  })
  const environment = environmentOf(written, complain)

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
      ...containerOf(written),
      environment,
      volumes,
      secrets,
      readyPath: ready.path ?? defaultSpec.readyPath,
    },
    policy: {
      seats: concurrent,
      seatsTotal: seats.total ?? defaultPolicy.seatsTotal,
      seatIdleMs: seats.idle ?? defaultPolicy.seatIdleMs,
      persistBetweenReconnects:
        seats.persist_between_reconnects ?? defaultPolicy.persistBetweenReconnects,
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
    quietFrames: (written.frames ?? []).map(({ path = '*', prefix, max_size, period }) => ({
      path,
      ...(prefix === undefined ? {} : { prefix }),
      ...(max_size === undefined ? {} : { maxBytes: max_size }),
      ...(period === undefined ? {} : { periodMs: period }),
    })),
    connectionIdleMs: written.connection_idle ?? defaultConnectionIdleMs,
  }
  return { template: { ...template, weakened: weakened(template.spec) }, complaints }
}

function containerOf(
  written: WrittenTemplate,
): Omit<TemplateSpec, 'environment' | 'volumes' | 'secrets' | 'readyPath'> {
  const { home } = written
  const memory = written.mem_limit ?? defaultSpec.memoryBytes
  return {
    image: written.image,
    pull: written.pull_policy === 'always' ? 'always' : 'missing',
    port: written.port,
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
    capAdd: (written.cap_add ?? []).map((name) => name.replace(/^CAP_/, '')),
    securityOpt: written.security_opt ?? defaultSpec.securityOpt,
    runtime: written.runtime ?? defaultSpec.runtime,
    egress: written.egress ?? defaultSpec.egress,
    stopSignal: written.stop_signal ?? defaultSpec.stopSignal,
    stopTimeoutMs: written.stop_grace_period ?? defaultSpec.stopTimeoutMs,
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
