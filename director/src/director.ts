// Builds a director from its settings and its surroundings, and disposes of its parts in reverse order.
import { randomBytes } from 'node:crypto'
import type { Clock } from '@berth/shared/clock'
import type { Route } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { createRegistry, startOpsServer } from '@berth/shared/ops-server'
import type { DirectorConfig } from '@berth/shared/director-settings'
import { createActivityChecks } from './probing/activity-check.ts'
import { createCommandStream } from './spawner/commands.ts'
import { createNameLookup, type ResolveName } from './spawner/name-lookup.ts'
import { createPassThrough } from './spawner/pass-through.ts'
import { createReadinessProbes } from './probing/readiness-probes.ts'
import { createRefusals } from './listener/refusals.ts'
import { createSeatRequests } from './spawner/seat-requests.ts'
import { createSpawner } from './spawner/client.ts'
import { createConnectionPools } from './forward/connection-pools.ts'
import { createUpgradeForwarder } from './forward/forward-upgrade.ts'
import { createGuestCookies, guestCookieNames } from './guests/guest-cookies.ts'
import { createGuestOfTcp } from './guests/guest-of-tcp.ts'
import { createGuestOriginOf } from './guests/guest-origin.ts'
import { createIdentifyGuest } from './guests/identify-guest.ts'
import { createWelcome } from './guests/welcome.ts'
import { createGatewayCookies, gatewayCookiePatterns } from './headers/gateway-cookies.ts'
import { createHeaderScrub } from './headers/scrub.ts'
import { createCheckOrigin } from './identity/check-origin.ts'
import { createCheckRequest } from './identity/check-request.ts'
import { createIdentify } from './identity/identify.ts'
import { createIdentifyRequest } from './identity/request-id.ts'
import { createActivityReporter } from './leases/activity-reporter.ts'
import { createLeaseTable } from './leases/lease-table.ts'
import { createUseLog } from './leases/use-log.ts'
import type { SetTimer } from '@berth/shared/timer'
import { createAccessLog } from './listener/access-log.ts'
import { createAdmit } from './listener/admission.ts'
import { createImpersonations } from './listener/impersonations.ts'
import { startListener, type Listener } from './listener/listener.ts'
import { createMetrics } from './listener/metrics.ts'
import { createRoutePorts } from './listener/route-ports.ts'
import { createPersonLimits } from './listener/person-limits.ts'
import { createServeRequest, type ServeDeps } from './listener/requests.ts'
import { createUpgrades, type Upgrades } from './listener/upgrades.ts'
import { createGlob } from './routing/glob.ts'
import { createPublicHost } from './routing/public-host.ts'
import { createRouteTable, isOfTheWeb } from './routing/route-table.ts'
import { createAuthenticate } from './ssh/authenticate.ts'
import { readClientKey, readHostKeys } from './ssh/host-keys.ts'
import { createKeysFolder } from './ssh/keys-folder.ts'
import { createForwarding } from './ssh/forward.ts'
import { createStartProcess } from './ssh/process.ts'
import { createReach } from './ssh/reach.ts'
import { createStartSession } from './ssh/server-session.ts'
import { createServerSignIn } from './ssh/server-sign-in.ts'
import { createServeSession } from './ssh/session.ts'
import { createSignInByBrowser } from './ssh/sign-in-by-browser.ts'
import { startSshListener, type SshListener } from './ssh/ssh-listener.ts'
import { createServeTcp } from './tcp/serve-tcp.ts'
import { createTcpConnections } from './tcp/tcp-connections.ts'
import { createTcpPorts } from './tcp/tcp-ports.ts'
import { createFindEndSession } from './sign-out/end-session.ts'
import { createServeClearCookies } from './sign-out/clear-cookies.ts'
import { createServeSignOut } from './sign-out/serve-sign-out.ts'

export interface Surroundings {
  /** The name of this host: the short id of the container. */
  readonly hostname: string
  readonly version: string
  readonly log: Log
  readonly clock: Clock
  readonly setTimer: SetTimer
  /** From 0 to 1. */
  readonly random: () => number
  readonly resolve: ResolveName
  /** For the identity provider only. */
  readonly fetch: typeof globalThis.fetch
}

export interface Director extends AsyncDisposable {
  readonly port: number
  readonly opsPort: number
  /** Absent without SSH_PORT. */
  readonly sshPort: number | undefined
  /** Absent without GUEST_PORT. */
  readonly guestPort: number | undefined
}

