// In which order and under which words the variables stand in `.env.example` and in the reference, and those
// variables that Compose, the gateway and the demo read. What the services read is in their own `config.ts`. Over 300
// lines: it is one list, in the order in which an administrator reads it.
import { directorSettings } from '@berth/shared/director-settings'
import type { Setting, Settings } from '@berth/shared/settings'
import { spawnerSettings } from '../spawner/src/settings.ts'

export interface Row {
  readonly name: string
  readonly doc: string
  readonly example: string
  /** Absent: there is none; what unset means is in the text. */
  readonly default?: string
  readonly secret: boolean
  readonly readBy: readonly Reader[]
}

type Reader = 'director' | 'spawner' | 'gateway' | 'compose' | 'demo'

export interface Section {
  readonly title: string
  readonly intro: string
  /** Stands without `#` in `.env.example`, with its example or empty. */
  readonly filledIn: 'by you' | 'with examples' | 'no'
  readonly rows: readonly Row[]
}

const services: Readonly<Record<'director' | 'spawner', Settings>> = {
  director: directorSettings,
  spawner: spawnerSettings,
}

/** Variables that no service of ours reads. */
export const furtherVariables: readonly Row[] = [
  {
    name: 'OAUTH2_PROXY_COOKIE_SECRET',
    doc: 'what the gateway encrypts its session cookie with: 16, 24 or 32 bytes, base64url',
    example: 'the output of: openssl rand -base64 32 | tr -- "+/" "-_"',
    secret: true,
    readBy: ['gateway'],
  },
  {
    name: 'OAUTH2_PROXY_OIDC_ISSUER_URL',
    doc: "your OpenID Connect provider's issuer URL",
    example: 'https://id.example.com/realms/people',
    secret: false,
    readBy: ['gateway', 'director'],
  },
  {
    name: 'OAUTH2_PROXY_CLIENT_ID',
    doc: 'the client that you registered there, with the redirect URI <PUBLIC_URL>/oauth2/callback and, for signing out, the post-logout redirect URI <PUBLIC_URL>/',
    example: 'berth',
    secret: false,
    readBy: ['gateway', 'director'],
  },
  {
    name: 'OAUTH2_PROXY_CLIENT_SECRET',
    doc: "that client's secret, as your provider gives it",
    example: '',
    secret: true,
    readBy: ['gateway'],
  },
  {
    name: 'OAUTH2_PROXY_COOKIE_SECURE',
    doc: 'true: the session cookie travels over https only; false only where no TLS is in front',
    example: 'true',
    default: 'true',
    secret: false,
    readBy: ['gateway'],
  },
  {
    name: 'CONTAINER_ENV_<NAME>',
    doc: "a variable <NAME> of the container's environment, as many as you like",
    example: 'UTC',
    secret: false,
    readBy: ['spawner'],
  },
  {
    name: 'TEMPLATES_FOLDER',
    doc: 'the folder of this machine that the spawner sees as /etc/berth: for TEMPLATES_FILE and the files that it names',
    example: '/srv/berth',
    default: './templates',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'BERTH_PORT',
    doc: 'the port of this machine, on 127.0.0.1, that the gateway answers on',
    example: '4180',
    default: '4180',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'OAUTH2_PROXY_REVERSE_PROXY',
    doc: 'true: a proxy in front of the gateway says by X-Forwarded-* where a request came from, and replaces what clients send there; false: the gateway drops the addresses that it receives there',
    example: 'true',
    default: 'false',
    secret: false,
    readBy: ['gateway'],
  },
  {
    name: 'SSH_PUBLISHED_ON',
    doc: 'the address of this machine on which docker-compose.ssh.yml publishes SSH_PORT',
    example: '192.0.2.1',
    default: '127.0.0.1',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'TCP_ADDRESS',
    doc: 'the address of this machine on which docker-compose.tcp.yml publishes the ports of TCP_PORTS',
    example: '192.0.2.1',
    default: '127.0.0.1',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'EDGE_HOSTS',
    doc: 'the host names that the profile edge serves with TLS, separated by commas; see docs/set-up.md',
    example: 'berth.example.com, portal.berth.example.com',
    default: 'localhost',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'EDGE_GUEST_HOSTS',
    doc: 'those of EDGE_HOSTS that lead to GUEST_PORT, separated by blanks; see docs/guests.md',
    example: 'try.berth.example.com',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'EDGE_TLS',
    doc: "where the profile edge has its certificates from: an e-mail address for Let's Encrypt, internal, or two files",
    example: 'admin@example.com',
    default: 'internal',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'EDGE_CERTIFICATES',
    doc: 'a folder of this machine that the profile edge finds as /certificates',
    example: '/etc/ssl/berth',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'EDGE_HTTP_PORT',
    doc: 'the port of this machine for http, which leads to https, in the profile edge',
    example: '8080',
    default: '80',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'EDGE_HTTPS_PORT',
    doc: 'the port of this machine for https in the profile edge',
    example: '8443',
    default: '443',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'BERTH_TAG',
    doc: "the tag of the images of Berth's services; with a tag for each version, the former images stay for a way back",
    example: '2026-11',
    default: 'latest',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'GATEWAY_IMAGE',
    doc: 'the image of oauth2-proxy that the gateway is built from, for a mirror or a newer version',
    example: 'registry.example.com/oauth2-proxy:v7.15.5',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'DIRECTORS',
    doc: 'how many directors run side by side; when one ends, the browsers of its people open their connections again',
    example: '2',
    default: '1',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'DOCKER_SOCKET',
    doc: "the engine's socket on this machine, which no service but the spawner gets",
    example: '/run/user/1000/docker.sock',
    default: '/var/run/docker.sock',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'GATEWAY',
    doc: 'which gateway npm start takes: oauth2-proxy or apache; unset: oauth2-proxy where its image can be had',
    example: 'apache',
    secret: false,
    readBy: ['demo'],
  },
  {
    name: 'BERTH_INSTALL_ENGINE',
    doc: '0 forbids npm start to install a container engine (from the environment only)',
    example: '0',
    default: '1',
    secret: false,
    readBy: ['demo'],
  },
  {
    name: 'BERTH_ENV_FILE',
    doc: 'another file than .env (from the environment only)',
    example: '/etc/berth/env',
    default: '.env',
    secret: false,
    readBy: ['compose'],
  },
  {
    name: 'IDP_PORT',
    doc: "the development identity provider's port",
    example: '4191',
    default: '4191',
    secret: false,
    readBy: ['demo'],
  },
  {
    name: 'IDP_PEOPLE',
    doc: 'further people who may sign in to the demo, comma-separated; the password of each is the name',
    example: 'dave,erin',
    secret: false,
    readBy: ['demo'],
  },
  {
    name: 'IDP_SHAPE',
    doc: 'whose scopes and claims the development identity provider has: demo, keycloak, entra, google, github, gitlab, okta, auth0, authentik or dex',
    example: 'google',
    default: 'demo',
    secret: false,
    readBy: ['demo'],
  },
]

