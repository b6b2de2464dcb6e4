// Reads a template from the labels of an image: `berth.image.*`, else `orca.*`, else the default of Orca.
import { schemes } from '@berth/shared/contract'
import { parsePrefix } from '@berth/shared/names'
import { choice, port, type Parse } from '@berth/shared/parse'
import * as field from './fields.ts'
import { repositoryName } from './image-patterns.ts'
import {
  defaultConnectionIdleMs,
  defaultIdentity,
  defaultPolicy,
  defaults,
  defaultSpec,
  entranceFor,
} from './template-defaults.ts'
import type { Template, TemplateKind, TemplateLogin, TemplateRoute } from './template.ts'

export interface LabelledImage {
  /** `registry.example.com/team/app:1`, as the engine lists it. */
  readonly reference: string
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
}

export type ImageResult =
  | { readonly template: Template }
  /** Each complaint continues a sentence that begins with the image. */
  | { readonly complaints: readonly string[] }

const hour = 3_600_000

/** The values that Orca uses for missing labels, by the kind of image. */
const orcaDefaults = {
  web: { users: 0, persists: true },
  ssh: { users: 1, persists: false },
  tcp: { users: 0, persists: true },
} as const

/**
 * @param publicHost the host of PUBLIC_URL: the template gets the host `<name>.<publicHost>`. Without it, the template
 * gets the path `/<name>`
 * @returns `undefined` for an image that has no label of Berth or Orca
 */
export function templateFromImage(
  image: LabelledImage,
  publicHost: string | undefined,
): ImageResult | undefined {
  const known = Object.keys(image.labels).filter((name) => /^(berth\.image|orca)\./.test(name))
  if (known.length === 0) return undefined
  const complaints: string[] = []
  const read = createLabels(image.labels, complaints)

  const kind = read('kind', choice('web', 'ssh', 'tcp')) ?? 'web'
  const method = read('connection.method', choice('attach', 'exec', 'connect'))
  const called = read('name', field.words) ?? repositoryName(image.reference)
  const prefix = parsePrefix(
    called
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '')
      .slice(0, 20),
  )
  const home = read('home', field.homePath)
  const memory = read('memory', field.memory) ?? defaultSpec.memoryBytes
  const basePath = read('base_path', keptPath)
  const users = read('users.concurrent', people) ?? orcaDefaults[kind].users
  const total = read('users.total', people) ?? 0
  const scheme = read('scheme', choice(...schemes)) ?? defaultSpec.scheme
  const listensAt = read('port', port)
  const login = loginOf(method ?? (kind === 'ssh' ? defaults.sshMethod : undefined), {
    shell: read('ssh.shell', field.program),
    user: read('ssh.user', field.user),
    port: kind === 'ssh' ? listensAt : read('ssh.port', port),
  })
  const inactive = read('timeout.inactive', period) ?? hour / 4
  const template = {
    source: 'image' as const,
    kind,
    title: read('title', field.words) ?? called,
    description: read('description', field.words) ?? '',
    icon: read('icon', field.icon) ?? '',
    spec: {
      ...defaultSpec,
      image: image.reference,
      ...(kind === 'ssh' ? entranceFor(login.ssh) : { port: listensAt ?? 80, scheme }),
      command: read('command', field.command) ?? defaultSpec.command,
      ...(home === undefined ? {} : { home: { path: home, volume: defaults.homeVolume } }),
      memoryBytes: memory,
      memorySwapBytes: memory,
      cpus: read('cpus', field.cpus) ?? defaultSpec.cpus,
      readyPath: read('ready.path', field.urlPath) ?? defaultSpec.readyPath,
      stopSignal: read('container.stopsignal', field.signal) ?? '',
    },
    policy: {
      ...defaultPolicy,
      seats: users,
      // `users.concurrent=1` means a private workspace for each person here, so `users.total` has no effect.
      seatsTotal: users === 1 ? 0 : total,
      seatIdleMs: inactive,
      persistBetweenReconnects:
        read('container.persistBetweenReconnects', truth) ?? orcaDefaults[kind].persists,
      idleStopMs: inactive,
      idleRemoveMs: inactive === 0 ? 0 : Math.max(inactive, 24 * hour),
      drainAfterMs: read('timeout.session', period) ?? 24 * hour,
    },
    open: read('open', field.openPath) ?? '',
    passIdentity: defaultIdentity(users),
    passTokens: [],
    backgroundRequests: [],
    quietFrames: [],
    banner: false,
    connectionIdleMs: defaultConnectionIdleMs,
    weakened: [],
    ...login,
  }
  if (kind === 'tcp') complaints.push(tcpImage)
  if (method === 'connect' && 'complaint' in field.loginName(login.ssh?.user ?? ''))
    complaints.push(
      'needs the label berth.image.ssh.user, because its connection.method is connect: the user as whom sessions sign in at the SSH server in the container',
    )
  if (prefix === undefined)
    complaints.push(
      `has no name from which a prefix could be made: "${called}" (label berth.image.name)`,
    )
  if (prefix === undefined || complaints.length > 0) return { complaints }
  return {
    template: {
      ...template,
      name: prefix,
      prefix,
      route: wayIn(kind, prefix, basePath, publicHost),
    },
  }
}