/** Resolves when the director listens. `/readyz` says whether it is ready. */
export async function startDirector(
  config: DirectorConfig,
  around: Surroundings,
): Promise<Director> {
  const { log, clock, setTimer } = around
  const pool = config.NETWORK_POOL
  const publicUrl = config.PUBLIC_URL
  const problemBase = config.PORTAL_URL ?? publicUrl
  const gateway = {
    secret: config.GATEWAY_SECRET,
    identityHeader: config.IDENTITY_HEADER,
    subjectHeader: config.SUBJECT_HEADER,
    groupsHeader: config.GROUPS_HEADER,
    emailHeader: config.EMAIL_HEADER,
    subjectRequired: config.SUBJECT_REQUIRED,
  }
  await using building = new AsyncDisposableStack()

  const registry = createRegistry('director', around.version)
  const metrics = createMetrics(registry)
  const refusals = createRefusals(problemBase, config.SIGN_OUT_URL, config.PORTAL_URL)
  const gatewayCookies = [...gatewayCookiePatterns(config), ...guestCookieNames]
  const ownCookies = createGatewayCookies(gatewayCookies)
  const headers = createHeaderScrub({ gateway, gatewayCookies, publicUrl })
  const spawner = building.use(
    createSpawner({
      origin: `http://${config.SPAWNER_HOST}:${config.SPAWNER_PORT}`,
      secret: config.INTERNAL_SECRET,
      director: around.hostname,
      log,
    }),
  )
  const pools = building.use(createConnectionPools())
  const table = createLeaseTable({
    clock,
    generationEnded(generation, how) {
      if (how === 'unused') pools.retire(generation)
      else void pools.destroy(generation)
    },
    granted: () => reporter.hurry(),
  })
  const reporter = building.use(
    createActivityReporter({ table, clock, setTimer, send: spawner.reportActivity }),
  )
  const seats = createSeatRequests({
    table,
    requestSeat: spawner.requestSeat,
    lookUp: createNameLookup({ resolve: around.resolve, pool, clock }),
    pool,
    problemBase,
    clock,
    setTimer,
    log,
  })

  const furtherPorts = [config.SSH_PORT, config.GUEST_PORT].filter((port) => port !== undefined)
  const takenPorts = [config.LISTEN_PORT, config.OPS_PORT, ...furtherPorts]
  const sites = { publicUrl, portalUrl: config.PORTAL_URL, takenPorts }
  const byName = routeByName(config)
  let routes = createRouteTable(byName === undefined ? [] : [byName], sites)
  let routesByTemplate: ReadonlyMap<string, Route> = new Map()
  const guestUrl = config.GUEST_URL
  const guestSites = { publicUrl: guestUrl, portalUrl: config.PORTAL_URL }
  let routesOfGuests = createRouteTable([], guestSites)
  const readinessProbes = building.use(
    createReadinessProbes({ clock, setTimer, pool, log, post: spawner.postProbeResult }),
  )
  const activityChecks = building.use(
    createActivityChecks({ clock, setTimer, pool, log, post: spawner.postActivityCheckResult }),
  )
  const closing = new AbortController()
  const uses = createUseLog(clock)
  const impersonations = building.use(createImpersonations(setTimer))
  const serving: ServeDeps = {
    admit: createAdmit({
      checkRequest: createCheckRequest(gateway, ownCookies),
      identify: createIdentify(gateway),
      publicHost: createPublicHost(publicUrl),
      checkOrigin: createCheckOrigin(publicUrl),
      checkRoutePortOrigin: createCheckOrigin(undefined),
      routes: () => routes,
      routesCurrent: () => commands.current(),
      portalUrl: config.PORTAL_URL,
      isImpersonationLive: impersonations.isLive,
    }),
    table,
    seats,
    pools,
    headers,
    passThrough: createPassThrough({ spawner, headers }),
    clearCookies: createServeClearCookies({ gatewayCookies: ownCookies, publicUrl }),
    signOut: createServeSignOut({
      findEndSession: createFindEndSession({
        issuer: config.OAUTH2_PROXY_OIDC_ISSUER_URL,
        fetch: around.fetch,
        log,
      }),
      gatewayCookies: ownCookies,
      clientId: config.OAUTH2_PROXY_CLIENT_ID,
      publicUrl,
    }),
    refusals,
    limits: createPersonLimits({
      maxConnections: config.MAX_CONNECTIONS_PER_USER,
      maxWebSockets: config.MAX_WEBSOCKETS_PER_USER,
    }),
    metrics,
    accessLog: createAccessLog({
      log,
      clock,
      metrics,
      identifyRequest: createIdentifyRequest(config.GATEWAY_SECRET),
    }),
    deadlines: {
      pageAfterMs: config.LOADING_PAGE_AFTER,
      waitMs: config.REQUEST_WAIT_TIMEOUT,
      answerMs: config.WORKSPACE_TIMEOUT,
    },
    uses,
    impersonations,
    clock,
    setTimer,
    closing: closing.signal,
  }
  const forwardUpgrade = createUpgradeForwarder()
  /** Those of each port. */
  const upgradesOfPorts = new Map<number, Upgrades>()
  /** @param deps of those who come to the port */
  function listenerFor(deps: ServeDeps) {
    const serveRequest = createServeRequest(deps)
    return (port: number, stopWaiting: () => void): Promise<Listener> => {
      const maxAgeMs = config.CONNECTION_MAX_AGE
      const upgrades = createUpgrades({ ...deps, forwardUpgrade, maxAgeMs })
      upgradesOfPorts.set(port, upgrades)
      return startListener({
        port,
        pool,
        serveRequest,
        upgrades,
        refusals: deps.refusals,
        setTimer,
        stopWaiting,
        log,
      })
    }
  }
  const listen = listenerFor(serving)
  const routePorts = building.use(
    createRoutePorts({ start: (port) => listen(port, () => undefined), log }),
  )

  const tcpConnections = createTcpConnections({
    most: config.TCP_CONNECTIONS,
    mostFromOne: config.TCP_CONNECTIONS_PER_ADDRESS,
    maxAgeMs: config.CONNECTION_MAX_AGE,
    setTimer,
  })
  const tcpPorts = building.use(
    createTcpPorts({
      range: config.TCP_PORTS,
      takenPorts,
      pool,
      connections: tcpConnections,
      serve: createServeTcp({
        ...serving,
        spawner,
        connections: tcpConnections,
        guestOf: createGuestOfTcp({ internalSecret: config.INTERNAL_SECRET, randomBytes }),
        edges: config.PROXY_FROM,
        signInAgeMs: config.SSH_SIGN_IN_AGE,
        waitMs: config.REQUEST_WAIT_TIMEOUT,
        log,
      }),
      log,
    }),
  )

  const commands = building.use(
    createCommandStream({
      open: spawner.openCommands,
      handlers: {
        routes(snapshot, groups) {
          const taken = snapshot.filter(({ listenPort = 0 }) => takenPorts.includes(listenPort))
          for (const { template, listenPort } of taken)
            log.error(
              { template, listenPort },
              'a route names a port that the director itself uses',
            )
          const ofTheWeb = snapshot.filter(isOfTheWeb)
          const ofGuests = ofTheWeb.filter(
            ({ guests, workspace }) => guests === true && workspace === undefined,
          )
          routesOfGuests = createRouteTable(ofGuests, guestSites)
          for (const { template } of config.GUEST_PORT === undefined ? ofGuests : [])
            log.error({ template }, 'a template allows guests, and GUEST_PORT is not set')
          const others = snapshot.filter((route) => !isOfTheWeb(route))
          routes = createRouteTable(ofTheWeb, sites, [
            ...(groups ?? []),
            ...others.flatMap((route) => route.groups ?? []),
          ])
          for (const { template, listenPort, workspace } of config.SSH_PORT ? [] : others)
            if (listenPort === undefined && workspace === undefined)
              log.error({ template }, 'a template is reached by SSH only, and SSH_PORT is not set')
          routesByTemplate = new Map(
            snapshot
              .filter(({ workspace }) => workspace === undefined)
              .map((route) => [route.template, route]),
          )
          impersonations.follow(snapshot)
          void routePorts.follow(routes.ports)
          void tcpPorts.follow(snapshot)
          // A restarted spawner with shorter idle steps does not know how long the leases held here last.
          void reporter.report()
          seats.spawnerReachable()
          log.info({ templates: snapshot.map(({ template }) => template) }, 'routes received')
        },
        probe: readinessProbes.send,
        ask: activityChecks.send,
        revoke({ generation, reason }) {
          table.revoke(generation, reason)
          for (const upgrades of upgradesOfPorts.values()) upgrades.closeGeneration(generation)
          tcpConnections.closeGeneration(generation)
        },
        use({ workspace, question }) {
          void spawner.postUseReport({ question, uses: [...uses.of(workspace)] }, closing.signal)
        },
      },
      setTimer,
      random: around.random,
      log,
    }),
  )
  let open = true
  const ops = building.use(
    await startOpsServer({
      port: config.OPS_PORT,
      registry,
      ready: () => open && commands.introduced(),
      refuseFrom: pool,
    }),
  )
  const listener = await listen(config.LISTEN_PORT, () => closing.abort())
  const listening: AsyncDisposable[] = [listener, routePorts, tcpPorts]
  building.defer(async () => {
    open = false
    await Promise.all(listening.map((each) => each[Symbol.asyncDispose]()))
  })
  const guests = await startGuests()
  if (guests !== undefined) listening.push(guests)
  const ssh = await startSsh()
  if (ssh !== undefined) building.use(ssh)

  /** No header tells who a guest is, and nothing of those who have signed in is there: no portal, no sign-out. */
  async function startGuests(): Promise<Listener | undefined> {
    if (config.GUEST_PORT === undefined) return undefined
    const address = guestUrl ?? publicUrl
    const cookies = createGuestCookies({
      secret: config.GUEST_SECRET,
      internalSecret: config.INTERNAL_SECRET,
      secure: address?.startsWith('https:') === true,
      maxAgeMs: config.GUEST_COOKIE_AGE,
      clock,
      randomBytes,
    })
    const proxies = config.GUEST_PROXY_FROM
    const originOf = createGuestOriginOf({ proxies, internalSecret: config.INTERNAL_SECRET })
    const headersOfGuests = createHeaderScrub({ gateway, gatewayCookies, publicUrl: address })
    const refusalsOfGuests = createRefusals(problemBase)
    const checkOrigin = createCheckOrigin(guestUrl)
    return listenerFor({
      ...serving,
      admit: createAdmit({
        checkRequest: createCheckRequest(gateway, ownCookies),
        identify: createIdentifyGuest({ cookies, proxies }),
        publicHost: createPublicHost(guestUrl),
        checkOrigin,
        checkRoutePortOrigin: checkOrigin,
        routes: () => routesOfGuests,
        routesCurrent: () => commands.current(),
        portalUrl: undefined,
        isImpersonationLive: () => false,
      }),
      headers: headersOfGuests,
      passThrough: createPassThrough({ spawner, headers: headersOfGuests }),
      clearCookies: createServeClearCookies({ gatewayCookies: ownCookies, publicUrl: address }),
      signOut: undefined,
      welcome: createWelcome({ cookies, originOf, refusals: refusalsOfGuests }),
      refusals: refusalsOfGuests,
    })(config.GUEST_PORT, () => undefined)
  }

  async function startSsh(): Promise<SshListener | undefined> {
    if (config.SSH_PORT === undefined) return undefined
    const names = config.SSH_ENVIRONMENT.map(createGlob)
    const reach = createReach({
      ...serving,
      spawner,
      routeOf: (template) => routesByTemplate.get(template),
      signInAgeMs: config.SSH_SIGN_IN_AGE,
      waitMs: config.REQUEST_WAIT_TIMEOUT,
    })
    const inContainer = createStartProcess({
      ...serving,
      spawner,
      director: around.hostname,
      log,
    })
    const key = await readClientKey(config.SSH_HOST_KEYS)
    const signIn = createServerSignIn({ ...serving, spawner, key, log })
    const startProcess = createStartSession({ ...serving, signIn, inContainer })
    return startSshListener({
      port: config.SSH_PORT,
      pool,
      hostKeys: await readHostKeys(config.SSH_HOST_KEYS),
      authenticate: createAuthenticate({
        readKeys: createKeysFolder({ folder: config.SSH_KEYS_FOLDER, log }),
        spawner,
        signInByBrowser:
          config.PORTAL_URL === undefined
            ? undefined
            : createSignInByBrowser({ spawner, setTimer }),
        clock,
        log,
      }),
      serveSession: createServeSession({ ...serving, reach, startProcess, log }),
      forwarding: createForwarding({ ...serving, reach, startProcess, log }),
      mayBeSet: (name) => names.some((matches) => matches(name)),
      maxAgeMs: config.CONNECTION_MAX_AGE,
      setTimer,
      log,
    })
  }

  const built = building.move()
  return {
    port: listener.port,
    sshPort: ssh?.port,
    guestPort: guests?.port,
    opsPort: ops.port,
    [Symbol.asyncDispose]: () => built.disposeAsync(),
  }
}

/** The route until the spawner's first snapshot, so that running workspaces can be reached without the spawner. */
function routeByName(config: DirectorConfig): Route | undefined {
  const { CONTAINER_HOST_PREFIX: prefix, CONTAINER_PORT: port, CONTAINER_SCHEME: scheme } = config
  if (prefix === undefined || port === undefined) return undefined
  return {
    template: prefix,
    prefix,
    port,
    scheme,
    hosts: [],
    shared: false,
    readyPath: '/',
    passIdentity: [],
    passTokens: [],
    backgroundRequests: [],
    connectionIdleMs: 60_000,
  }
}
