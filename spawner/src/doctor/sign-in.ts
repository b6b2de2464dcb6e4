// Verdicts about signing in: the provider, the gateway, and the secrets by which the services know each other. Pure.
import type { Secret } from '@berth/shared/secret'
import type { Asked, AskedUrl, KnownSecret, ServiceFacts, TellsFromHost } from './facts.ts'
import { fault, ok, warning, type Finding } from './finding.ts'
import { judgeClock } from './machine.ts'

/** A server writes the time of its answer without fractions of a second. */
const halfSecond = 500

export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

/** @param hasDiscovery the provider of the gateway is asked for its discovery document */
export function judgeProvider(
  issuer: string,
  { from, answers }: Asked,
  hasDiscovery: boolean,
): readonly Finding[] {
  const answer = answers.find(({ url }) => url === (hasDiscovery ? discoveryUrl(issuer) : issuer))
  const where = from === 'director' ? 'from the director' : 'from the network of the spawner'
  if (answer?.status === undefined)
    return [
      fault('provider', `${issuer} is not reached ${where}: ${wordsOf(answer)}`, cure(answer)),
    ]
  const clock = clockOf(answer)
  if (hasDiscovery && answer.status !== 200)
    return [
      fault(
        'provider',
        `${answer.url} answers with status ${answer.status}`,
        'OAUTH2_PROXY_OIDC_ISSUER_URL has to be the issuer, below which /.well-known/openid-configuration is',
      ),
      ...clock,
    ]
  if (hasDiscovery && answer.issuer !== issuer)
    return [
      fault(
        'provider',
        answer.issuer === undefined
          ? `${answer.url} is not a discovery document`
          : `${issuer} says that it is the issuer ${answer.issuer}`,
        'write OAUTH2_PROXY_OIDC_ISSUER_URL exactly as the provider says it, with or without a slash at the end',
      ),
      ...clock,
    ]
  return [ok('provider', `${issuer} answers ${where}`), ...clock]
}

function clockOf({ date, sentAt, receivedAt }: AskedUrl): readonly Finding[] {
  const theirs = date === undefined ? Number.NaN : Date.parse(date)
  if (Number.isNaN(theirs)) return []
  const aheadMs = theirs + halfSecond - (sentAt + receivedAt) / 2
  // The answer was made at any moment between, and tells its time in whole seconds.
  const unknownMs = halfSecond + (receivedAt - sentAt) / 2
  return [judgeClock('the provider', Math.abs(aheadMs) <= unknownMs ? 0 : aheadMs)]
}

function wordsOf(answer: AskedUrl | undefined): string {
  const { code = '', message = 'no answer' } = answer?.error ?? {}
  return code === '' || message.includes(code) ? message : `${message} (${code})`
}

function cure(answer: AskedUrl | undefined): string {
  const code = answer?.error?.code ?? ''
  if (/ENOTFOUND|EAI_AGAIN/.test(code))
    return 'see whether the name in OAUTH2_PROXY_OIDC_ISSUER_URL is right, and whether containers find it (DNS of the engine’s machine)'
  if (/CERT|SIGNATURE|ISSUER|ALTNAME/.test(code))
    return 'give gateway and director the certificate of its authority (docs/operations.md, "A provider with a private certificate authority"), or correct the clock'
  return 'see whether the provider runs, and whether a firewall lets containers reach it'
}

export function judgeGateway(
  services: readonly ServiceFacts[],
  asked: { readonly answers: readonly AskedUrl[] },
  url: string,
): Finding {
  const gateways = services.filter(({ role }) => role === 'gateway')
  if (services.every(({ running }) => !running))
    return ok('gateway', 'not asked, since the services do not run yet')
  if (!gateways.some(({ running }) => running))
    return fault(
      'gateway',
      'it does not run',
      'docker compose up -d --wait, then read docker compose logs --tail 20 gateway',
    )
  const answer = asked.answers.find((one) => one.url === url)
  const { status } = answer ?? {}
  if (status !== undefined && status < 500) return ok('gateway', `it answers (status ${status})`)
  return fault(
    'gateway',
    status === undefined ? `it is not reached: ${wordsOf(answer)}` : `it answers with ${status}`,
    'read docker compose logs --tail 20 gateway ("Nobody can sign in" in docs/operations.md explains the lines)',
  )
}

