import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AuditEntry } from '../../audit.ts'
import { readEvents } from '@berth/shared/server-sent-events'
import { flush } from '../../loop/testing/test-loop.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { here, startAdmin } from '../testing/admin.ts'

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
        requestId: String(answer.headers['x-request-id']),
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

  it('sees how full the disk is and what images take, once that is known, and volumes once they were computed', async () => {
    await using site = await startAdmin()
    const health = async () => {
      const { body } = await site.ask('/admin')
      return body.slice(body.indexOf('class="health"'), body.indexOf('id="limits-title"'))
    }
    await health()
    await flush()
    assert.match(
      await health(),
      /class="wrong"><dt>Free on the disk of the records<\/dt><dd>1 GiB of 100 GiB</,
    )
    assert.match(await health(), /<dt>12 images<\/dt><dd>5 GiB</)
    assert.doesNotMatch(await health(), /volumes/)
    site.loop.workspaces.measureHomes()
    await flush()
    assert.match(await health(), /<dt>1 volume<\/dt><dd>3 MiB, as of /)
  })

  it('hazard: another origin asks in the administrator’s name: is refused', async () => {
    await using site = await startAdmin()
    const headers = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }
    assert.equal((await site.ask('/admin', { headers })).status, 403)
  })
})

const form = { ...here, 'content-type': 'application/x-www-form-urlencoded' }
const room = testTemplate('room', { title: 'Room', policy: { seats: 3 } })
type Site = Awaited<ReturnType<typeof startAdmin>>

async function run(site: Site, user: string, template = 'lab'): Promise<void> {
  void site.loop.requestSeat(user, { template })
  await flush()
}

/** Opens the question, and answers it. */
async function act(site: Site, path: string, fields: Record<string, string> = {}) {
  const page = await site.ask(`/admin/workspaces/${path}`)
  const token = /name="token" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
  const body = new URLSearchParams({ token, why: 'course is over', ...fields }).toString()
  return site.ask(`/admin/workspaces/${path}`, { method: 'POST', headers: form, body })
}

const phaseOf = (site: Site, name: string) =>
  site.loop.workspaces.state().workspaces.get(name as never)?.phase

describe('what runs', () => {
  it('is listed with person, template, state, times and the steps of its start', async () => {
    await using site = await startAdmin({ templates: [testTemplate('plain', { title: 'Plain' })] })
    const gate = site.loop.engine.hold('startContainer')
    await run(site, 'alice', 'plain')
    site.loop.time.advance(2_100)
    gate.letGo()
    await flush()
    site.loop.time.advance(120_000)
    const { body } = await site.ask('/admin')
    assert.match(body, /<th role="rowheader"[^>]*>alice<span class="name">plain-alice<\/span>/)
    assert.match(body, /data-label="Template">Plain</)
    assert.match(body, /<span class="badge">Running<\/span>/)
    assert.match(body, /data-label="For"><time [^>]*>2 min</)
    assert.match(body, /data-label="Last activity"><span><time [^>]*>2 min<\/time> ago/)
    assert.match(body, /<li>start <b>2\.1 s<\/b><\/li>/)
    assert.match(body, /1 director connected<\/dt><dd>d1</)
    assert.match(body, /<dt>Engine<\/dt><dd>answers</)
  })

  it('waits with its position, and what it waits for', async () => {
    await using site = await startAdmin({ limits: { maxWorkspaces: 1 } })
    for (const user of ['alice', 'bob', 'carol']) await run(site, user)
    const { body } = await site.ask('/admin')
    assert.match(
      body,
      /<li value="1"><strong>bob<\/strong> for Lab: all places are taken \(MAX_WORKSPACES\)\./,
    )
    assert.match(body, /<li value="2"><strong>carol<\/strong>/)
    assert.match(
      body,
      /Number 2 in the queue<\/span><span class="reason">all places are taken \(MAX_WORKSPACES\)</,
    )
    assert.match(
      body,
      /<div class="full"><dt>Workspaces <code>MAX_WORKSPACES<\/code><\/dt><dd>1 of 1/,
    )
    assert.match(body, /<rect class="bar-used" width="100"/)
  })

  it('is filtered by person, template and state, also without script', async () => {
    await using site = await startAdmin({ templates: [room] })
    await run(site, 'alice')
    await run(site, 'bob')
    await run(site, 'bob', 'room')
    const rowsOf = async (query: string) =>
      [...(await site.ask(`/admin${query}`)).body.matchAll(/data-row="([^"]+)"/g)].map(
        ([, id]) => id,
      )
    assert.deepEqual(await rowsOf('?person=AL'), ['lab-alice'])
    assert.deepEqual(await rowsOf('?person=bob&template=lab'), ['lab-bob'])
    assert.equal((await rowsOf('?state=running')).length, 3)
    assert.deepEqual(await rowsOf('?state=failed'), [])
    assert.match((await site.ask('/admin?state=failed')).body, /0 of 3/)
    assert.equal((await rowsOf('?person[]=x&state[a]=b')).length, 3)
  })

  it('hazard: names that look like HTML: are shown as text', async () => {
    await using site = await startAdmin({ templates: [testTemplate('t', { title: '<i>T</i>' })] })
    await run(site, '<b>x</b>', 't')
    const { body } = await site.ask('/admin?person=%22%3E%3Cscript%3E')
    assert.doesNotMatch(body, /<script>(?!addEventListener)/)
    assert.match((await site.ask('/admin')).body, /&lt;b&gt;x&lt;\/b&gt;/)
  })
})

