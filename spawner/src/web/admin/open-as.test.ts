import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Command, SeatRequest } from '@berth/shared/contract'
import { impersonationMs } from '../../impersonations.ts'
import { flush, userOf } from '../../loop/testing/test-loop.ts'
import { createImpersonations } from '../../impersonations.ts'
import { createOrders } from '../../orders.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { here, portalUrl, startAdmin } from '../testing/admin.ts'

const form = { ...here, 'content-type': 'application/x-www-form-urlencoded' }
const hello = testTemplate('hello', {
  route: { hosts: [], path: { prefix: '/hello', strip: true } },
})
type Site = Awaited<ReturnType<typeof startAdmin>>

async function start(opensAs = true, more: Parameters<typeof startAdmin>[0] = {}) {
  const site = await startAdmin({ templates: [hello], opensAs, ...more })
  for (const [user, template] of [
    ['bob', 'lab'],
    ['carol', 'hello'],
  ] as const)
    void site.loop.requestSeat(user, { template })
  await flush()
  return site
}

async function post(site: Site, path: string, fields: Record<string, string>) {
  const { body } = await site.ask('/admin/house')
  const token = /name="token" value="([^"]+)"/.exec(body)?.[1] ?? ''
  const text = new URLSearchParams({ token, ...fields }).toString()
  return site.ask(`/admin/open-as/${path}`, { method: 'POST', headers: form, body: text })
}

const openBob = (site: Site, why = 'it hangs') => post(site, 'lab-bob', { why })

/** The routes of impersonations that a director which comes now is told. */
async function routes(site: Site, director = 'd2') {
  const commands: Command[] = []
  const stream = site.loop.workspaces.connectDirector(director, (command) => commands.push(command))
  await flush()
  stream[Symbol.dispose]()
  return commands
    .flatMap((command) => (command.event === 'routes' ? command.data.routes : []))
    .filter(({ impersonation }) => impersonation !== undefined)
}

const seatFor = (id: string, more: Partial<SeatRequest> = {}): SeatRequest => ({
  director: 'd1',
  user: userOf('bob'),
  template: 'lab',
  workspace: 'lab-bob',
  protocol: 'http',
  waitMs: 0,
  start: 'start',
  navigation: true,
  impersonation: id,
  ...more,
})

async function openedId(site: Site): Promise<string> {
  await openBob(site)
  const { body } = await site.ask('/admin/open-as')
  return /name="id" value="([^"]+)"/.exec(body)?.[1] ?? ''
}

