// @ts-check
// What the doctor in the spawner's container cannot know: the secrets of other services, ports, and the environment file.
import { parseEnvironment } from './environment-file.mjs'

const SECRETS = [
  'INTERNAL_SECRET',
  'GATEWAY_SECRET',
  'OAUTH2_PROXY_COOKIE_SECRET',
  'OAUTH2_PROXY_CLIENT_SECRET',
  'API_TOKEN',
]

/**
 * @param {object} sources
 * @param {string} sources.text of the environment file
 * @param {NodeJS.ProcessEnv} sources.env has precedence over the file, as for Compose
 * @param {{ path: string, mode: number }} sources.environmentFile
 * @param {{ port: number, idpPort: number }} sources.settings
 */
export const tellsOf = ({ text, env, environmentFile, settings }) => {
  const file = parseEnvironment(text)
  const names = SECRETS.flatMap((name) => [name, `${name}_FILE`])
  return {
    secrets: Object.fromEntries(names.map((name) => [name, env[name] || file[name] || ''])),
    ports: { BERTH_PORT: String(settings.port), IDP_PORT: String(settings.idpPort) },
    environmentFile,
  }
}