describe('an action', () => {
  it('asks once, and says what it costs', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    const { body } = await site.ask('/admin/workspaces/lab-alice/stop')
    assert.match(body, /<h1>Stop lab-alice\?<\/h1>/)
    assert.match(body, /What is not saved is lost/)
    assert.match(body, /<input id="why" name="why" type="text" required/)
    assert.equal(phaseOf(site, 'lab-alice'), 'ready')
  })

  it('stops, restarts and removes, and is audited with its reason', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    const stopped = await act(site, 'lab-alice/stop')
    assert.equal(stopped.status, 303)
    assert.equal(stopped.headers.location, '/admin?notice=stop#row-lab-alice')
    assert.match(String(site.audited[0]?.requestId), /^[0-9a-f-]{36}$/)
    assert.equal(site.audited[0]?.requestId, stopped.headers['x-request-id'])
    await flush()
    assert.equal(phaseOf(site, 'lab-alice'), 'stopped')
    assert.match((await site.ask('/admin?notice=stop')).body, /The workspace is being stopped\./)
    await run(site, 'bob')
    const before = site.loop.workspaces.state().workspaces.get('lab-bob' as never)?.container
    await act(site, 'lab-bob/restart', { why: 'hangs' })
    await flush()
    assert.equal(phaseOf(site, 'lab-bob'), 'ready')
    const after = site.loop.workspaces.state().workspaces.get('lab-bob' as never)?.container
    assert.notEqual(after?.generation, before?.generation)
    await act(site, 'lab-alice/remove')
    await flush()
    assert.doesNotMatch((await site.ask('/admin')).body, /row-lab-alice/)
    assert.deepEqual(
      site.audited.map(({ administrator, act, target, why, outcome }) =>
        [administrator, act, target, why, outcome].join(' | '),
      ),
      [
        'admin | stop | lab-alice | course is over | done',
        'admin | restart | lab-bob | hangs | done',
        'admin | remove | lab-alice | course is over | done',
      ],
    )
  })

  it('releases a place in the queue', async () => {
    await using site = await startAdmin({ limits: { maxWorkspaces: 1 } })
    for (const user of ['alice', 'bob', 'carol']) await run(site, user)
    site.loop.time.advance(10)
    await act(site, 'lab-bob/release')
    await flush()
    assert.deepEqual(site.loop.workspaces.state().queue, ['lab-carol'])
    assert.equal(site.audited.at(-1)?.act, 'release')
  })

  it('releases the seat of one person in a shared workspace, for the one who waits', async () => {
    await using site = await startAdmin({
      templates: [testTemplate('room', { policy: { seats: 2 } })],
      limits: { maxWorkspaces: 1 },
    })
    for (const user of ['alice', 'bob', 'carol']) await run(site, user, 'room')
    const rooms = () => [...site.loop.workspaces.state().workspaces.values()]
    const name = rooms().find(({ phase }) => phase === 'ready')?.name ?? ''
    const question = await site.ask(`/admin/workspaces/${name}/release`)
    assert.match(question.body, /<option>alice<\/option><option>bob<\/option>/)
    assert.equal((await act(site, `${name}/release`)).headers.location, '/admin?notice=refused')
    await act(site, `${name}/release`, { user: 'bob' })
    await flush()
    assert.deepEqual(
      rooms().map((one) => [one.phase, one.seats.map(({ person }) => person.name)].join()),
      ['ready,alice,carol'],
    )
    assert.deepEqual(
      site.audited.map(({ target, outcome }) => `${target} ${outcome}`),
      [`${name} refused`, `${name}: bob done`],
    )
  })

  it('needs a reason, and keeps asking without one', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    const { status, body } = await act(site, 'lab-alice/stop', { why: ' ' })
    assert.equal(status, 200)
    assert.match(body, /role="alert">Please say why\./)
    assert.equal(phaseOf(site, 'lab-alice'), 'ready')
  })

  it('asks again, with the reason, if the token has expired or is another person’s', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    for (const token of ['', 'wrong']) {
      const { body } = await act(site, 'lab-alice/stop', { token })
      assert.match(body, /Please click again/)
      assert.match(body, /value="course is over"/)
    }
    assert.equal(phaseOf(site, 'lab-alice'), 'ready')
    assert.deepEqual(site.audited, [])
  })

  it('hazard: a page of a workspace posts the form with a token that is right: changes nothing', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    const page = await site.ask('/admin/workspaces/lab-alice/stop')
    const token = /name="token" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    const body = new URLSearchParams({ token, why: 'x' }).toString()
    for (const origin of ['http://localhost:4180', 'null', ''])
      assert.equal(
        (
          await site.ask('/admin/workspaces/lab-alice/stop', {
            method: 'POST',
            headers: { 'content-type': form['content-type'], ...(origin && { origin }) },
            body,
          })
        ).status,
        403,
      )
    assert.equal(phaseOf(site, 'lab-alice'), 'ready')
  })

  it('hazard: somebody who is no administrator posts the form: changes nothing', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    const path = '/admin/workspaces/lab-alice/stop'
    const answer = await site.ask(path, { method: 'POST', headers: form, body: 'why=x' }, 'bob')
    assert.equal(answer.status, 403)
    assert.equal(site.audited.at(-1)?.target, `POST ${path}`)
    assert.equal(phaseOf(site, 'lab-alice'), 'ready')
  })

  it('says that a workspace has gone, or that an action is not possible', async () => {
    await using site = await startAdmin()
    const gone = await site.ask('/admin/workspaces/lab-nobody/stop')
    assert.equal(gone.headers.location, '/admin?notice=gone')
    await run(site, 'alice')
    await act(site, 'lab-alice/stop')
    await flush()
    assert.equal((await act(site, 'lab-alice/restart')).headers.location, '/admin?notice=refused')
    assert.equal((await site.ask('/admin/workspaces/lab-alice/dance')).status, 404)
  })
})

