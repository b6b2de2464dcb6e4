import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { flush } from '../../loop/testing/test-loop.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { here, startAdmin } from '../testing/admin.ts'

const form = { ...here, 'content-type': 'application/x-www-form-urlencoded' }
const hello = testTemplate('hello', { title: 'Hello', origin: 'http://hello.localhost:4180' })
type Site = Awaited<ReturnType<typeof startAdmin>>

async function order(site: Site, name: string, text: string, more: Record<string, string> = {}) {
  const { body } = await site.ask('/admin/house')
  const token = /name="token" value="([^"]+)"/.exec(body)?.[1] ?? ''
  const fields = new URLSearchParams({ token, text, ...more }).toString()
  return site.ask(`/admin/house/${name}`, { method: 'POST', headers: form, body: fields })
}

const phaseOf = (site: Site, name: string) =>
  site.loop.workspaces.state().workspaces.get(name as never)?.phase
const refusalOf = async (site: Site, user: string, template = 'hello') => {
  const answer = await site.loop.requestSeat(user, { template })
  return answer.status === 'refused'
    ? `${answer.failure.code}: ${answer.failure.detail}`
    : undefined
}

describe('a closed template', () => {
  it('cannot be started anew, and people see why on its card', async () => {
    await using site = await startAdmin({ templates: [hello] })
    void site.loop.requestSeat('bob', { template: 'hello' })
    await flush()
    const saved = await order(site, 'close', 'There is an exam.', { template: 'hello' })
    assert.equal(saved.headers.location, '/admin/house?notice=saved')
    assert.match((await refusalOf(site, 'alice')) ?? '', /^template_closed: .*There is an exam\.$/)
    const { body } = await site.ask('/', {}, 'alice')
    const card = body.slice(body.indexOf('id="card-hello"'))
    assert.match(card, /<strong>Closed for new starts\.<\/strong>.*There is an exam\./)
    assert.doesNotMatch(card, />Start</)
    assert.equal(phaseOf(site, 'hello-bob'), 'ready', 'what runs goes on')
    assert.equal(await refusalOf(site, 'alice', 'lab'), undefined)
    assert.match((await site.ask('/admin')).body, /closed: hello/)
    await order(site, 'close', '', { template: 'hello' })
    assert.equal(await refusalOf(site, 'alice'), undefined)
    assert.deepEqual(
      site.audited.map(({ act, target, why }) => `${act} ${target} ${why}`),
      ['close-template hello There is an exam.', 'open-template hello '],
    )
  })

  it('that does not exist is not closed', async () => {
    await using site = await startAdmin()
    const { headers } = await order(site, 'close', 'x', { template: 'nothing' })
    assert.equal(headers.location, '/admin/house?notice=gone')
    assert.deepEqual([...site.store.loadOrders()], [])
  })
})

describe('before maintenance', () => {
  it('nobody new is admitted, who waits waits on, and it is undone by a click', async () => {
    await using site = await startAdmin({ limits: { maxWorkspaces: 1 } })
    void site.loop.requestSeat('alice')
    await flush()
    const waiting = site.loop.requestSeat('bob')
    await flush()
    await order(site, 'maintain', 'New disks at noon.')
    assert.match(
      (await refusalOf(site, 'carol', 'lab')) ?? '',
      /^maintenance: .*New disks at noon\./,
    )
    site.loop.workspaces.end('lab-alice' as never, 'remove')
    await flush()
    assert.equal(phaseOf(site, 'lab-bob'), 'queued')
    const card = (await site.ask('/', {}, 'bob')).body
    assert.match(card, /Nothing new is started before maintenance/)
    assert.match((await site.ask('/admin')).body, /the end of the maintenance/)
    assert.match((await site.ask('/admin/house')).body, /Admit people again/)
    await order(site, 'maintain', '')
    await flush()
    assert.equal((await waiting).status, 'granted')
    assert.deepEqual(
      site.audited.map(({ act }) => act),
      ['drain', 'admit'],
    )
  })
})

describe('a message', () => {
  it('is on the portal and on every page, as text, until it is removed', async () => {
    await using site = await startAdmin()
    await order(site, 'announce', 'Closed <b>tomorrow</b>')
    const shown = /role="note">Closed &lt;b&gt;tomorrow&lt;\/b&gt;</
    assert.match((await site.ask('/', {}, 'alice')).body, shown)
    const page = await site.page('alice')
    assert.match(page.body, shown)
    await order(site, 'announce', '')
    assert.doesNotMatch((await site.ask('/', {}, 'alice')).body, /role="note"/)
    assert.doesNotMatch((await site.page('alice')).body, /role="note"/)
  })

  it('hazard: a wrong token, another origin, or nobody’s administrator: announces nothing', async () => {
    await using site = await startAdmin()
    const moved = await order(site, 'announce', 'x', { token: 'wrong' })
    assert.equal(moved.headers.location, '/admin/house?notice=expired')
    const send = (headers: Record<string, string>, user: string) =>
      site.ask('/admin/house/announce', { method: 'POST', headers, body: 'text=x' }, user)
    assert.equal((await send({ ...form, origin: 'http://localhost:4180' }, 'admin')).status, 403)
    assert.equal((await send(form, 'alice')).status, 403)
    assert.deepEqual([...site.store.loadOrders()], [])
  })
})
