// The spawner's settings: every variable that it reads, with its rule, its default and its description.
import {
  bound,
  internalSecret,
  listenPort,
  logLevel,
  networkPool,
  opsPort,
  portalUrl,
  publicUrl,
  signOutUrl,
  sshPort,
} from '@berth/shared/common-settings'
import { parseUserName } from '@berth/shared/names'
import {
  custom,
  durationThat,
  flag,
  integer,
  listOf,
  originUrl,
  pattern,
  port,
  text,
} from '@berth/shared/parse'
import {
  optional,
  optionalSecret,
  withDefault,
  type Settings,
  type Values,
} from '@berth/shared/settings'
import { parseSshAddress } from './ssh/ssh-address.ts'
import { hostFolder, imagePattern, size } from './templates/fields.ts'
import { templateSettings } from './templates/template-settings.ts'

const oneGroup = pattern(/^[^,]*$/, 'must be one group: the gateway separates groups by commas')
const instance = pattern(
  /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
  'must consist of lower-case letters, digits and single hyphens, and begin with a letter',
)

const webUrl = custom(
  (value) => (/^(https?:\/\/|mailto:)/.test(value) && URL.canParse(value) ? value : undefined),
  'must be a URL of http, https or mailto',
)

const sshAddress = custom(parseSshAddress, 'must be a host name, and a port if it is not 22')

const reconcileEvery = durationThat((ms) => ms >= 500 && ms <= 3_600_000, 'from 500ms to 1h')

/** No timer waits for it. */
const isYearsOrOff = (ms: number): boolean =>
  ms === 0 || (ms >= 3_600_000 && ms <= 3_660 * 86_400_000)
const keepHomes = durationThat(isYearsOrOff, 'from 1h to 3660d, or 0 to keep volumes forever')
const historyKeep = durationThat(isYearsOrOff, 'from 1h to 3660d, or 0 to keep no history')

const userName = custom(parseUserName, 'is not a user name')

const dockerHost = pattern(
  /^(unix:\/\/\/.+|(tcp|http|https|ssh):\/\/[^/]+\/?)$/,
  'must begin with unix://, tcp:// or ssh://',
)

