// @ts-check
// The settings that the scripts themselves need. The environment has precedence over the file.
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseEnvironment } from './environment-file.mjs'
import { Failure } from './failure.mjs'

const GATEWAY_IMAGE = 'quay.io/oauth2-proxy/oauth2-proxy:v7.15.5'
const GATEWAYS = /** @type {const} */ (['oauth2-proxy', 'apache'])

/**
 * @typedef {typeof GATEWAYS[number]} Gateway
 * @typedef {object} ScriptSettings
 * @property {string} instance also the Compose project
 * @property {number} port
 * @property {number} idpPort
 * @property {number | undefined} apiPort of the API for scripts, if a token is set
 * @property {number | undefined} sshPort for SSH, if it is set and one director can publish it
 * @property {Gateway | undefined} gateway the requested one
 * @property {string} gatewayImage oauth2-proxy's
 * @property {string} environmentFile
 * @property {boolean} mayInstallEngine
 * @property {boolean} engineChosenElsewhere
 */

/**
 * The path of the environment file. Only the environment can set it.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export const environmentFilePath = (root, env) =>
  env['BERTH_ENV_FILE'] ? resolve(env['BERTH_ENV_FILE']) : join(root, '.env')

/**
 * A file that is there and cannot be read is not one without values: a command would act on the instance `berth` instead of its own.
 * @param {string} path
 * @returns {Promise<string | undefined>} `undefined` if there is none
 */
export const readEnvironmentFile = async (path) => {
  const text = await readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw new Failure(`${path} cannot be read: ${error.message}`, {
      help: 'Run this command as the user to whom the file belongs.',
    })
  })
  if (text?.includes('\0'))
    throw new Failure(`${path} is no text in UTF-8`, { help: 'Save it again in UTF-8.' })
  return text
}

/**
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export const loadSettings = async (root, env) => {
  const environmentFile = environmentFilePath(root, env)
  const text = (await readEnvironmentFile(environmentFile)) ?? ''
  return readSettings({ environmentFile, file: parseEnvironment(text), env })
}

/**
 * For commands that act on a deployment that is there: a misspelt BERTH_ENV_FILE must not lead them to another instance.
 * @param {string} root
 * @param {NodeJS.ProcessEnv} env
 */
export const loadPresentSettings = async (root, env) => {
  const { environmentFile, ...settings } = await loadSettings(root, env)
  if (env['BERTH_ENV_FILE'] && (await readEnvironmentFile(environmentFile)) === undefined)
    throw new Failure(`BERTH_ENV_FILE names ${environmentFile}, and there is no such file`)
  return { environmentFile, ...settings }
}

/**
 * @param {{ environmentFile: string, file: Record<string, string>, env: NodeJS.ProcessEnv }} sources
 * @returns {ScriptSettings}
 */
export const readSettings = ({ environmentFile, file, env }) => {
  /** @param {string} name */
  const value = (name) => env[name] || file[name] || ''
  const hasToken = value('API_TOKEN') !== '' || value('API_TOKEN_FILE') !== ''
  return {
    instance: readInstance(value('INSTANCE') || 'berth'),
    port: readPort('BERTH_PORT', value('BERTH_PORT') || '4180'),
    idpPort: readPort('IDP_PORT', value('IDP_PORT') || '4191'),
    apiPort: hasToken ? readPort('API_PORT', value('API_PORT') || '8082') : undefined,
    sshPort: readSshPort(value),
    gateway: readGateway(value('GATEWAY')),
    gatewayImage: value('GATEWAY_IMAGE') || GATEWAY_IMAGE,
    environmentFile,
    mayInstallEngine: value('BERTH_INSTALL_ENGINE') !== '0',
    engineChosenElsewhere: Boolean(env['DOCKER_HOST'] || env['DOCKER_CONTEXT']),
  }
}

/** @param {string} text */
const readInstance = (text) => {
  if (/^[a-z][a-z0-9-]{0,30}$/.test(text)) return text
  throw new Failure(`INSTANCE "${text}" is not a name`, {
    help: 'It takes lower-case letters, digits and hyphens, a letter first (example: INSTANCE=berth).',
  })
}

/**
 * @param {string} name
 * @param {string} text
 */
const readPort = (name, text) => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port > 0 && port < 65_536) return port
  throw new Failure(`${name} "${text}" is not a port`, { help: `Example: ${name}=4180` })
}

/** @param {(name: string) => string} value */
const readSshPort = (value) => {
  const isOneDirector = ['', '1'].includes(value('DIRECTORS'))
  return value('SSH_PORT') !== '' && isOneDirector
    ? readPort('SSH_PORT', value('SSH_PORT'))
    : undefined
}

/**
 * @param {string} text
 * @returns {Gateway | undefined}
 */
const readGateway = (text) => {
  if (text === '') return undefined
  const known = GATEWAYS.find((gateway) => gateway === text)
  if (known) return known
  throw new Failure(`GATEWAY "${text}" is not one of ${GATEWAYS.join(', ')}`)
}
