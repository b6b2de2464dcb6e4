// The examination: gathers the facts, each within its deadline, and has them judged.
import { abortAfter } from '@berth/shared/deadline'
import type { SpawnerConfig } from '../config.ts'
import type { Template } from '../templates/template.ts'
import type {
  Asked,
  DataFolderFacts,
  EngineFacts,
  Gathered,
  HostFacts,
  ImageFacts,
  LimitFacts,
  NameFacts,
  NetworkFacts,
  Offered,
  PublishedPort,
  ServiceFacts,
  SocketFacts,
  TellsFromHost,
  WantedPort,
} from './facts.ts'
import { fault, judged, ok, type Finding } from './finding.ts'
import { judgeImage } from './images.ts'
import { knownSecrets } from './known-secrets.ts'
import {
  judgeClock,
  judgeDataFolder,
  judgeDisk,
  judgeEngine,
  judgeLimits,
  judgeMemory,
  judgeSocket,
  judgeStorage,
} from './machine.ts'
import { judgeNames, judgePool, judgePort } from './network.ts'
import {
  discoveryUrl,
  judgeEnvironmentFile,
  judgeGateway,
  judgeProvider,
  judgeSecrets,
  judgeService,
} from './sign-in.ts'

/** What the adapters learn. Each ends with the signal, and leaves nothing behind. */
export interface Examined {
  socket(signal: AbortSignal): Promise<SocketFacts>
  engine(signal: AbortSignal): Promise<EngineFacts>
  host(signal: AbortSignal): Promise<HostFacts>
  limits(signal: AbortSignal): Promise<LimitFacts>
  networks(signal: AbortSignal): Promise<NetworkFacts>
  names(signal: AbortSignal): Promise<NameFacts>
  services(signal: AbortSignal): Promise<readonly ServiceFacts[]>
  /** Asks from where the gateway is. */
  ask(urls: readonly string[], signal: AbortSignal): Promise<Asked>
  published(signal: AbortSignal): Promise<readonly PublishedPort[]>
  offered(config: SpawnerConfig, signal: AbortSignal): Promise<Offered>
  image(template: Template, signal: AbortSignal): Promise<ImageFacts>
  dataFolder(path: string): Promise<DataFolderFacts>
}

export interface Examination {
  /** `undefined`: the settings are so wrong that the engine is not known. */
  readonly subject: { readonly config: SpawnerConfig; readonly examined: Examined } | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** What is wrong with the settings, as `check` finds it. */
  readonly problems: readonly string[]
  readonly tellsFromHost: TellsFromHost
  readonly leastFreeBytes: number
}

const deadlineMs = 60_000
const gatewayUrl = 'http://gateway:4180/'
/** Of the providers of oauth2-proxy: those that have a discovery document. */
const withDiscovery = ['', 'oidc', 'keycloak-oidc', 'entra-id', 'google', 'adfs']

export async function examine(
  examination: Examination,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { problems, subject, tellsFromHost } = examination
  const settings = problems.map((problem) =>
    fault('settings', problem, 'correct it in .env or in TEMPLATES_FILE'),
  )
  const first = [
    ...(settings.length > 0 ? settings : [ok('settings', 'the settings are in order')]),
    ...judgeEnvironmentFile(tellsFromHost.environmentFile),
  ]
  const unreachable = (): readonly Finding[] =>
    judgeSecrets(knownSecrets(examination.env, [], tellsFromHost))
  if (subject === undefined) return [...first, ...unreachable()]
  const socket = await gathered(signal, (ends) => subject.examined.socket(ends))
  const answers = judged('socket', socket, judgeSocket)
  if (answers.some(({ status }) => status === 'fault'))
    return [...first, ...answers, ...unreachable()]
  return [...first, ...answers, ...(await examineEngine(examination, subject, signal))]
}

