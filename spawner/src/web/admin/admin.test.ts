import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AuditEntry } from '../../audit.ts'
import { startAdmin } from '../testing/admin.ts'

describe('who is not an administrator', () => {
  it('gets a page that says whom to ask, and the attempt is audited', async () => {
    await using site = await startAdmin()
    const answer = await site.ask('/admin', {}, 'alice')
    assert.equal(answer.status, 403)
    assert.match(answer.body, /<h1>For administrators only<\/h1>/)
    assert.match(answer.body, /ask the people who run this site/)
    assert.match(answer.body, /<a href="mailto:help@example\.com">Ask for help<\/a>/)
    assert.match(answer.body, /<code>not_admin<\/code>/)
    assert.match(String(answer.headers['content-security-policy']), /frame-ancestors 'none'/)
    assert.deepEqual(site.audited, [
      {
        at: site.loop.time.clock.wall(),
        administrator: 'alice',
        act: 'open',
        target: 'GET /admin',
        why: '',
        outcome: 'refused',
      } satisfies AuditEntry,
    ])
  })

  it('is audited once in a minute, however often they try', async () => {
    await using site = await startAdmin()
    for (const path of ['/admin', '/admin/history', '/admin/x?why=secret'])
      assert.equal((await site.ask(path, {}, 'alice')).status, 403)
    await site.ask('/admin', {}, 'bob')
    assert.deepEqual(
      site.audited.map(({ administrator }) => administrator),
      ['alice', 'bob'],
    )
    site.loop.time.advance(60_000)
    await site.ask('/admin/x?why=secret', {}, 'alice')
    assert.equal(site.audited.at(-1)?.target, 'GET /admin/x')
  })

  it('finds no link to it on the portal', async () => {
    await using site = await startAdmin()
    const link = /<a href="\/admin">Administration<\/a>/
    assert.doesNotMatch((await site.ask('/', {}, 'alice')).body, link)
    assert.match((await site.ask('/')).body, link)
  })
})

describe('an administrator', () => {
  it('sees the page, with a navigation', async () => {
    await using site = await startAdmin()
    const { status, body, headers } = await site.ask('/admin')
    assert.equal(status, 200)
    assert.match(body, /<h1>Now<\/h1>/)
    assert.match(body, /<a href="\/admin" aria-current="page">Now<\/a>/)
    assert.match(body, /<a href="\/admin\/history">History<\/a>/)
    assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/)
    assert.deepEqual(site.audited, [])
  })

  it('hazard: another origin asks in the administrator’s name: is refused', async () => {
    await using site = await startAdmin()
    const headers = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }
    assert.equal((await site.ask('/admin', { headers })).status, 403)
  })
})
