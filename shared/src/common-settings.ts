// Settings that both services read, with the same names, defaults and descriptions.
import { schemes } from './contract.ts'
import { logLevels } from './log.ts'
import { parsePrefix } from './names.ts'
import { choice, custom, integer, originUrl, port, text } from './parse.ts'
import { optional, required, secret, withDefault } from './settings.ts'
import { parseSubnetPool } from './subnet-pool.ts'

export const internalSecret = secret({
  doc: 'the secret by which director and spawner recognise each other; at least 16 characters',
  example: 'the output of: openssl rand -hex 32',
})

export const containerPrefix = required(
  custom(
    parsePrefix,
    'must be a lower-case letter, then lower-case letters and digits, at most 20 characters in all',
  ),
  { doc: 'the first part of the names of the workspaces’ containers', example: 'lab' },
)

export const containerPort = required(port, {
  doc: 'the port that the workspaces’ containers listen on',
  example: '8888',
})

export const containerScheme = withDefault(choice(...schemes), 'http', {
  doc: 'how the application speaks on that port: https for an image that speaks only HTTPS; its certificate is not verified',
})

export const publicUrl = optional(originUrl, {
  doc: 'the address where people reach Berth; requests to another host name are refused, unless a template names that host',
  example: 'https://berth.example.com',
})

export const portalUrl = optional(originUrl, {
  doc: 'the address of the portal, where people see, start and stop their workspaces; its host name must be another one than that of PUBLIC_URL, and no template may name it',
  example: 'https://portal.berth.example.com',
})

export const sshPort = optional(port, {
  doc: 'the port on which people reach their workspaces by SSH (docs/ssh.md); unset: the director does not listen for SSH',
  example: '2222',
})

export const signOutUrl = withDefault(text, '/.berth/sign-out', {
  doc: "where the pages' link for signing out leads. The default ends the session of the gateway, and that of the identity provider if its discovery document has an end_session_endpoint",
  example: '/oauth2/sign_out',
})

/** A page of a workspace could act on a portal with the same host name: cookies do not know ports. */
export function portalComplaint(settings: {
  readonly PUBLIC_URL: string | undefined
  readonly PORTAL_URL: string | undefined
}): string | undefined {
  const { PUBLIC_URL: site, PORTAL_URL: portal } = settings
  if (site === undefined || portal === undefined) return undefined
  if (new URL(site).hostname !== new URL(portal).hostname) return undefined
  return `PORTAL_URL ${portal} has the host name of PUBLIC_URL: the portal needs another host name, not only another port (example: PORTAL_URL=https://portal.berth.example.com)`
}

export const opsPort = withDefault(port, '9090', {
  doc: 'the port that serves /healthz, /readyz and /metrics',
})

export const logLevel = withDefault(choice(...logLevels), 'info', {
  doc: `the least severe level that is logged: ${logLevels.join(', ')}`,
})

export const networkPool = withDefault(
  custom(parseSubnetPool, 'must be an IPv4 network of /8 to /24, such as 10.213.0.0/16'),
  '10.213.0.0/16',
  {
    doc: 'the network whose addresses workspaces get; requests are never forwarded to an address outside it',
  },
)

export const listenPort = (value: string) =>
  withDefault(port, value, { doc: 'the port that the service listens on' })

/** The most of something that is counted; 0 is no limit. */
export const bound = integer(0, 1_000_000)