async function examineEngine(
  { env, tellsFromHost, leastFreeBytes }: Examination,
  { config, examined }: NonNullable<Examination['subject']>,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { settings } = config
  const issuer = env['OAUTH2_PROXY_OIDC_ISSUER_URL'] ?? ''
  const isKnown = withDiscovery.includes(env['OAUTH2_PROXY_PROVIDER'] ?? '')
  const urls = [gatewayUrl, ...(issuer === '' ? [] : [isKnown ? discoveryUrl(issuer) : issuer])]
  const gather = <T>(work: (ends: AbortSignal) => Promise<T>) => gathered(signal, work)
  const networks = () => gather((ends) => examined.networks(ends))
  // Routes are compared with the networks from before and after: workspaces come and go.
  const before = await networks()
  const host = await gather((ends) => examined.host(ends))
  const after = await networks()
  const [engine, limits, names, services, asked, published, data, offered] = await Promise.all([
    gather((ends) => examined.engine(ends)),
    gather((ends) => examined.limits(ends)),
    gather((ends) => examined.names(ends)),
    gather((ends) => examined.services(ends)),
    gather((ends) => examined.ask(urls, ends)),
    gather((ends) => examined.published(ends)),
    gather(() => examined.dataFolder(settings.DATA_DIR)),
    gather((ends) => examined.offered(config, ends)),
  ])
  const templates = 'value' in offered ? offered.value.templates : []
  const images = await Promise.all(
    templates.map((template) => gather((ends) => examined.image(template, ends))),
  )
  const { MAX_WORKSPACES: workspaces, NETWORK_SPARES: spares, MAX_MEMORY: boundBytes } = settings
  const largestBytes = Math.max(0, ...templates.map(({ spec }) => spec.memoryBytes))
  const known = both(engine, host)
  return [
    ...judged('engine', engine, (facts) => [
      judgeEngine(facts),
      judgeStorage(facts),
      judgeClock('the engine', facts.aheadMs),
    ]),
    ...judged('disk', host, ({ rooms }) => rooms.map((room) => judgeDisk(room, leastFreeBytes))),
    ...judged('records', data, judgeDataFolder),
    ...judged('memory', known, ([{ memoryBytes }, { availableMemoryBytes }]) =>
      judgeMemory(memoryBytes, availableMemoryBytes, { largestBytes, boundBytes, workspaces }),
    ),
    ...judged('limits', both(engine, limits), ([{ countsSwap }, facts]) =>
      judgeLimits(facts, countsSwap),
    ),
    ...judged('pool', both(both(engine, host), both(before, after)), (facts) => {
      const [[{ defaultPools }, { routes }], [earlier, latest]] = facts
      const devices = [...earlier.devices, ...latest.devices]
      const wanted = workspaces === 0 ? undefined : workspaces + spares
      return judgePool({ ...latest, devices, wanted, routes, defaultPools })
    }),
    ...judged('names', names, judgeNames),
    ...judged('ports', both(host, published), ([{ listening }, ports]) =>
      wantedPorts(env, issuer).map((wanted) => judgePort(wanted, listening, ports)),
    ),
    ...judged('services', services, (all) => all.map(judgeService)),
    ...judged('gateway', both(services, asked), ([all, { answers }]) =>
      judgeGateway(all, { answers }, gatewayUrl),
    ),
    ...(issuer === ''
      ? []
      : judged('provider', asked, (facts) => judgeProvider(issuer, facts, isKnown))),
    ...judged('secrets', services, (all) => judgeSecrets(knownSecrets(env, all, tellsFromHost))),
    ...judged('images', offered, ({ conflict }) => [
      ...(conflict === undefined
        ? []
        : [fault('pool', conflict, 'set NETWORK_POOL back, or stop these workspaces first')]),
      ...(templates.length === 0
        ? [fault('images', 'no template is offered', 'set CONTAINER_IMAGE or TEMPLATES_FILE')]
        : []),
    ]),
    ...images.flatMap((image) => judged('images', image, judgeImage)),
  ]
}

/** Never rejects, unless the whole examination is to end. */
async function gathered<T>(
  signal: AbortSignal,
  work: (ends: AbortSignal) => Promise<T>,
): Promise<Gathered<T>> {
  try {
    return { value: await work(AbortSignal.any([signal, abortAfter(deadlineMs)])) }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

function both<A, B>(one: Gathered<A>, other: Gathered<B>): Gathered<readonly [A, B]> {
  if ('failure' in one) return one
  return 'failure' in other ? other : { value: [one.value, other.value] }
}

/** The demo publishes its provider, too, and the profile `edge` its two ports. */
function wantedPorts(env: Examination['env'], issuer: string): readonly WantedPort[] {
  const named = (variable: string, usual: string): WantedPort => ({
    variable,
    port: Number(env[variable] || usual),
  })
  const isDemo = URL.canParse(issuer) && new URL(issuer).hostname === 'idp.localhost'
  const hasEdge = /(^|,)\s*edge\s*(,|$)/.test(env['COMPOSE_PROFILES'] ?? '')
  return [
    named('BERTH_PORT', '4180'),
    ...(isDemo ? [named('IDP_PORT', '4191')] : []),
    ...(hasEdge ? [named('EDGE_HTTP_PORT', '80'), named('EDGE_HTTPS_PORT', '443')] : []),
  ]
}