/** In the order of the reference. */
export const spawnerSettings = {
  INTERNAL_SECRET: internalSecret,
  INSTANCE: withDefault(instance, 'berth', {
    doc: 'the name of this deployment; two deployments on one engine need different names and different prefixes',
  }),
  ...templateSettings,
  MAX_WORKSPACES: withDefault(bound, '100', {
    doc: 'how many workspaces may run at once; further people wait in a queue; 0 is no limit',
  }),
  MAX_WORKSPACES_PER_USER: withDefault(bound, '0', {
    doc: 'how many workspaces one person may run at once; 0 is no limit',
  }),
  MAX_GUESTS: withDefault(bound, '100', {
    doc: 'how many guests may have a workspace at once (docs/guests.md); further ones are refused; 0 is no limit',
  }),
  GUESTS_PER_ADDRESS: withDefault(bound, '10', {
    doc: 'how many of these guests may come from one address, or from one /64 network of IPv6; 0 is no limit',
  }),
  MAX_STARTING: withDefault(bound, '4', {
    doc: 'how many workspaces may be starting at once; 0 is no limit',
  }),
  MAX_QUEUE: withDefault(bound, '1000', {
    doc: 'how many people may wait in the queue; further people are refused; 0 is no limit',
  }),
  MAX_MEMORY: withDefault(size, '0', {
    doc: 'how much memory all workspaces together may use, counted by the memory limit that each container was made with; further people wait in a queue; 0 is no limit',
    example: '48g',
  }),
  EVICT_FROZEN: withDefault(flag, 'true', {
    doc: 'true: when a person waits for a place or for memory, the frozen workspace that was used least recently is stopped',
  }),
  TEMPLATES_FILE: optional(text, {
    doc: 'a file with templates, read again when it changes; its format is described in docs/templates.md',
    example: '/etc/berth/templates.yml',
  }),
  IMAGES_ALLOWED: optional(listOf(imagePattern), {
    doc: 'images that become templates by their own labels: names with tags, comma-separated; * stands for any characters except /; digests are refused; unset: none',
    example: 'registry.example.com/course/*,berth/hello',
  }),
  REGISTRY_CONFIG: optional(text, {
    doc: 'a Docker configuration (config.json) with the credentials of registries, read again for each pull; unset: none',
    example: '/etc/berth/config.json',
  }),
  BINDS_ALLOWED: optional(listOf(hostFolder), {
    doc: 'folders of the engine’s host that templates of TEMPLATES_FILE may mount, with everything below these folders; unset: none',
    example: '/srv/datasets',
  }),
  KEEP_HOMES: withDefault(keepHomes, '0', {
    doc: 'how long a person’s volumes are kept after their last use; 0 keeps them forever',
    example: '4320h',
  }),
  KEEP_HOMES_DRY_RUN: withDefault(flag, 'true', {
    doc: 'true: the log names the volumes that KEEP_HOMES would remove, and none is removed',
  }),
  API_TOKEN: optionalSecret({
    doc: 'the token that scripts send to API_PORT; unset: nothing listens on that port',
    example: 'the output of: openssl rand -hex 32',
  }),
  API_PORT: withDefault(port, '8082', { doc: 'the port of the API for scripts' }),
  WITH_USERS: withDefault(flag, 'true', {
    doc: 'false: a container that a script starts has no owner, and every signed-in person may use it',
  }),
  ADMIN_GROUP: withDefault(oneGroup, 'admins', {
    doc: 'the group whose members may use the administrator’s page of the portal',
  }),
  ADMIN_USERS: optional(listOf(userName), {
    doc: 'further people who may use the administrator’s page: user names as the gateway sends them, comma-separated; unset: none',
    example: 'ann,ben@example.com',
  }),
  ADMIN_OPEN_AS: withDefault(flag, 'false', {
    doc: 'true: an administrator can open a person’s workspace as that person, for 15 minutes; the person is told. It needs PORTAL_URL, and a wildcard host name below the portal’s (docs/administration.md)',
  }),
  SSH_PORT: sshPort,
  SSH_ADDRESS: optional(sshAddress, {
    doc: 'where people reach SSH, as the portal and the API tell them: a host name, and a port if it is not 22; unset: the host of PUBLIC_URL, and SSH_PORT',
    example: 'ssh.example.com:2222',
  }),
  SSH_KEY_FORGES: optional(listOf(originUrl), {
    doc: 'forges from which the portal fetches public keys that people have there, comma-separated: it asks for https://…/name.keys, and the spawner needs a way there; unset: none',
    example: 'https://github.com,https://gitlab.com',
  }),
  HISTORY_KEEP: withDefault(historyKeep, '720h', {
    doc: 'how long the history is kept: starts, stops, refusals, sign-ins and acts of administrators, with user names; 0 keeps none and removes what was kept',
  }),
  NETWORK_POOL: networkPool,
  NETWORK_SPARES: withDefault(integer(0, 64), '2', {
    doc: 'how many networks are created in advance, so that no start waits for one',
  }),
  RECONCILE_EVERY: withDefault(reconcileEvery, '10s', {
    doc: 'how often the spawner compares its state with an inventory of the engine',
  }),
  PUBLIC_URL: publicUrl,
  PORTAL_URL: portalUrl,
  SITE_TITLE: withDefault(text, 'Berth', { doc: 'the name of the site on the pages' }),
  SUPPORT_URL: optional(webUrl, {
    doc: 'the address where people find help; shown on the pages',
    example: 'mailto:help@example.com',
  }),
  SIGN_OUT_URL: signOutUrl,
  FRAME_ANCESTORS: withDefault(text, "'none'", {
    doc: 'which sites may show Berth’s pages in a frame, as in Content-Security-Policy',
    example: 'https://portal.example.com',
  }),
  DOCKER_HOST: withDefault(dockerHost, 'unix:///var/run/docker.sock', {
    doc: 'the address of the engine: unix://, tcp:// or ssh://',
    example: 'unix:///var/run/docker.sock',
  }),
  DATA_DIR: withDefault(text, '/data', {
    doc: 'a folder on a persistent volume, for the spawner’s records and the lock that lets only one spawner work at a time',
  }),
  LISTEN_PORT: listenPort('8081'),
  OPS_PORT: opsPort,
  LOG_LEVEL: logLevel,
} satisfies Settings

export type SpawnerSettings = Values<typeof spawnerSettings>