export function judgeService({ role, name, running, health }: ServiceFacts): Finding {
  if (running && (health === undefined || health === 'healthy'))
    return ok('services', `${name} runs`)
  const says = `${name} ${running ? `is ${health ?? ''}` : 'does not run'}`
  return fault('services', says, `read docker compose logs --tail 20 ${role}`)
}

/** The names under which the gateway has the secret that the director calls GATEWAY_SECRET. */
export const secretsOfServices: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gateway: {
    OAUTH2_PROXY_BASIC_AUTH_PASSWORD: 'GATEWAY_SECRET',
    GATEWAY_SECRET: 'GATEWAY_SECRET',
    OAUTH2_PROXY_COOKIE_SECRET: 'OAUTH2_PROXY_COOKIE_SECRET',
    OAUTH2_PROXY_CLIENT_SECRET: 'OAUTH2_PROXY_CLIENT_SECRET',
  },
  director: { GATEWAY_SECRET: 'GATEWAY_SECRET', INTERNAL_SECRET: 'INTERNAL_SECRET' },
  spawner: { INTERNAL_SECRET: 'INTERNAL_SECRET', API_TOKEN: 'API_TOKEN' },
}

/** Those that may be absent. */
const optionalSecrets = ['API_TOKEN', 'OAUTH2_PROXY_CLIENT_SECRET']
const order = [
  'INTERNAL_SECRET',
  'GATEWAY_SECRET',
  'OAUTH2_PROXY_COOKIE_SECRET',
  'OAUTH2_PROXY_CLIENT_SECRET',
  'API_TOKEN',
]
const shortest = 16

export function judgeSecrets(known: readonly KnownSecret[]): readonly Finding[] {
  return order.flatMap((name) => {
    const all = known.filter((one) => one.name === name)
    return all.length === 0 ? [] : [judgeSecret(name, all)]
  })
}

function judgeSecret(name: string, all: readonly KnownSecret[]): Finding {
  const set = all.filter((one) => one.secret !== undefined)
  const [first] = set
  const make = `${name}=$(openssl rand -hex 32) in .env, then docker compose up -d --wait`
  if (first?.secret === undefined) {
    if (all.some(({ inFile }) => inFile))
      return ok('secrets', `${name} comes from a file, which the doctor does not read`)
    if (optionalSecrets.includes(name)) return ok('secrets', `${name} is not set, and need not be`)
    return fault('secrets', `${name} is not set`, make)
  }
  const other = set.find(({ secret }) => secret?.matches(first.secret?.reveal() ?? '') === false)
  if (other !== undefined)
    return fault(
      'secrets',
      `${name} of ${first.where} is another one than that of ${other.where}`,
      'run docker compose up -d --wait, so that all services read the same .env',
    )
  const weak = weaknessOf(name, first.secret)
  if (weak !== undefined)
    return fault('secrets', `${name} ${weak}`, name.includes('COOKIE') ? cookieMake : make)
  const services = [...new Set(set.map(({ where }) => where))]
  return ok('secrets', `${name} is set (${services.join(', ')})`)
}

const cookieMake =
  'OAUTH2_PROXY_COOKIE_SECRET=$(openssl rand -base64 32 | tr -- "+/" "-_") in .env, then docker compose up -d --wait'
const placeholder = /change.?me|example|openssl|password|secret|^(test|demo|berth)/i

/** In words that do not tell the secret. */
function weaknessOf(name: string, secret: Secret): string | undefined {
  const text = secret.reveal()
  // The provider makes this one.
  const isTheirs = name === 'OAUTH2_PROXY_CLIENT_SECRET'
  if (placeholder.test(text)) return 'is a word for trying out, which others guess'
  if (isTheirs) return undefined
  if (text.length < shortest) return `has ${text.length} characters, fewer than ${shortest}`
  if (new Set(text).size < 6) return 'repeats few characters, which others guess'
  if (name !== 'OAUTH2_PROXY_COOKIE_SECRET') return undefined
  const sizes = [text.length, Buffer.from(text, 'base64url').length]
  return sizes.some((size) => [16, 24, 32].includes(size))
    ? undefined
    : 'is not 16, 24 or 32 bytes long'
}

export function judgeEnvironmentFile(file: TellsFromHost['environmentFile']): readonly Finding[] {
  if (file === undefined) return []
  const mode = (file.mode & 0o777).toString(8)
  if ((file.mode & 0o077) === 0) return [ok('secrets', `only its owner reads ${file.path}`)]
  return [
    warning('secrets', `others may read ${file.path} (mode ${mode})`, `chmod 600 ${file.path}`),
  ]
}
