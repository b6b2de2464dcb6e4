// The director's settings: every variable that it reads. The spawner checks them too, before a director is replaced.
import {
  bound,
  containerPort,
  containerScheme,
  containerPrefix,
  internalSecret,
  listenPort,
  logLevel,
  networkPool,
  opsPort,
  portalUrl,
  publicUrl,
  signOutUrl,
  sshPort,
} from './common-settings.ts'
import { longestMs } from './contract.ts'
import { parseNetwork } from './networks.ts'
import {
  custom,
  duration,
  durationThat,
  flag,
  list,
  listOf,
  originUrl,
  pattern,
  port,
  portRange,
  someOf,
  text,
} from './parse.ts'
import {
  optional,
  optionalSecret,
  orUnset,
  required,
  withDefault,
  type Values,
} from './settings.ts'

const headerName = pattern(/^[A-Za-z0-9-]+$/, 'must be a header name: letters, digits and hyphens')
/** oauth2-proxy shortens the names of the parts of a session beyond 256 characters, and the director would not know them. */
const cookieName = pattern(
  /^[!#$%&'+.^_`|~0-9A-Za-z-]{1,200}$/,
  'must be the name of a cookie, of at most 200 letters, digits and such as _ or -',
)
const issuerUrl = pattern(/^https?:\/\/\S+$/, 'must be a URL that begins with https://')
const network = custom(parseNetwork, 'must be an address, or a network such as 192.0.2.0/24')
const hostName = pattern(/^[A-Za-z0-9._-]+$/, 'must be a host name')

/** No timer waits for them, so they may be longer than a timer can wait. */
const signInAge = durationThat((ms) => ms >= 60_000 && ms <= longestMs, 'from 1m to 366d')

const privateNetworks = '127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7'

export const directorSettings = {
  SPAWNER_HOST: required(hostName, { doc: 'the host name of the spawner', example: 'spawner' }),
  SPAWNER_PORT: withDefault(port, '8081', { doc: "the port of the spawner's internal API" }),
  // The template of the environment: before the first snapshot of routes, its workspaces are found by their names.
  CONTAINER_HOST_PREFIX: orUnset(containerPrefix),
  CONTAINER_PORT: orUnset(containerPort),
  CONTAINER_SCHEME: containerScheme,
  LISTEN_PORT: listenPort('8080'),
  OPS_PORT: opsPort,
  INTERNAL_SECRET: internalSecret,
  GATEWAY_SECRET: optionalSecret({
    doc: 'the secret that the gateway proves itself by; without it, only the private network protects the director',
    example: 'the output of: openssl rand -hex 32',
  }),
  IDENTITY_HEADER: withDefault(headerName, 'X-Forwarded-Preferred-Username', {
    doc: 'the header in which the gateway sends the user name',
  }),
  SUBJECT_HEADER: withDefault(headerName, 'X-Forwarded-User', {
    doc: "the header in which the gateway sends the person's lasting identifier (OIDC sub)",
  }),
  SUBJECT_REQUIRED: withDefault(flag, 'true', {
    doc: 'whether a request without the header of SUBJECT_HEADER is refused; false: for a gateway that sends none. A home that was created without a subject stays closed to its owner once the gateway sends one',
  }),
  GROUPS_HEADER: withDefault(headerName, 'X-Forwarded-Groups', {
    doc: "the header in which the gateway sends the person's groups, separated by commas",
  }),
  EMAIL_HEADER: withDefault(headerName, 'X-Forwarded-Email', {
    doc: "the header in which the gateway sends the person's e-mail address",
  }),
  GATEWAY_COOKIES: withDefault(someOf(text), '_oauth2_proxy*', {
    doc: "the names of the gateway's own cookies, which no workspace sees; * stands for any characters",
  }),
  OAUTH2_PROXY_COOKIE_NAME: optional(cookieName, {
    doc: 'the name of the session cookie of oauth2-proxy; the director keeps that cookie from workspaces',
    example: '_oauth2_proxy',
  }),
  // The gateway's own settings: the director asks the provider where it signs people out.
  OAUTH2_PROXY_OIDC_ISSUER_URL: optional(issuerUrl, {
    doc: "your OpenID Connect provider's issuer URL",
    example: 'https://id.example.com/realms/people',
  }),
  OAUTH2_PROXY_CLIENT_ID: optional(text, {
    doc: 'the client that you registered there, which asks the provider to sign a person out',
    example: 'berth',
  }),
  SIGN_OUT_URL: signOutUrl,
  PUBLIC_URL: publicUrl,
  PORTAL_URL: portalUrl,
  LOADING_PAGE_AFTER: withDefault(duration, '400ms', {
    doc: 'how long a page request waits for the workspace before the person sees the loading page',
  }),
  REQUEST_WAIT_TIMEOUT: withDefault(duration, '120s', {
    doc: 'how long any other request waits for a workspace that is starting',
  }),
  MAX_CONNECTIONS_PER_USER: withDefault(bound, '512', {
    doc: 'the most requests and WebSockets of one person at once; 0 is no limit',
  }),
  MAX_WEBSOCKETS_PER_USER: withDefault(bound, '256', {
    doc: 'the most WebSockets of one person at once; 0 is no limit',
  }),
  WORKSPACE_TIMEOUT: withDefault(duration, '1h', {
    doc: 'how long a workspace may take to answer a request; 0 is no limit',
  }),
  NETWORK_POOL: networkPool,
  CONNECTION_MAX_AGE: withDefault(duration, '24h', {
    doc: 'the age at which a WebSocket is closed, so that a person who has signed out loses access; 0 is never',
  }),
  SSH_PORT: sshPort,
  SSH_HOST_KEYS: withDefault(text, '/ssh-host-keys', {
    doc: 'a folder on a persistent volume that all directors share, for the keys of this host, which are made at the first start',
  }),
  SSH_KEYS_FOLDER: optional(text, {
    doc: 'a folder with one file for each person, named by the user name, with the keys that the person may sign in with (the format is that of authorized_keys); unset: people sign in with keys that they have registered on the portal, or in a browser',
    example: '/etc/berth/ssh-keys',
  }),
  SSH_SIGN_IN_AGE: withDefault(signInAge, '30d', {
    doc: 'how long after their last sign-in on the web a person may sign in by SSH; their groups are those of that sign-in',
  }),
  SSH_ENVIRONMENT: withDefault(list, 'LANG,LC_*,TERM,GIT_PROTOCOL', {
    doc: 'the variables that an SSH client may set in its session; * stands for any characters',
  }),
  TCP_PORTS: optional(portRange, {
    doc: 'the port, or the range of ports, on which templates of the kind tcp may be reached (docs/tcp.md); docker-compose.tcp.yml publishes them; unset: none is',
    example: '15000-15010',
  }),
  TCP_CONNECTIONS: withDefault(bound, '4096', {
    doc: 'the most TCP connections of one director at once; 0 is no limit',
  }),
  TCP_CONNECTIONS_PER_ADDRESS: withDefault(bound, '512', {
    doc: 'the most TCP connections from one address at once; 0 is no limit. A published port of Docker may show all clients with one address',
  }),
  PROXY_FROM: withDefault(listOf(network), '', {
    doc: 'the networks of the proxies in front of the TCP ports, separated by commas: each connection from there has to begin with a header of the PROXY protocol (version 1 or 2), which tells the address of the client. From elsewhere no such header is read',
  }),
  GUEST_PORT: optional(port, {
    doc: 'the port on which guests, people without a sign-in, reach the templates that allow them (docs/guests.md); only the proxy in front may reach it; unset: there are no guests',
    example: '8083',
  }),
  GUEST_URL: optional(originUrl, {
    doc: 'the address where guests reach Berth; unset: every host name that the proxy sends to GUEST_PORT, with the scheme of PUBLIC_URL',
    example: 'https://try.berth.example.com',
  }),
  GUEST_SECRET: optionalSecret({
    doc: 'the secret that signs the cookies of guests; a new one ends all guests; unset: it is derived from INTERNAL_SECRET',
    example: 'the output of: openssl rand -hex 32',
  }),
  GUEST_COOKIE_AGE: withDefault(signInAge, '7d', {
    doc: 'how long a guest is the same guest; after that the same browser begins as a new one',
  }),
  GUEST_PROXY_FROM: withDefault(listOf(network), privateNetworks, {
    doc: 'the networks of the proxies in front of GUEST_PORT, separated by commas: the last address of their X-Forwarded-For is that of the guest',
  }),
  LOG_LEVEL: logLevel,
} as const

export type DirectorConfig = Values<typeof directorSettings>

/** Warnings about a valid configuration, for the log at start. */
export function warningsAbout(
  config: DirectorConfig,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const warnings: string[] = []
  if (config.GATEWAY_SECRET === undefined)
    warnings.push(
      'GATEWAY_SECRET is not set: the director takes every client that reaches this port for the gateway',
    )
  // The director reads no file of the gateway and sees none of its command line.
  if (!env['GATEWAY_COOKIES'] && config.OAUTH2_PROXY_COOKIE_NAME === undefined)
    warnings.push(
      `neither GATEWAY_COOKIES nor OAUTH2_PROXY_COOKIE_NAME is set: the director keeps the cookies ${config.GATEWAY_COOKIES.join(', ')} from workspaces, and if the gateway uses other names, applications see the session of each person`,
    )
  return warnings
}
