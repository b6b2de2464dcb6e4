// Settings that both services read, so that their names, defaults and words are the same.
import { logLevels } from './log.ts'
import { parsePrefix } from './names.ts'
import { choice, custom, integer, originUrl, port } from './parse.ts'
import { optional, required, secret, withDefault } from './settings.ts'
import { parseSubnetPool } from './subnet-pool.ts'

export const internalSecret = secret({
  doc: 'what director and spawner know each other by; at least 16 characters',
  example: 'the output of: openssl rand -hex 32',
})

export const containerPrefix = required(
  custom(parsePrefix, 'must be a letter, then letters and digits, lower case, at most 20'),
  { doc: 'the first part of the names of people’s containers', example: 'lab' },
)

export const containerPort = required(port, {
  doc: 'the port that people’s containers listen on',
  example: '8888',
})

export const publicUrl = optional(originUrl, {
  doc: 'where people reach Berth; other host names are then refused',
  example: 'https://berth.example.com',
})

export const portalUrl = optional(originUrl, {
  doc: 'the address kept for a portal, which is still to come; no workspace is ever served on its host name',
  example: 'https://portal.berth.example.com',
})

export const opsPort = withDefault(port, '9090', {
  doc: 'where /healthz, /readyz and /metrics answer',
})

export const logLevel = withDefault(choice(...logLevels), 'info', {
  doc: `how much is logged: ${logLevels.join(', ')}`,
})

export const networkPool = withDefault(
  custom(parseSubnetPool, 'is not an IPv4 network of /8 to /24 such as 10.213.0.0/16'),
  '10.213.0.0/16',
  { doc: 'the addresses that workspaces get; nothing outside it is ever forwarded to' },
)

export const listenPort = (value: string) =>
  withDefault(port, value, { doc: 'the port that the service listens on' })

/** A bound on something counted; 0 is off. */
export const bound = integer(0, 1_000_000)
