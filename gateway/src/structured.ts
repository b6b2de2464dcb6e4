// The structured configuration ("alpha") of oauth2-proxy: what its own variables say, and what they cannot say. Pure.
import { parse } from 'yaml'

type Environment = Readonly<Record<string, string | undefined>>
type Content = Record<string, unknown>

interface Header {
  readonly name: string
  readonly preserveRequestValue?: boolean
  readonly values?: readonly { readonly claimSource?: { readonly basicAuthPassword?: unknown } }[]
}

const passwordName = 'OAUTH2_PROXY_BASIC_AUTH_PASSWORD'

/**
 * @param converted what `--convert-config-to-alpha` prints
 * @returns JSON, which is YAML
 * @throws Error if a newer version prints something else than this knows
 */
export function structured(converted: string, env: Environment): string {
  const content: unknown = parse(converted)
  if (!isMap(content)) throw new Error('oauth2-proxy printed no map')
  const upstreams = content['upstreamConfig']
  if (!isMap(upstreams) || typeof upstreams['proxyRawPath'] !== 'boolean')
    throw new Error('oauth2-proxy printed no upstreamConfig.proxyRawPath')
  const headers = content['injectRequestHeaders']
  if (!isList(headers)) throw new Error('oauth2-proxy printed no injectRequestHeaders')
  const result = {
    ...content,
    // `/a%2F/b` and `/%2e%2e/` reach the director as they came. Otherwise they are redirected, and a POST loses its body.
    upstreamConfig: { ...upstreams, proxyRawPath: true },
    injectRequestHeaders: [
      ...headers.filter((header) => !provesByPassword(header)),
      // Without a value, a header is only removed. Only a proxy in front may say where a request came from, and its id:
      // what a client says would be believed.
      ...(isTrue(env['OAUTH2_PROXY_REVERSE_PROXY'])
        ? []
        : [set('X-Forwarded-For'), set('X-Request-Id')]),
      set('Berth-Gateway-Secret', ...(env[passwordName] ? [{ fromEnv: passwordName }] : [])),
    ],
  }
  // oauth2-proxy replaces `$NAME` in this text, and has no escape for `$5`. JSON has one.
  return JSON.stringify(result).replaceAll('$', '\\u0024')
}

/** It takes `Authorization` from the application. */
function provesByPassword({ name, values }: Header): boolean {
  const [value] = values ?? []
  return name === 'Authorization' && value?.claimSource?.basicAuthPassword !== undefined
}

function set(name: string, ...sources: readonly Content[]): Content {
  const values = sources.map((secretSource) => ({ secretSource }))
  return { name, preserveRequestValue: false, values }
}

/** As strconv.ParseBool of Go. */
function isTrue(text = ''): boolean {
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)
}

function isList(value: unknown): value is readonly Header[] {
  return Array.isArray(value) && value.every(isMap)
}

function isMap(value: unknown): value is Content {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
