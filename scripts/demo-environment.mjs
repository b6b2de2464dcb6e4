// @ts-check
// The values that the demo needs in its environment file: secrets, generated once, and the settings of the development
// identity provider and of JupyterLab. Present values are kept. No value is ever printed.
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { fillIn, setAll } from './environment-file.mjs'
import { readEnvironmentFile } from './settings.mjs'

const OWNER_ONLY = 0o600

/**
 * @typedef {(bytes: number) => Buffer} RandomBytes
 * @typedef {'made' | 'completed' | 'present'} EnvironmentState
 */

/**
 * @param {{ path: string, example: string, random: RandomBytes }} deps `path`: the environment file; `example`: the file that it is made from
 * @returns {Promise<EnvironmentState>}
 */
export const ensureDemoEnvironment = async ({ path, example, random }) => {
  const present = await readEnvironmentFile(path)
  const before = present ?? (await makeFrom(example))
  const { text, added } = fillIn(withoutOldDefaults(before), demoValues(random))
  if (present !== undefined && added.length === 0) {
    await chmod(path, OWNER_ONLY)
    return 'present'
  }
  // The file is replaced in one step: an interrupted start must leave neither half a file nor one that others can read.
  const next = `${path}.${process.pid}`
  await writeFile(next, text, { mode: OWNER_ONLY })
  await rename(next, path)
  return present === undefined ? 'made' : 'completed'
}

/**
 * @param {RandomBytes} random
 * @returns {Record<string, string>}
 */
export const demoValues = (random) => ({
  INTERNAL_SECRET: random(32).toString('hex'),
  GATEWAY_SECRET: random(32).toString('hex'),
  OAUTH2_PROXY_COOKIE_SECRET: random(32).toString('base64url'),
  OAUTH2_PROXY_CLIENT_ID: 'berth',
  OAUTH2_PROXY_CLIENT_SECRET: random(32).toString('hex'),
  // Compose fills in the port, so that setting IDP_PORT is enough to move the provider.
  OAUTH2_PROXY_OIDC_ISSUER_URL: 'http://idp.localhost:${IDP_PORT:-4191}',
  // The demo has no TLS. A real deployment has TLS and leaves this line out.
  OAUTH2_PROXY_COOKIE_SECURE: 'false',
  // The host name of the portal must not be that of a workspace.
  PORTAL_URL: 'http://portal.localhost:${BERTH_PORT:-4180}',
  // Published on 127.0.0.1.
  SSH_PORT: '2222',
  // A second template, in addition to the one that the environment describes.
  TEMPLATES_FOLDER: './demo/templates',
  TEMPLATES_FILE: '/etc/berth/templates.yml',
})

/**
 * The port was 4190 until browsers and fetch refused it. A file from that time contains 4190 as the default of IDP_PORT.
 * @param {string} text
 */
const withoutOldDefaults = (text) =>
  text.replace(
    /^(OAUTH2_PROXY_OIDC_ISSUER_URL=)http:\/\/idp\.localhost:\$\{IDP_PORT:-4190\}$/m,
    '$1',
  )

/** The template of the demo. It replaces the values that the example shows to administrators. */
const DEMO_TEMPLATE = {
  CONTAINER_IMAGE: 'berth/lab',
  CONTAINER_HOST_PREFIX: 'lab',
  CONTAINER_PORT: '8888',
  CONTAINER_COMMAND: undefined,
  CONTAINER_HOME: '/home/lab',
  CONTAINER_USER: '1000:1000',
  // A kernel that computes is not idle. An idle workspace freezes soon, and keeps its variables for an hour.
  CONTAINER_ACTIVITY_PATH: '/api/kernels',
  CONTAINER_IDLE_FREEZE: '10m',
  CONTAINER_IDLE_STOP: '1h',
}

/** @param {string} example */
const makeFrom = async (example) =>
  setAll((await readFile(example, 'utf8').catch(orUndefined)) ?? '', DEMO_TEMPLATE)

/** @param {NodeJS.ErrnoException} error */
const orUndefined = (error) => {
  if (error.code === 'ENOENT') return undefined
  throw error
}
