// The engine's options for a workspace's container, and their hash. Pure. A client determines nothing but names in them.
import { createHash } from 'node:crypto'
import type { Person } from '@berth/shared/contract'
import { labels } from '@berth/shared/labels'
import { ownerAlias, type WorkspaceName } from '@berth/shared/names'
import type Docker from 'dockerode'
import type { WorkspaceKind } from '../../policy/domain.ts'
import { placeholderValues, render, usesPlaceholder } from '../../templates/placeholders.ts'
import type { Template, TemplateSpec } from '../../templates/template.ts'
import { toolsFolder, toolsVolume } from '../volumes/tools-volume.ts'
import { secretsDigest } from './secrets.ts'
import { hashParts } from './spec-parts.ts'

export interface Mount {
  /** `shared`: a volume that several templates mount and that every user may write to. */
  readonly kind: 'volume' | 'shared' | 'bind'
  /** The name of a volume, or a path on the engine's host. */
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
  /** The source contains the name of one person. Without an owner it would be the folder above all of theirs. */
  readonly namesPerson: boolean
  /** A volume of one person. */
  readonly personal: boolean
  /** Becomes writable for the template's user. */
  readonly writableForUser: boolean
}

export function mountsOf(
  template: Template,
  owner: Person | undefined,
  instance: string,
): readonly Mount[] {
  const values = placeholderValues(template, owner, instance)
  const { home, volumes } = template.spec
  const all = [
    ...(home === undefined ? [] : [homeMount(home)]),
    ...volumes.map((mount) => ({ ...mount, isHome: false })),
  ]
  return all.map(({ kind, source, target, readOnly, isHome }) => {
    const name = render(source, values)
    const namesPerson = usesPlaceholder(source, 'user', 'workspace')
    const personal = kind === 'volume' && namesPerson
    return {
      kind,
      source: kind === 'shared' ? sharedVolumeName(instance, name) : name,
      target: render(target, values),
      readOnly,
      namesPerson,
      personal,
      // A home without an owner belongs to the application, which serves several people.
      writableForUser: !readOnly && (personal || (isHome && owner === undefined)),
    }
  })
}

export function homeVolume(
  template: Template,
  owner: Person | undefined,
  instance: string,
): string | undefined {
  const { home } = template.spec
  return home && render(home.volume, placeholderValues(template, owner, instance))
}

function homeMount({ path, volume }: { path: string; volume: string }) {
  return { kind: 'volume', source: volume, target: path, readOnly: false, isHome: true } as const
}

function sharedVolumeName(instance: string, id: string): string {
  return `${instance}-shared-${id}`
}

/** Root in a container keeps what it needs to change users and to serve, not what makes devices or raw packets. */
const droppedForRoot = ['AUDIT_WRITE', 'MKNOD', 'NET_RAW', 'SETFCAP', 'SETPCAP', 'SYS_CHROOT']

/** The options that follow from template and owner alone, which the hash covers. The host name is not one of them: a
 * standby keeps its host name after it is claimed. */