describe('the stream of the page', () => {
  async function follow(site: Site, mark: string) {
    const events = readEvents(
      await site.open(`/admin/events?after=${encodeURIComponent(mark)}`, { headers: here }),
    )
    return async () => {
      const result = await events.next()
      assert.ok(result.done !== true, 'the stream goes on')
      const { value } = result
      return {
        event: value.event,
        data: value.data as { ids?: string[]; rows?: { id: string; html: string }[] },
      }
    }
  }
  const markOf = (body: string) => /data-mark="([^"]*)"/.exec(body)?.[1] ?? ''

  it('sends what has changed since the page was made, and no other row', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    await run(site, 'bob')
    const page = await site.ask('/admin')
    const next = await follow(site, markOf(page.body))
    assert.deepEqual((await next()).data, { ids: ['lab-alice', 'lab-bob'], rows: [] })
    assert.equal((await next()).event, 'overview')
    await run(site, 'carol')
    const { event, data } = await next()
    assert.equal(event, 'rows')
    assert.deepEqual(data.ids, ['lab-alice', 'lab-bob', 'lab-carol'])
    assert.deepEqual(
      data.rows?.map(({ id }) => id),
      ['lab-carol'],
    )
    assert.match(data.rows?.[0]?.html ?? '', /<tr role="row" id="row-lab-carol"/)
  })

  it('begins with every row if the page is filtered, or is of another process', async () => {
    await using site = await startAdmin()
    await run(site, 'alice')
    await run(site, 'bob')
    const filtered = await site.ask('/admin?person=bob')
    for (const mark of [markOf(filtered.body), 'other.9', '']) {
      const next = await follow(site, mark)
      assert.equal((await next()).data.rows?.length, 2)
    }
  })
})

it('500 workspaces: a page is made without looking at each of them anew', async () => {
  await using site = await startAdmin()
  for (let number = 0; number < 500; number += 1) void site.loop.requestSeat(`person${number}`)
  for (let turn = 0; turn < 10; turn += 1) await flush()
  let made = 0
  const specOf = site.loop.engine.specOf.bind(site.loop.engine)
  site.loop.engine.specOf = (...args) => {
    made += 1
    return specOf(...args)
  }
  const { body } = await site.ask('/admin')
  assert.equal([...body.matchAll(/data-row="/g)].length, 500)
  assert.ok(Buffer.byteLength(body) < 1024 * 1024, `${Buffer.byteLength(body)} bytes`)
  assert.ok(made > 0 && made <= 500, `${made} looked at`)
  made = 0
  await site.ask('/admin')
  assert.equal(made, 0)
})

describe('memory and CPU', () => {
  it('are shown for each workspace and for all, with the last hour, and follow live', async () => {
    await using site = await startAdmin({ templates: [testTemplate('plain')] })
    await run(site, 'alice', 'plain')
    assert.match((await site.ask('/admin')).body, /Not measured yet/)
    for (let minute = 0; minute < 3; minute += 1) {
      site.loop.time.advance(60_000)
      await flush()
    }
    const { body } = await site.ask('/admin')
    assert.match(body, /data-usage="plain-alice">.*100 MiB.*<polyline points="[\d., ]+"\/>/)
    assert.match(body, /25 %/)
    assert.match(body, /aria-label="Memory of the last hour: at most 100 MiB, at least 100 MiB"/)
    const events = readEvents(await site.open('/admin/events?after=x', { headers: here }))
    const namesOf = async () => {
      const result = await events.next()
      assert.ok(result.done !== true)
      return result.value.event
    }
    assert.deepEqual([await namesOf(), await namesOf()], ['rows', 'overview'])
    site.loop.time.advance(10_000)
    await flush()
    assert.equal(await namesOf(), 'usage')
  })
})