interface Outline {
  readonly title: string
  readonly intro: string
  readonly filledIn: Section['filledIn']
  readonly names: readonly string[]
}

const outline: readonly Outline[] = [
  {
    title: 'Fill in these seven',
    intro:
      'For the demo, npm start fills in those that are empty, except PUBLIC_URL: the demo is on localhost.',
    filledIn: 'by you',
    names: [
      'INTERNAL_SECRET',
      'GATEWAY_SECRET',
      'OAUTH2_PROXY_COOKIE_SECRET',
      'OAUTH2_PROXY_OIDC_ISSUER_URL',
      'OAUTH2_PROXY_CLIENT_ID',
      'OAUTH2_PROXY_CLIENT_SECRET',
      'PUBLIC_URL',
    ],
  },
  {
    title: 'What people get',
    intro: 'JupyterLab, for example.',
    filledIn: 'with examples',
    names: [
      'CONTAINER_IMAGE',
      'CONTAINER_HOST_PREFIX',
      'CONTAINER_PORT',
      'CONTAINER_COMMAND',
      'CONTAINER_HOME',
      'CONTAINER_USER',
      'CONTAINER_BACKGROUND_REQUESTS',
    ],
  },
  {
    title: 'More about the container',
    intro:
      'CONTAINER_COMMAND, CONTAINER_ENV_*, CONTAINER_HOME* and CONTAINER_VOLUMES may contain placeholders: {user} (the user name made safe for names of containers and volumes), {workspace}, {template}, {instance}, {base_path} and {prefix}; and, except in homes and volumes, {username} (the user name as the gateway sends it), {email}, {host} and {origin} (the address in the browser). Write {{ for a brace.',
    filledIn: 'no',
    names: [
      'CONTAINER_ENV_<NAME>',
      'CONTAINER_TITLE',
      'CONTAINER_DESCRIPTION',
      'CONTAINER_HOSTS',
      'CONTAINER_OPEN',
      'CONTAINER_SCHEME',
      'CONTAINER_HOME_VOLUME',
      'CONTAINER_VOLUMES',
      'CONTAINER_MEMORY',
      'CONTAINER_CPUS',
      'CONTAINER_PIDS',
      'CONTAINER_INIT',
      'CONTAINER_EGRESS',
      'CONTAINER_PULL',
      'CONTAINER_READY_PATH',
      'CONTAINER_START_BY',
      'CONTAINER_START_TIMEOUT',
      'CONTAINER_STOP_SIGNAL',
      'CONTAINER_STOP_TIMEOUT',
      'CONTAINER_PASS_IDENTITY',
      'CONTAINER_PASS_TOKENS',
    ],
  },
  {
    title: 'Who, how many, for how long',
    intro: 'Write durations as 500ms, 15m, 1h30m and sizes as 512m, 2g; 0 is off.',
    filledIn: 'no',
    names: [
      'CONTAINER_ALLOWED_USERS',
      'CONTAINER_ALLOWED_GROUPS',
      'CONTAINER_ALLOWED_GUESTS',
      'MAX_WORKSPACES',
      'MAX_WORKSPACES_PER_USER',
      'MAX_STARTING',
      'MAX_QUEUE',
      'MAX_MEMORY',
      'EVICT_FROZEN',
      'CONTAINER_IDLE_FREEZE',
      'CONTAINER_IDLE_STOP',
      'CONTAINER_IDLE_REMOVE',
      'CONTAINER_CONNECTION_IDLE',
      'CONTAINER_ACTIVITY_PATH',
      'CONTAINER_BUSY_CPU',
      'CONTAINER_BUSY_AT_MOST',
      'CONTAINER_MAX_LIFETIME',
      'CONTAINER_EXTENSION',
      'CONTAINER_DRAIN_AFTER',
      'KEEP_HOMES',
      'KEEP_HOMES_DRY_RUN',
    ],
  },
  {
    title: 'Shared by several people, or ready beforehand',
    intro: '',
    filledIn: 'no',
    names: [
      'CONTAINER_SEATS',
      'CONTAINER_SEATS_TOTAL',
      'CONTAINER_SEAT_IDLE',
      'CONTAINER_SEAT_PERSISTS',
      'CONTAINER_STANDBY',
    ],
  },
  {
    title: 'More templates than one',
    intro:
      'Further templates come from a file and from labels of images. The CONTAINER_* variables are optional then.',
    filledIn: 'no',
    names: [
      'TEMPLATES_FILE',
      'TEMPLATES_FOLDER',
      'BINDS_ALLOWED',
      'IMAGES_ALLOWED',
      'REGISTRY_CONFIG',
    ],
  },
  {
    title: 'The API for scripts',
    intro: '',
    filledIn: 'no',
    names: ['API_TOKEN', 'API_PORT', 'WITH_USERS'],
  },
  {
    title: 'Addresses and pages',
    intro: '',
    filledIn: 'no',
    names: [
      'PORTAL_URL',
      'BERTH_PORT',
      'OAUTH2_PROXY_COOKIE_SECURE',
      'SITE_TITLE',
      'SUPPORT_URL',
      'SIGN_OUT_URL',
      'FRAME_ANCESTORS',
      'LOADING_PAGE_AFTER',
    ],
  },
  {
    title: 'Administrators',
    intro:
      'Who may use the administrator’s page of the portal, and what it remembers (docs/administration.md).',
    filledIn: 'no',
    names: ['ADMIN_GROUP', 'ADMIN_USERS', 'ADMIN_OPEN_AS', 'HISTORY_KEEP'],
  },
  {
    title: 'Requests and connections',
    intro: '',
    filledIn: 'no',
    names: [
      'REQUEST_WAIT_TIMEOUT',
      'WORKSPACE_TIMEOUT',
      'MAX_CONNECTIONS_PER_USER',
      'MAX_WEBSOCKETS_PER_USER',
      'CONNECTION_MAX_AGE',
    ],
  },
  {
    title: 'SSH',
    intro: 'People reach their workspaces by SSH, too (docs/ssh.md).',
    filledIn: 'no',
    names: [
      'SSH_PORT',
      'SSH_PUBLISHED_ON',
      'SSH_ADDRESS',
      'SSH_KEYS_FOLDER',
      'SSH_KEY_FORGES',
      'SSH_SIGN_IN_AGE',
      'SSH_ENVIRONMENT',
      'SSH_HOST_KEYS',
    ],
  },
  {
    title: 'TCP',
    intro: 'Services that are no website, such as databases, are reached by TCP (docs/tcp.md).',
    filledIn: 'no',
    names: [
      'TCP_PORTS',
      'TCP_ADDRESS',
      'PROXY_FROM',
      'TCP_CONNECTIONS',
      'TCP_CONNECTIONS_PER_ADDRESS',
    ],
  },
  {
    title: 'Guests',
    intro: 'People without a sign-in use the templates that allow them (docs/guests.md).',
    filledIn: 'no',
    names: [
      'GUEST_PORT',
      'GUEST_URL',
      'GUEST_PROXY_FROM',
      'GUEST_COOKIE_AGE',
      'GUEST_SECRET',
      'MAX_GUESTS',
      'GUESTS_PER_ADDRESS',
    ],
  },
  {
    title: 'The gateway',
    intro:
      'OAUTH2_PROXY_* variables set every other option of oauth2-proxy, as the documentation of oauth2-proxy says.',
    filledIn: 'no',
    names: [
      'IDENTITY_HEADER',
      'SUBJECT_HEADER',
      'SUBJECT_REQUIRED',
      'GROUPS_HEADER',
      'EMAIL_HEADER',
      'GATEWAY_COOKIES',
      'OAUTH2_PROXY_COOKIE_NAME',
      'OAUTH2_PROXY_REVERSE_PROXY',
      'GATEWAY_IMAGE',
      'EDGE_HOSTS',
      'EDGE_GUEST_HOSTS',
      'EDGE_TLS',
      'EDGE_CERTIFICATES',
      'EDGE_HTTP_PORT',
      'EDGE_HTTPS_PORT',
    ],
  },
  {
    title: 'The deployment',
    intro: '',
    filledIn: 'no',
    names: [
      'INSTANCE',
      'BERTH_TAG',
      'NETWORK_POOL',
      'NETWORK_SPARES',
      'RECONCILE_EVERY',
      'DIRECTORS',
      'DOCKER_SOCKET',
      'DOCKER_HOST',
      'DATA_DIR',
      'SPAWNER_HOST',
      'SPAWNER_PORT',
      'LISTEN_PORT',
      'OPS_PORT',
      'LOG_LEVEL',
    ],
  },
  {
    title: 'The demo only',
    intro: '',
    filledIn: 'no',
    names: [
      'IDP_PORT',
      'IDP_PEOPLE',
      'IDP_SHAPE',
      'GATEWAY',
      'BERTH_INSTALL_ENGINE',
      'BERTH_ENV_FILE',
    ],
  },
]

function rowOf(name: string): Row {
  const other = furtherVariables.find((row) => row.name === name)
  if (other !== undefined) return other
  const readers = (['director', 'spawner'] as const).filter((service) => name in services[service])
  const setting: Setting<unknown> | undefined = readers
    .map((service) => services[service][name])
    .find((found) => found !== undefined)
  if (setting === undefined) throw new Error(`${name} is in the outline, but nothing reads it`)
  const { doc, example, secret } = setting
  const shared = { name, doc, example, secret, readBy: readers }
  return setting.default === undefined ? shared : { ...shared, default: setting.default }
}

/** @throws Error for a variable that stands in no section, or in one but is read by nobody */
export function configurationSections(): readonly Section[] {
  const told = new Set(outline.flatMap((section) => section.names))
  const known = [
    ...Object.keys(directorSettings),
    ...Object.keys(spawnerSettings),
    ...furtherVariables.map((row) => row.name),
  ]
  const untold = known.filter((name) => !told.has(name))
  if (untold.length > 0) throw new Error(`in no section of the reference: ${untold.join(', ')}`)
  return outline.map(({ names, ...section }) => ({ ...section, rows: names.map(rowOf) }))
}