function loginOf(
  method: TemplateLogin['method'] | undefined,
  read: {
    readonly shell: string | undefined
    readonly user: string | undefined
    readonly port: number | undefined
  },
): Pick<Template, 'ssh'> {
  const { shell = defaults.shell, user = '', port: listensAt = Number(defaults.sshPort) } = read
  if (method === undefined) return {}
  if (method === 'connect') return { ssh: { method, user, port: listensAt } }
  return { ssh: { method, shell, user } }
}

function wayIn(
  kind: TemplateKind,
  name: string,
  basePath: string | undefined,
  publicHost: string | undefined,
): TemplateRoute {
  if (kind === 'ssh') return { hosts: [] }
  if (basePath !== undefined) return { hosts: [], path: { prefix: basePath, strip: false } }
  if (publicHost !== undefined) return { hosts: [`${name}.${publicHost}`] }
  return { hosts: [], path: { prefix: `/${name}`, strip: true } }
}

const tcpImage =
  'is of kind tcp, and its labels cannot say who connects and on which port: describe it in TEMPLATES_FILE (docs/tcp.md)'

/** Reads a label: `berth.image.<name>` first, then `orca.<name>`. */
function createLabels(labels: LabelledImage['labels'], complaints: string[]) {
  return <T>(name: string, parse: Parse<T>): T | undefined => {
    const label = [`berth.image.${name}`, ...(isOrcas(name) ? [`orca.${name}`] : [])].find(
      (candidate) => (labels[candidate] ?? '') !== '',
    )
    if (label === undefined) return undefined
    const result = parse(labels[label] ?? '')
    if ('value' in result) return result.value
    complaints.push(`has the label ${label} "${labels[label] ?? ''}", which ${result.complaint}`)
    return undefined
  }
}

const orcas: ReadonlySet<string> = new Set([
  'kind',
  'name',
  'port',
  'timeout.session',
  'timeout.inactive',
  'users.total',
  'users.concurrent',
  'connection.method',
  'container.stopsignal',
  'container.persistBetweenReconnects',
])
const isOrcas = (name: string): boolean => orcas.has(name)

/** No limit is -1, as in Orca, or 0, as everywhere in Berth. */
const people: Parse<number> = (text) => (text.trim() === '-1' ? { value: 0 } : field.count(text))
const period: Parse<number> = (text) => (text.trim() === '-1' ? { value: 0 } : field.idleStep(text))

/** Accepts the same texts as strconv.ParseBool of Go. */
const truth: Parse<boolean> = (text) => {
  if (/^(1|t|true)$/i.test(text.trim())) return { value: true }
  if (/^(0|f|false)$/i.test(text.trim())) return { value: false }
  return { complaint: 'must be true or false' }
}

/** `/lab/` is the same as `/lab`. */
const keptPath: Parse<string> = (text) => field.routePath(text.replace(/(?<=.)\/$/, ''))
