// @ts-check
// What this machine needs to reach package registries: additional certificates and the settings of apt.
// The offline base images get the same, so that builds in them reach the same registries.
import { readdir } from 'node:fs/promises'
import { attempt } from './command.mjs'

const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt'
const LOCAL_CERTIFICATES = '/usr/local/share/ca-certificates'
/** Not in /etc/ssl/certs, where the installation of ca-certificates would overwrite it. */
export const CA_PATH_INSIDE = '/usr/local/share/host-ca.pem'
const CA_VARIABLES = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'PIP_CERT',
  'CURL_CA_BUNDLE',
  'npm_config_cafile',
]
const APT_SETTINGS = [
  'Acquire::Check-Valid-Until',
  'Acquire::Check-Date',
  'Acquire::http::Proxy',
  'Acquire::https::Proxy',
]

/**
 * The certificate bundle of this machine, if it contains more authorities than the distribution's.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} its path
 */
export const findOwnCaBundle = async (env) => {
  const named = env['NODE_EXTRA_CA_CERTS'] || env['SSL_CERT_FILE']
  if (named) return named
  const own = await readdir(LOCAL_CERTIFICATES).catch(() => /** @type {string[]} */ ([]))
  return own.some((name) => name.endsWith('.crt')) ? SYSTEM_BUNDLE : undefined
}

/** The variables that make programs in an image use the bundle. */
export const caEnvironment = () => CA_VARIABLES.map((name) => `${name}=${CA_PATH_INSIDE}`)

/**
 * The settings of apt on this machine that decide whether its mirror can be used.
 * @param {boolean} ownCa
 */
export const readAptSettings = async (ownCa) => {
  const { output } = await attempt('apt-config', ['dump', 'Acquire'], { timeoutMs: 10_000 })
  const lines = keepAptSettings(output)
  return ownCa ? [...lines, `Acquire::https::CAInfo "${CA_PATH_INSIDE}";`] : lines
}

/** @param {string} dump the output of `apt-config dump` */
export const keepAptSettings = (dump) =>
  dump
    .split('\n')
    .filter((line) =>
      APT_SETTINGS.some((key) => line.startsWith(`${key} `) && !line.endsWith('"";')),
    )