function hashedOptions(
  template: Template,
  owner: Person | undefined,
  instance: string,
): Docker.ContainerCreateOptions {
  const values = placeholderValues(template, owner, instance)
  const { spec } = template
  const entrypoint = spec.entrypoint?.map((word) => render(word, values))
  const healthcheck = healthcheckOf(spec)
  const command = spec.command.map((word) => render(word, values))
  const variables = Object.entries(spec.environment).sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    Image: spec.image,
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
    ...(command.length === 0 ? {} : { Cmd: command }),
    ...(spec.user === '' ? {} : { User: spec.user }),
    ...(template.ssh?.method === 'attach' ? { OpenStdin: true, Tty: true } : {}),
    ...(spec.stopSignal === '' ? {} : { StopSignal: spec.stopSignal }),
    StopTimeout: Math.ceil(spec.stopTimeoutMs / 1_000),
    ...(healthcheck === undefined ? {} : { Healthcheck: healthcheck }),
    Env: variables.map(([name, value]) => `${name}=${render(value, values)}`),
    HostConfig: {
      Init: spec.init,
      SecurityOpt: securityOptions(spec),
      ...(spec.capAdd.length === 0 ? {} : { CapAdd: [...spec.capAdd] }),
      ...(spec.runtime === '' ? {} : { Runtime: spec.runtime }),
      ...(spec.shmBytes === 0 ? {} : { ShmSize: spec.shmBytes }),
      ...memoryLimits(spec),
      ...(spec.cpus === 0 ? {} : { NanoCpus: Math.round(spec.cpus * 1e9) }),
      ...(spec.pids === 0 ? {} : { PidsLimit: spec.pids }),
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: spec.logging.driver, Config: { ...spec.logging.options } },
      ...devicesOf(spec),
      ...(spec.tmpfs.length === 0
        ? {}
        : {
            Tmpfs: Object.fromEntries(spec.tmpfs.map(({ target, options }) => [target, options])),
          }),
      ...(spec.ulimits.length === 0
        ? {}
        : {
            Ulimits: spec.ulimits.map(({ name, soft, hard }) => ({
              Name: name,
              Soft: soft,
              Hard: hard,
            })),
          }),
      ...(spec.extraHosts.length === 0 ? {} : { ExtraHosts: [...spec.extraHosts] }),
      Mounts: [
        ...mountsOf(template, owner, instance).map((mount) => ({
          Type: mount.kind === 'bind' ? ('bind' as const) : ('volume' as const),
          Source: mount.source,
          Target: mount.target,
          ReadOnly: mount.readOnly,
        })),
        ...(template.ssh === undefined ? [] : [toolsMount(instance)]),
      ],
    },
  }
}

const toolsMount = (instance: string) =>
  ({
    Type: 'volume',
    Source: toolsVolume(instance),
    Target: toolsFolder,
    ReadOnly: true,
  }) as const

/** The engine knows a CDI device by its name, which is a request of a driver of its own. */
function devicesOf({ devices, gpus }: TemplateSpec): Docker.HostConfig {
  const byPath = devices.filter(({ target }) => target !== '')
  const byName = devices.filter(({ target }) => target === '').map(({ source }) => source)
  const requests = [
    ...(byName.length === 0 ? [] : [{ Driver: 'cdi', DeviceIDs: byName }]),
    ...gpus.map(({ driver, count, ids, capabilities, options }) => ({
      ...(driver === '' ? {} : { Driver: driver }),
      ...(ids.length === 0 ? { Count: count } : { DeviceIDs: [...ids] }),
      Capabilities: [[...capabilities]],
      Options: { ...options },
    })),
  ]
  return {
    ...(byPath.length === 0
      ? {}
      : {
          Devices: byPath.map(({ source, target, permissions }) => ({
            PathOnHost: source,
            PathInContainer: target,
            CgroupPermissions: permissions,
          })),
        }),
    ...(requests.length === 0 ? {} : { DeviceRequests: requests }),
  }
}

function securityOptions({ securityOpt }: TemplateSpec): string[] {
  const decides = securityOpt.some((option) => option.startsWith('no-new-privileges'))
  return decides ? [...securityOpt] : ['no-new-privileges', ...securityOpt]
}

/** For the engine, 0 is as much swap again as memory, and -1 is no limit. */
function memoryLimits({ memoryBytes, memorySwapBytes }: TemplateSpec): Docker.HostConfig {
  if (memoryBytes === 0) return {}
  return { Memory: memoryBytes, MemorySwap: memorySwapBytes === 0 ? -1 : memorySwapBytes }
}

/** What a container gets only after it is made. */
function around({ spec: { secrets, networks, egress } }: Template) {
  return { secrets: secretsDigest(secrets), networks, egress }
}