describe('opening a workspace as its owner', () => {
  it('is off unless it is set: no page, no button, no seat', async () => {
    await using site = await start(false)
    assert.equal((await site.ask('/admin/open-as')).status, 404)
    assert.equal((await openBob(site)).status, 404)
    assert.doesNotMatch((await site.ask('/admin')).body, /open-as/)
    assert.equal((await site.seat(seatFor('x'))).status, 403)
  })

  it('asks once for a reason, tells the directors, and is in the audit log', async () => {
    await using site = await start()
    assert.match(
      (await site.ask('/admin')).body,
      /href="\/admin\/open-as\/lab-bob"[^>]*>Open as bob<span class="hidden"> in lab-bob<\/span></,
    )
    const question = await site.ask('/admin/open-as/lab-bob')
    assert.match(question.body, /Open lab-bob as its owner\?/)
    assert.match((await openBob(site, '  ')).body, /Please say why\./)
    assert.deepEqual(await routes(site), [])
    const { headers } = await openBob(site)
    assert.equal(headers.location, '/admin/open-as?notice=opened')
    const [route] = await routes(site)
    const { impersonation, workspace, hosts = [] } = route ?? {}
    assert.equal(workspace, 'lab-bob')
    assert.match(hosts[0] ?? '', /^as-[0-9a-f]{32}\.portal\.localhost$/)
    assert.deepEqual(impersonation?.by, { name: 'admin', subject: 'u-admin' })
    assert.deepEqual(impersonation.administrators, { group: 'admins', users: [] })
    assert.equal(impersonation.person.name, 'bob')
    const { body } = await site.ask('/admin/open-as')
    assert.ok(body.includes(`href="http://${hosts[0]}:4180/"`), body)
    assert.deepEqual(
      site.audited.map(({ administrator, act, target, why, outcome }) =>
        [administrator, act, target, why, outcome].join('|'),
      ),
      ['admin|open-as|lab-bob as bob|it hangs|done'],
    )
    assert.equal(site.audited[0]?.requestId, headers['x-request-id'])
    assert.match(site.audited[0]?.requestId ?? '', /./)
  })

  it('leads to the path of a template that has one, at a new host name each time', async () => {
    await using site = await start()
    await post(site, 'hello-carol', { why: 'x' })
    await post(site, 'hello-carol', { why: 'y' })
    const [one, two] = await routes(site)
    assert.deepEqual(one?.path, { prefix: '/hello', strip: true })
    assert.notDeepEqual(one.hosts, two?.hosts)
    assert.match((await site.ask('/admin/open-as')).body, /:4180\/hello\/"/)
  })

  it('tells the owner at once, while it lasts and afterwards, also after a restart', async () => {
    await using site = await start()
    const id = await openedId(site)
    const card = async () => (await site.ask('/', {}, 'bob')).body
    const live =
      /administrator admin has opened this workspace as you at [^<]* can use it until [^<]* at the latest\. Reason: it hangs/
    const past =
      /administrator admin opened this workspace as you at [^<]*, and left it at [^<]*\. Reason: it hangs/
    assert.match(await card(), live)
    assert.match((await site.page('bob')).body, live)
    assert.doesNotMatch((await site.ask('/', {}, 'carol')).body, /administrator admin/)
    await post(site, 'end', { id })
    assert.match(await card(), past)
    assert.match((await site.page('bob')).body, past)
    const later = createImpersonations({
      orders: createOrders(site.store),
      portalUrl,
      administrators: { group: 'admins', users: [] },
      clock: site.loop.time.clock,
      setTimer: site.loop.time.setTimer,
    })
    assert.equal(later.told('lab-bob', 'bob')?.by, 'admin')
    assert.equal(later.told('lab-bob', 'another'), undefined)
    assert.deepEqual(later.all(), [], 'it does not go on after a restart')
    site.loop.time.advance(7 * 86_400_000 + impersonationMs)
    assert.equal(later.told('lab-bob', 'bob'), undefined)
  })

  it('pushes the news to an open page of the owner', async () => {
    await using site = await start()
    const stream = await site.open('/events', {}, 'bob')
    const seen = (async () => {
      let text = ''
      for await (const chunk of stream) if (/has opened/.test((text += String(chunk)))) return true
      return false
    })()
    await openBob(site)
    assert.equal(await seen, true)
  })

  it('ends by itself after its time, and when an administrator ends it', async () => {
    await using site = await start()
    const id = await openedId(site)
    assert.equal((await site.seat(seatFor(id))).status, 200)
    await post(site, 'end', { id })
    assert.equal((await site.seat(seatFor(id))).status, 403)
    assert.deepEqual(await routes(site), [])
    assert.deepEqual(
      site.audited.map(({ act }) => act),
      ['open-as', 'end-open-as'],
    )
    const again = await openedId(site)
    site.loop.time.advance(impersonationMs)
    await flush()
    assert.deepEqual(await routes(site, 'd3'), [])
    assert.equal((await site.seat(seatFor(again))).status, 403)
  })

  it('is no sign-in of the owner', async () => {
    const seen: string[] = []
    const history = {
      seen: (user: string) => seen.push(user),
      active: () => undefined,
      moved: () => undefined,
      refused: () => undefined,
      counted: () => undefined,
    }
    await using site = await start(true, { history })
    const id = await openedId(site)
    const counts = () =>
      [seen, site.signedIn].map((all) => all.filter((one) => one === 'bob').length)
    const before = counts()
    assert.equal((await site.seat(seatFor(id))).status, 200)
    assert.deepEqual(counts(), before)
    assert.equal((await site.seat({ ...seatFor(id), impersonation: undefined })).status, 200)
    assert.deepEqual(
      counts(),
      before.map((count) => count + 1),
    )
  })

  it('hazard: an id for another workspace or another person: gets no seat', async () => {
    await using site = await start()
    const id = await openedId(site)
    for (const more of [
      { user: userOf('carol'), template: 'hello', workspace: 'hello-carol' },
      { user: userOf('carol') },
      { workspace: 'lab-carol' },
    ])
      assert.equal((await site.seat(seatFor(id, more))).status, 403)
  })

  it('starts nothing that has stopped', async () => {
    await using site = await start()
    const id = await openedId(site)
    site.loop.workspaces.end('lab-bob' as never, 'stop')
    await flush()
    const { status, body } = await site.seat(seatFor(id))
    assert.notEqual(status, 200)
    assert.match(body, /workspace_stopped|workspace_idle/)
    assert.equal(site.loop.workspaces.state().workspaces.get('lab-bob' as never)?.phase, 'stopped')
    const { headers } = await site.ask('/admin/open-as/lab-bob')
    assert.equal(headers.location, '/admin?notice=refused')
    assert.equal((await openBob(site)).headers.location, '/admin?notice=refused')
  })

  it('hazard: anybody who is no administrator, a form without a token, a page of another origin: opens nothing', async () => {
    await using site = await start()
    const body = 'why=x&token=none'
    const asked = { method: 'POST', headers: form, body }
    assert.equal((await site.ask('/admin/open-as/lab-bob', asked, 'bob')).status, 403)
    assert.match((await site.ask('/admin/open-as/lab-bob', asked)).body, /open for too long/)
    for (const headers of [
      { ...form, origin: 'http://lab.localhost:4180' },
      { ...form, origin: 'http://as-1.portal.localhost:4180' },
      { ...form, 'sec-fetch-site': 'same-site' },
      { 'content-type': 'application/x-www-form-urlencoded' },
    ])
      assert.equal((await site.ask('/admin/open-as/lab-bob', { ...asked, headers })).status, 403)
    assert.equal(
      (await site.ask('/admin/open-as/end')).headers.location,
      '/admin/open-as?notice=expired',
    )
    assert.deepEqual(await routes(site), [])
  })
})
