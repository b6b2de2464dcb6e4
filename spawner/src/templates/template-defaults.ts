// The values of the fields that a template does not set. Each default is written once, as a text: the variables, the
// templates file, the reference of both and the labels of images use it.
import { identityFields } from '@berth/shared/contract'
import { parseDuration } from '@berth/shared/duration'
import { parseSize } from '@berth/shared/size'
import type { IdentityField, Template, TemplatePolicy, TemplateSpec } from './template.ts'
import { unlimitedPolicy } from './unlimited-policy.ts'

export const defaults = {
  pull: 'missing',
  scheme: 'http',
  homeVolume: '{instance}-{user}-home',
  memory: '2g',
  cpus: '1',
  pids: '512',
  init: 'true',
  egress: 'internet',
  readyPath: '/',
  startsBy: 'visit',
  startTimeout: '120s',
  stopTimeout: '10s',
  idleFreeze: '0',
  idleStop: '15m',
  idleRemove: '24h',
  connectionIdle: '1m',
  busyCpu: '0',
  busyAtMost: '24h',
  maxLifetime: '0',
  extension: '0',
  drainAfter: '0',
  seats: '1',
  seatsTotal: '0',
  seatIdle: '15m',
  seatPersists: 'true',
  standby: '0',
  guests: 'false',
  seatsBy: 'address',
  shell: '/bin/sh',
  /** Of the kind ssh. */
  sshMethod: 'attach',
  sshPort: '22',
} as const

export const defaultSpec: Omit<TemplateSpec, 'image' | 'port'> = {
  pull: defaults.pull,
  scheme: defaults.scheme,
  command: [],
  environment: {},
  volumes: [],
  user: '',
  memoryBytes: bytes(defaults.memory),
  memorySwapBytes: bytes(defaults.memory),
  shmBytes: 0,
  cpus: Number(defaults.cpus),
  pids: Number(defaults.pids),
  secrets: [],
  networks: [],
  init: defaults.init === 'true',
  capAdd: [],
  securityOpt: [],
  devices: [],
  gpus: [],
  tmpfs: [],
  ulimits: [],
  extraHosts: [],
  logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '2' } },
  runtime: '',
  egress: defaults.egress,
  readyPath: defaults.readyPath,
  stopSignal: '',
  stopTimeoutMs: ms(defaults.stopTimeout),
}

export const defaultPolicy: TemplatePolicy = {
  ...unlimitedPolicy,
  seats: Number(defaults.seats),
  seatsTotal: Number(defaults.seatsTotal),
  seatIdleMs: ms(defaults.seatIdle),
  persistBetweenReconnects: defaults.seatPersists === 'true',
  idleFreezeMs: ms(defaults.idleFreeze),
  idleStopMs: ms(defaults.idleStop),
  idleRemoveMs: ms(defaults.idleRemove),
  maxLifetimeMs: ms(defaults.maxLifetime),
  drainAfterMs: ms(defaults.drainAfter),
  extensionMs: ms(defaults.extension),
  startTimeoutMs: ms(defaults.startTimeout),
  startsBy: defaults.startsBy,
  standby: Number(defaults.standby),
  busyCpuPercent: Number(defaults.busyCpu),
  busyAtMostMs: ms(defaults.busyAtMost),
}

export const defaultConnectionIdleMs = ms(defaults.connectionIdle)

/** Where a template of the kind ssh has to listen. */
export function entranceFor(login: Template['ssh']): Pick<TemplateSpec, 'port' | 'scheme'> {
  if (login?.method === 'connect') return { port: login.port, scheme: 'tcp' }
  return { port: Number(defaults.sshPort), scheme: 'none' }
}

/** An application that several people share needs the identity headers to tell these people apart. */
export function defaultIdentity(seats: number): readonly IdentityField[] {
  return seats === 1 ? [] : identityFields
}

function ms(text: string): number {
  return parsed(text, parseDuration)
}

function bytes(text: string): number {
  return parsed(text, parseSize)
}

function parsed(text: string, parse: (text: string) => number | undefined): number {
  const value = parse(text)
  if (value === undefined) throw new TypeError(`"${text}" is not a valid default`)
  return value
}