/** @returns the hash of the options that a container would be created with now */
export function specHash(template: Template, owner: Person | undefined, instance: string): string {
  const options = hashedOptions(template, owner, instance)
  const text = JSON.stringify({ ...options, around: around(template) })
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

/** @returns each part of that with a hash of it */
export function specParts(template: Template, owner: Person | undefined, instance: string): string {
  const { HostConfig, ...options } = hashedOptions(template, owner, instance)
  return hashParts({ ...options, ...HostConfig, ...around(template) })
}

export interface ContainerOrder {
  readonly instance: string
  readonly workspace: WorkspaceName
  readonly template: Template
  readonly kind: WorkspaceKind
  /** Of a private workspace; `undefined` for the other kinds. */
  readonly owner: Person | undefined
  readonly network: string
  /** The image's user, which applies if the template names none. */
  readonly imageUser: string
  readonly hasHealthcheck: boolean
  /** Seconds since 1970. */
  readonly createdAt: number
}

export function containerOptions(order: ContainerOrder): Docker.ContainerCreateOptions {
  const { instance, workspace, template, owner, network } = order
  const options = hashedOptions(template, owner, instance)
  const user = template.spec.user === '' ? order.imageUser : template.spec.user
  return {
    ...options,
    Hostname: workspace,
    Labels: workspaceLabels(order),
    ...healthcheckOption(template, order.hasHealthcheck),
    HostConfig: {
      ...options.HostConfig,
      NetworkMode: network,
      CapDrop: isRoot(user) ? droppedForRoot : ['ALL'],
    },
    NetworkingConfig: {
      EndpointsConfig: { [network]: { Aliases: aliasesOf(workspace, owner?.subject) } },
    },
  }
}

/**
 * The second name in the engine's DNS, by which a director reaches the workspace of one subject and no other.
 *
 * @param subject absent if the workspace has no owner: then there is no second name
 */
export function aliasesOf(workspace: WorkspaceName, subject: string | undefined): string[] {
  return subject === undefined ? [] : [ownerAlias(workspace, subject)]
}

function isRoot(user: string): boolean {
  const [name = ''] = user.split(':')
  return name === '' || name === 'root' || /^0+$/.test(name)
}

function workspaceLabels(order: ContainerOrder): Record<string, string> {
  const { instance, workspace, template, owner, createdAt } = order
  return {
    [labels.instance]: instance,
    [labels.workspace]: workspace,
    [labels.kind]: order.kind,
    [labels.template]: template.name,
    ...ownerLabels(owner),
    ...contentsLabel(order),
    [labels.port]: String(template.spec.port),
    [labels.scheme]: template.spec.scheme,
    [labels.spec]: specHash(template, owner, instance),
    [labels.parts]: specParts(template, owner, instance),
    [labels.created]: new Date(createdAt * 1_000).toISOString(),
  }
}

function contentsLabel({ template, owner, instance }: ContainerOrder): Record<string, string> {
  const { secrets, networks } = template.spec
  const mounts = mountsOf(template, owner, instance)
  const contents = [
    ...(secrets.length === 0 ? [] : ['secrets']),
    ...(networks.length === 0 ? [] : ['networks']),
    // A volume of one person has labels of its own that tell.
    ...(mounts.some(
      ({ kind, writableForUser, personal }) => kind === 'shared' || (writableForUser && !personal),
    )
      ? ['volumes']
      : []),
  ]
  return contents.length === 0 ? {} : { [labels.contents]: contents.join(' ') }
}

function ownerLabels(owner: Person | undefined): Record<string, string> {
  if (owner === undefined) return {}
  const own = { [labels.user]: owner.name, [labels.subject]: owner.subject }
  return owner.email === undefined ? own : { ...own, [labels.email]: owner.email }
}

/** The test itself is the image's. With default times, the engine reports its health for the first time after 30 s. */
function healthcheckOption(
  { spec, policy }: Template,
  imageHasOne: boolean,
): Pick<Docker.ContainerCreateOptions, 'Healthcheck'> {
  const written = healthcheckOf(spec)
  if (written?.Test?.[0] === 'NONE') return { Healthcheck: written }
  if (written?.Test === undefined && !imageHasOne) return {}
  const quick = { StartPeriod: nanoseconds(policy.startTimeoutMs), StartInterval: nanoseconds(250) }
  return { Healthcheck: { ...quick, ...written } }
}

function healthcheckOf({ healthcheck }: TemplateSpec): Docker.HealthConfig | undefined {
  if (healthcheck === undefined) return undefined
  const { test, intervalMs, timeoutMs, retries, startPeriodMs, startIntervalMs } = healthcheck
  return {
    ...(test === undefined ? {} : { Test: [...test] }),
    ...(intervalMs === undefined ? {} : { Interval: nanoseconds(intervalMs) }),
    ...(timeoutMs === undefined ? {} : { Timeout: nanoseconds(timeoutMs) }),
    ...(retries === undefined ? {} : { Retries: retries }),
    ...(startPeriodMs === undefined ? {} : { StartPeriod: nanoseconds(startPeriodMs) }),
    ...(startIntervalMs === undefined ? {} : { StartInterval: nanoseconds(startIntervalMs) }),
  }
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6)
}
