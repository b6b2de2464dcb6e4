// The portal with the administrator's pages on a loopback port, over a real loop with a test engine and a test clock.
// `admin` is in the group of administrators, other people are in none.
import type { AuditEntry } from '../../audit.ts'
import { internalPaths, type SeatRequest } from '@berth/shared/contract'
import { createLog } from '@berth/shared/log'
import { createHouse } from '../../house.ts'
import { createOrders } from '../../orders.ts'
import { createImpersonations, type Impersonations } from '../../impersonations.ts'
import type { State } from '../../policy/domain.ts'
import { createMemoryStore } from '../../loop/testing/memory-store.ts'
import { createDisk } from '../../loop/disk.ts'
import { createUsage } from '../../loop/usage.ts'
import type { SignIns } from '../../loop/sign-ins.ts'
import type { HistoryReader } from '../../history/history.ts'
import { startTestLoop } from '../../loop/testing/test-loop.ts'
import { aliceHeaders, serveWeb, type Ask } from './server.ts'

export const portalUrl = 'http://portal.localhost:4180'
/** What a browser sends with a request of the portal's own page. */
export const here = { origin: portalUrl, 'sec-fetch-site': 'same-origin' }

export async function startAdmin(
  options: Parameters<typeof startTestLoop>[0] & {
    readonly kept?: HistoryReader
    /** As with ADMIN_OPEN_AS. */
    readonly opensAs?: boolean
  } = {},
) {
  await using stack = new AsyncDisposableStack()
  // The loop brings the clock that the impersonations need.
  let impersonations: Impersonations | undefined
  const workspaceRoutes = (state: State) => impersonations?.routes(state) ?? []
  const loop = stack.use(await startTestLoop({ ...options, workspaceRoutes }))
  loop.director()
  const audited: AuditEntry[] = []
  const { engine, time, workspaces } = loop
  const usage = stack.use(
    createUsage({
      engine,
      state: () => workspaces.state(),
      clock: time.clock,
      setTimer: time.setTimer,
      log: createLog({ service: 'test', level: 'silent' }),
    }),
  )
  const disk = stack.use(
    createDisk({
      engine,
      space: async () => ({ freeBytes: 2 ** 30, totalBytes: 100 * 2 ** 30 }),
      clock: time.clock,
      log: createLog({ service: 'test', level: 'silent' }),
    }),
  )
  const store = createMemoryStore()
  const orders = createOrders(store)
  if (options.opensAs === true) {
    impersonations = stack.use(
      createImpersonations({
        orders,
        portalUrl,
        administrators: { group: 'admins', users: [] },
        clock: time.clock,
        setTimer: time.setTimer,
      }),
    )
    stack.use(impersonations.follow(() => workspaces.routesChanged()))
  }
  const house = createHouse(orders, () =>
    workspaces.reconfigure({ ...workspaces.state().config, house: house.rules() }),
  )
  const signedIn: string[] = []
  const signIns: SignIns = { note: ({ name }) => signedIn.push(name), last: () => undefined }
  const web = stack.use(
    await serveWeb({
      signIns,
      settings: { portalUrl, supportUrl: 'mailto:help@example.com' },
      workspaces,
      usage,
      disk,
      house,
      impersonations,
      clock: time.clock,
      ...(options.kept === undefined ? {} : { history: options.kept }),
      audit: (entry) => audited.push(entry),
    }),
  )
  const headersOf = (user: string) => ({
    'berth-user': user,
    'berth-subject': `u-${user}`,
    'berth-groups': user === 'admin' ? 'staff,admins' : 'staff',
    'berth-template': '',
    'x-forwarded-host': 'portal.localhost:4180',
  })
  const withPerson = (options: Ask, user: string): Ask => ({
    ...options,
    headers: { ...headersOf(user), ...options.headers },
  })
  const root = '/internal/v1/portal'
  const built = stack.move()
  return {
    loop,
    audited,
    /** Whose sign-in was noted, in their order. */
    signedIn,
    store,
    url: web.url,
    headers: { ...aliceHeaders, ...headersOf('admin') },
    ask: (path: string, options: Ask = {}, user = 'admin') =>
      web.ask(root + path, withPerson(options, user)),
    /** The page of Berth for a workspace that is not ready, as a director asks for it. */
    page: (user: string) =>
      web.ask('/internal/v1/page', { headers: { ...headersOf(user), 'berth-template': 'lab' } }),
    /** A request for a seat, as a director sends it. */
    seat: (request: SeatRequest) =>
      web.ask(internalPaths.seats, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      }),
    open: (path: string, options: Ask = {}, user = 'admin') =>
      web.open(root + path, withPerson(options, user)),
    [Symbol.asyncDispose]: () => built.disposeAsync(),
  }
}
