// The director's settings: every variable it reads, once. What they bring about is elsewhere.
import {
  bound,
  containerPort,
  containerPrefix,
  internalSecret,
  listenPort,
  logLevel,
  networkPool,
  opsPort,
  portalUrl,
  publicUrl,
} from '@berth/shared/common-settings'
import { duration, flag, list, pattern, port } from '@berth/shared/parse'
import {
  optional,
  optionalSecret,
  orUnset,
  required,
  withDefault,
  type Values,
} from '@berth/shared/settings'

const headerName = pattern(/^[A-Za-z0-9-]+$/, 'is not a header name')
const cookieName = pattern(/^[!#$%&'+.^_`|~0-9A-Za-z-]+$/, 'is not the name of a cookie')
const hostName = pattern(/^[A-Za-z0-9._-]+$/, 'is not a host name')

export const directorSettings = {
  SPAWNER_HOST: required(hostName, { doc: 'where the spawner answers', example: 'spawner' }),
  SPAWNER_PORT: withDefault(port, '8081', { doc: "the port of the spawner's internal API" }),
  // Of the template of the environment, which is found by its name before the spawner was heard.
  CONTAINER_HOST_PREFIX: orUnset(containerPrefix),
  CONTAINER_PORT: orUnset(containerPort),
  LISTEN_PORT: listenPort('8080'),
  OPS_PORT: opsPort,
  INTERNAL_SECRET: internalSecret,
  GATEWAY_SECRET: optionalSecret({
    doc: 'what the gateway proves itself by; without it only the private network protects',
    example: 'the output of: openssl rand -hex 32',
  }),
  IDENTITY_HEADER: withDefault(headerName, 'X-Forwarded-Preferred-Username', {
    doc: 'the header in which the gateway gives the user name',
  }),
  SUBJECT_HEADER: withDefault(headerName, 'X-Forwarded-User', {
    doc: "the header in which the gateway gives the person's lasting identifier (OIDC sub)",
  }),
  SUBJECT_REQUIRED: withDefault(flag, 'true', {
    doc: 'whether a request without that header is refused; false: the gateway gives none. A home made without a subject stays shut for its owner once the gateway gives one',
  }),
  GROUPS_HEADER: withDefault(headerName, 'X-Forwarded-Groups', {
    doc: "the header in which the gateway gives the person's groups, comma-separated",
  }),
  EMAIL_HEADER: withDefault(headerName, 'X-Forwarded-Email', {
    doc: "the header in which the gateway gives the person's e-mail address",
  }),
  GATEWAY_COOKIES: withDefault(list, '_oauth2_proxy*', {
    doc: "the gateway's own cookies, kept from workspaces; * stands for any characters",
  }),
  OAUTH2_PROXY_COOKIE_NAME: optional(cookieName, {
    doc: 'the name of the session cookie of oauth2-proxy; the director keeps that cookie from workspaces',
    example: '_oauth2_proxy',
  }),
  PUBLIC_URL: publicUrl,
  PORTAL_URL: portalUrl,
  LOADING_PAGE_AFTER: withDefault(duration, '400ms', {
    doc: 'how long a person waits for a ready workspace before the loading page shows',
  }),
  REQUEST_WAIT_TIMEOUT: withDefault(duration, '120s', {
    doc: 'how long any other request is held for a workspace that is starting',
  }),
  MAX_CONNECTIONS_PER_USER: withDefault(bound, '512', {
    doc: 'requests and WebSockets of one person at once; 0 is off',
  }),
  MAX_WEBSOCKETS_PER_USER: withDefault(bound, '256', {
    doc: 'WebSockets of one person at once; 0 is off',
  }),
  WORKSPACE_TIMEOUT: withDefault(duration, '1h', {
    doc: 'how long a workspace may take to answer',
  }),
  NETWORK_POOL: networkPool,
  CONNECTION_MAX_AGE: withDefault(duration, '24h', {
    doc: 'a WebSocket is closed when it is this old, so that someone signed out is out; 0 is never',
  }),
  LOG_LEVEL: logLevel,
} as const

export type DirectorConfig = Values<typeof directorSettings>

/** What a valid configuration leaves open, for the log at start. */
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
