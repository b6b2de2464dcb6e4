import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { ownerAlias, parsePrefix, parseUserName, workspaceName } from '@berth/shared/names'
import { createProblem } from '@berth/shared/problems'
import {
  answerTo,
  granted,
  hold,
  labRoute,
  startTestBed,
  waiting,
  workspaceHost,
} from '../testing/test-bed.ts'

const prefix = parsePrefix('lab')
const alice = parseUserName('alice')
assert(prefix !== undefined && alice !== undefined)
const aliceWorkspace = workspaceName(prefix, alice)

describe('a request without a lease', () => {
  it('shows no page at all when the workspace is ready at once', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('hello'))
    bed.spawner.seats = async () => granted(workspace.address)
    const answer = await bed.request({ path: '/tree?x=%2F', navigation: true })
    assert.equal(answer.status, 200)
    assert.equal(answer.body, 'hello')
    assert.deepEqual(workspace.requests, ['GET /tree?x=%2F'])
    const [asked] = bed.spawner.asked
    assert.equal(asked?.director, 'director-1')
    assert.deepEqual(asked?.user, { name: 'alice', subject: 'u-alice', groups: [] })
    assert.equal(asked?.template, 'lab')
    assert.equal(asked?.start, 'start')
    assert.equal(asked?.navigation, true)
    assert.ok((asked?.waitMs ?? 0) <= 100)
  })

  it("shows a person the spawner's page when the workspace is not ready in time", async () => {
    await using bed = await startTestBed()
    bed.spawner.seats = ({ waitMs }, signal) => hold(waitMs, signal)
    bed.spawner.pass = (_req, res) =>
      void res
        .writeHead(503, {
          'Content-Type': 'text/html',
          'Berth-Phase': 'starting',
          'Retry-After': '1',
        })
        .end('<p>starting')
    const answer = await bed.request({ path: '/lab/tree/x%2Fy?z=1', navigation: true })
    assert.equal(answer.status, 503)
    assert.equal(answer.body, '<p>starting')
    assert.equal(answer.headers['berth-phase'], 'starting')
    const [page] = bed.spawner.passed
    assert.equal(page?.target, '/internal/v1/page')
    assert.equal(page?.headers['berth-user'], 'alice')
    assert.equal(page?.headers['berth-template'], 'lab')
    assert.equal(page?.headers['berth-target'], encodeURIComponent('/lab/tree/x%2Fy?z=1'))
  })

  it('links its own pages to the workspaces of the person', async () => {
    await using bed = await startTestBed()
    bed.spawner.seats = async () => 500
    const { body } = await bed.request({ navigation: true })
    assert.match(body, /<a href="\/\.berth\/">Your workspaces<\/a>/)
  })

  it('gives a browser a service worker that answers nothing in place of the one of a stopped workspace', async () => {
    await using bed = await startTestBed()
    const ask = async (code: 'workspace_stopped' | 'workspace_idle', name: string) => {
      bed.spawner.seats = async () => createProblem(undefined, code, 'It rests.')
      return bed.request({
        path: '/sw.js',
        headers: { 'sec-fetch-mode': 'same-origin', [name]: 'script' },
      })
    }
    const worker = await ask('workspace_stopped', 'Service-Worker')
    assert.equal(worker.status, 200)
    assert.match(String(worker.headers['content-type']), /^text\/javascript/)
    assert.equal(worker.headers['service-worker-allowed'], '/')
    assert.equal(worker.headers['cache-control'], 'no-store')
    assert.match(worker.body, /skipWaiting/)
    assert.doesNotMatch(worker.body, /fetch/)
    assert.equal((await ask('workspace_stopped', 'X-Worker')).status, 503)
    assert.equal((await ask('workspace_idle', 'Service-Worker')).status, 503, 'it may be frozen')
  })

  it("shows a person the spawner's page when a seat is refused", async () => {
    await using bed = await startTestBed()
    bed.spawner.seats = async () => createProblem(undefined, 'template_forbidden', 'Not for you.')
    bed.spawner.pass = (_req, res) => void res.writeHead(403).end('<p>not for you')
    const answer = await bed.request({ navigation: true })
    assert.equal(answer.status, 403)
    assert.equal(answer.body, '<p>not for you')
  })

  it('answers every other client with the refusal itself, at once', async () => {
    await using bed = await startTestBed()
    bed.spawner.seats = async () => createProblem(undefined, 'queue_full', 'Too many wait.')
    const answer = await bed.request({})
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.equal((JSON.parse(answer.body) as { code: string }).code, 'queue_full')
    assert.equal(bed.spawner.passed.length, 0)
  })

  it('is held, body unread, until the workspace is ready, and then sent whole', async () => {
    await using bed = await startTestBed()
    const digest = createHash('sha256')
    const workspace = await bed.workspace((req, res) => {
      req.on('data', (chunk: Buffer) => digest.update(chunk))
      req.on('end', () => res.end('stored'))
    })
    let ready = false
    const seen = Promise.withResolvers<void>()
    bed.spawner.seats = async ({ waitMs }, signal) => {
      if (ready) return granted(workspace.address)
      seen.resolve()
      return hold(Math.min(waitMs, 300), signal)
    }
    const body = randomBytes(10 * 1024 * 1024)
    const sent = bed.begin({ method: 'POST', headers: { 'content-length': body.length } })
    sent.end(body)
    await seen.promise
    ready = true
    const answer = await answerTo(sent)
    assert.equal(answer.status, 200)
    assert.equal(answer.body, 'stored')
    assert.equal(digest.digest('hex'), createHash('sha256').update(body).digest('hex'))
    assert.equal(bed.spawner.asked[0]?.navigation, false)
  })

  it('gets 503 starting at its deadline', async () => {
    await using bed = await startTestBed({ config: { REQUEST_WAIT_TIMEOUT: 300 } })
    bed.spawner.seats = ({ waitMs }, signal) => hold(waitMs, signal)
    const answer = await bed.request({ method: 'POST', body: 'x' })
    assert.equal(answer.status, 503)
    assert.equal((JSON.parse(answer.body) as { code: string }).code, 'starting')
    assert.ok(answer.headers['retry-after'])
  })

  it('shares one seat request with all identical requests at the same time', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('hello'))
    const all = Promise.withResolvers<void>()
    bed.spawner.seats = async () => {
      await all.promise
      return granted(workspace.address)
    }
    const answers = Array.from({ length: 100 }, () => bed.request({ method: 'PUT', body: 'x' }))
    await bed.spawner.until(() => bed.spawner.held() === 1)
    setTimeout(all.resolve, 200)
    for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200)
    assert.equal(workspace.requests.length, 100)
    assert.ok(bed.spawner.asked.length < 5, `asked ${bed.spawner.asked.length} times`)
  })

  it('ends the shared seat request when the last waiting client has gone', async () => {
    await using bed = await startTestBed()
    const ended = Promise.withResolvers<void>()
    bed.spawner.seats = async (_request, signal) => {
      signal.addEventListener('abort', () => ended.resolve())
      return hold(60_000, signal)
    }
    const sent = bed.begin({})
    sent.on('error', () => undefined)
    sent.end()
    await bed.spawner.until(() => bed.spawner.held() === 1)
    sent.destroy()
    await ended.promise
    const line = await bed.logged(({ message }) => message === 'request ended')
    assert.equal(line.status, 499)
  })

  it('does not start a workspace if it is a background request of a page', async () => {
    await using bed = await startTestBed()
    await bed.introduce([labRoute])
    bed.spawner.seats = async () => createProblem(undefined, 'workspace_idle', 'It is idle.')
    const headers = { 'sec-fetch-mode': 'cors' }
    assert.equal((await bed.request({ path: '/api/status', headers })).status, 503)
    assert.equal(bed.spawner.asked.at(-1)?.start, 'no')
    await bed.request({ path: '/other', headers })
    assert.equal(bed.spawner.asked.at(-1)?.start, 'wake')
  })

  it('does not start a workspace if its page loads itself again, unless its person waits at a page of Berth', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('hello'))
    bed.spawner.pass = (_request, response) => void response.writeHead(503).end('a page of Berth')
    const stopped = async () => createProblem(undefined, 'workspace_stopped', 'It is stopped.')
    const reload = {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'same-origin',
      'user-agent': 'Chrome/140.0',
    }
    const visit = (more: object) =>
      bed.request({ navigation: true, headers: { ...reload, ...more } })
    const started = () => bed.spawner.asked.at(-1)?.start
    bed.spawner.seats = stopped
    assert.equal((await visit({})).body, 'a page of Berth')
    assert.equal(started(), 'no')
    // A person opens it, and the loading page loads itself again until the workspace is there.
    await visit({ 'sec-fetch-user': '?1' })
    assert.equal(started(), 'start')
    await visit({})
    assert.equal(started(), 'start')
    bed.spawner.activity = () => []
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 500 })
    assert.equal((await visit({})).body, 'hello')
    assert.equal(started(), 'start')
    bed.spawner.seats = stopped
    while ((await visit({})).body === 'hello');
    assert.equal(started(), 'no')
  })

  it('keeps no workspace running if its page loads itself again, and its page of Berth does not go on', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('hello'))
    let unattended: unknown
    bed.spawner.pass = (request, response) => {
      unattended = request.headers['berth-unattended']
      response.writeHead(503).end('a page of Berth')
    }
    const reload = {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'same-origin',
      'user-agent': 'Chrome/140.0',
    }
    const visit = (path: string, more: object) =>
      bed.request({ path, navigation: true, headers: { ...reload, ...more } })
    bed.spawner.seats = async () => createProblem(undefined, 'workspace_idle', 'It is idle.')
    await visit('/due', {})
    assert.deepEqual([bed.spawner.asked.at(-1)?.start, unattended], ['no', 'true'])
    await visit('/due', { 'sec-fetch-user': '?1' })
    assert.deepEqual([bed.spawner.asked.at(-1)?.start, unattended], ['start', undefined])

    bed.spawner.seats = async () => granted(workspace.address)
    await visit('/person', { 'sec-fetch-user': '?1' })
    assert.equal((await visit('/page', {})).body, 'hello')
    bed.spawner.send({ event: 'use', data: { workspace: 'lab-alice', question: 'q1' } })
    await bed.spawner.until(() => bed.spawner.useReports.length > 0)
    const [report] = bed.spawner.useReports
    assert.deepEqual(
      report?.uses.map(({ path }) => path),
      ['/person'],
    )
  })

  it('says of a page of Berth that loads itself again since when its person waits', async () => {
    await using bed = await startTestBed()
    bed.spawner.pass = (_request, response) => void response.writeHead(503).end('a page of Berth')
    bed.spawner.seats = async () => createProblem(undefined, 'workspace_stopped', 'It is stopped.')
    const reload = {
      'sec-fetch-mode': 'navigate',
      'sec-fetch-site': 'same-origin',
      'user-agent': 'Chrome/140.0',
    }
    const visit = async (more: object) => {
      const sentAt = performance.now()
      await bed.request({ navigation: true, headers: { ...reload, ...more } })
      return { sentAt, waitedMs: bed.spawner.asked.at(-1)?.waitedMs }
    }
    const own = await visit({ 'sec-fetch-user': '?1' })
    assert.equal(own.waitedMs, undefined, 'what a person does now undoes what was stopped before')
    for (let turn = 0; turn < 3; turn += 1) {
      const { sentAt, waitedMs = 0 } = await visit({})
      assert.ok(waitedMs >= Math.floor(sentAt - own.sentAt) - 50, `${waitedMs} ms`)
      assert.ok(waitedMs <= performance.now() - own.sentAt)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await visit({ 'sec-fetch-user': '?1' })
    const { waitedMs = 0 } = await visit({})
    assert.ok(waitedMs < 100, `the latest navigation counts: ${waitedMs} ms`)
  })

  it('never goes to an address outside the pool, even if the spawner grants one', async () => {
    await using bed = await startTestBed()
    const stranger = await bed.workspace((_req, res) => res.end('stranger'), '127.0.0.1')
    bed.spawner.seats = async () => granted(stranger.address)
    const answer = await bed.request({})
    assert.equal(answer.status, 502)
    assert.deepEqual(stranger.requests, [])
  })
})

describe('a request with a lease', () => {
  it('is forwarded without a call to the spawner', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('hello'))
    bed.spawner.seats = async () => granted(workspace.address)
    for (let turn = 0; turn < 5; turn += 1) await bed.request({})
    assert.equal(bed.spawner.asked.length, 1)
  })

  it('requests a seat again once the lease has expired', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('hello'))
    bed.spawner.activity = () => []
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 1_000 })
    await bed.request({})
    await new Promise((resolve) => setTimeout(resolve, 1_020))
    assert.equal((await bed.request({})).status, 200)
    assert.equal(bed.spawner.asked.length, 2)
  })

  it('refuses no member of a group that a restarted spawner admits and has not named yet', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('hello'))
    await bed.introduce([{ ...labRoute, groups: ['staff'] }])
    const others = Array.from({ length: 1_100 }, (_, n) => `g${n}`)
    const headers = { 'x-forwarded-groups': [...others, 'new', 'staff'].join(',') }
    const groupsAsked = () => bed.spawner.asked.splice(0).map(({ user }) => user.groups)
    bed.spawner.seats = async () =>
      createProblem(undefined, 'template_forbidden', 'It is for a group.')
    assert.equal((await bed.request({ headers })).status, 403)
    assert.deepEqual(groupsAsked(), [['staff']], 'the spawner has named all that it admits')

    await bed.spawner.kill()
    bed.spawner.forgetRoutes()
    await bed.spawner.revive()
    bed.spawner.seats = async ({ user }) =>
      user.groups.includes('g7')
        ? granted(workspace.address)
        : createProblem(undefined, 'template_forbidden', 'It is for a group.')
    const answer = await bed.request({ headers })
    assert.equal(answer.body, 'hello')
    const [first, second = []] = groupsAsked()
    assert.deepEqual(first, ['staff'], 'a lease under these groups would go on being used')
    assert.equal(second.length, 1_000)
    assert.ok(second.includes('staff'))

    // Its own pages and the portal know these members, too.
    bed.spawner.pass = (_request, response) => void response.end('a page of Berth')
    await bed.request({ path: '/.berth/', headers })
    assert.match(String(bed.spawner.passed.at(-1)?.headers['berth-groups']), /,g7,/)
    await bed.introduce([{ ...labRoute, groups: ['staff', 'g7'] }])
    await bed.request({ path: '/.berth/', headers })
    assert.deepEqual(bed.spawner.passed.at(-1)?.headers['berth-groups'], 'g7,staff')
  })

  it('calls no address unknown while a restarted spawner has not told its routes', async () => {
    await using bed = await startTestBed()
    await bed.introduce([{ ...labRoute, hosts: ['berth.test'] }])
    const headers = { host: 'new.berth.test' }
    assert.equal((await bed.request({ headers })).status, 404)
    await bed.spawner.kill()
    bed.spawner.forgetRoutes()
    await bed.spawner.revive()
    assert.equal((await bed.request({ headers })).status, 503)
    await bed.introduce([{ ...labRoute, hosts: ['berth.test'] }])
    assert.equal((await bed.request({ headers })).status, 404)
  })

  it('requests a seat of its own for another subject of the same name, and for other groups', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('hello'))
    bed.spawner.seats = async () => granted(workspace.address)
    await bed.request({})
    await bed.request({ headers: { 'x-forwarded-user': 'u-somebody-else' } })
    await bed.request({ headers: { 'x-forwarded-groups': 'staff' } })
    assert.deepEqual(
      bed.spawner.asked.map(({ user }) => [user.subject, user.groups.join()]),
      [
        ['u-alice', ''],
        ['u-somebody-else', ''],
        ['u-alice', 'staff'],
      ],
    )
  })

  it('is held when its workspace cannot be connected to, and requests another seat that names the failed generation', async () => {
    await using bed = await startTestBed()
    const old = await bed.workspace((_req, res) => res.end('old'))
    const fresh = await bed.workspace((_req, res) => res.end('fresh'))
    bed.spawner.seats = async () => granted(old.address, { generation: 'g1' })
    assert.equal((await bed.request({})).body, 'old')
    await old.close()
    bed.spawner.seats = async () => granted(fresh.address, { generation: 'g2' })
    const answer = await bed.request({ method: 'POST', body: 'kept' })
    assert.equal(answer.body, 'fresh')
    assert.equal(bed.spawner.asked.at(-1)?.unreachable, 'g1')
  })

  it('that reached the workspace is never sent again', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((req) => req.socket.destroy())
    bed.spawner.seats = async () => granted(workspace.address)
    const answer = await bed.request({ method: 'POST', body: 'once' })
    assert.equal(answer.status, 502)
    assert.equal((JSON.parse(answer.body) as { code: string }).code, 'workspace_unreachable')
    assert.equal(workspace.requests.length, 1)
  })

  it('ends at its deadline when no granted seat can be connected to', async () => {
    await using bed = await startTestBed({ config: { REQUEST_WAIT_TIMEOUT: 600 } })
    const gone = await bed.workspace((_req, res) => res.end())
    await gone.close()
    bed.spawner.seats = async () => granted(gone.address)
    const answer = await bed.request({})
    assert.equal(answer.status, 502)
    assert.ok(bed.spawner.asked.length < 20, `asked ${bed.spawner.asked.length} times`)
  })

  it('requests a seat again when the spawner revokes the generation', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('hello'))
    bed.spawner.seats = async () => granted(workspace.address)
    await bed.request({})
    await bed.introduce([labRoute])
    bed.spawner.send({ event: 'revoke', data: { workspace: 'lab-alice', generation: 'g1' } })
    while (bed.spawner.asked.length < 2) await bed.request({})
    assert.equal(bed.spawner.asked[1]?.unreachable, undefined)
  })

  it('reports its use', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('hello'))
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 1_000 })
    await bed.request({})
    await bed.spawner.until(() => bed.spawner.reports.length > 0)
    const [report] = bed.spawner.reports
    assert.equal(report?.director, 'director-1')
    assert.equal(report?.seats[0]?.workspace, 'lab-alice')
    assert.equal(report?.seats[0]?.user, 'alice')
    assert.ok((report?.seats[0]?.lastUseAgoMs ?? Infinity) < 1_000)
  })

  it('reports a slow answer as use, and a background request as no use', async () => {
    await using bed = await startTestBed()
    const slow = Promise.withResolvers<void>()
    const workspace = await bed.workspace((req, res) => {
      if (req.url === '/slow') void slow.promise.then(() => res.end('late'))
      else res.end('hello')
    })
    await bed.introduce([labRoute])
    bed.spawner.seats = async ({ user }) =>
      granted(workspace.address, { leaseMs: 1_000, workspace: `lab-${user.name}` })
    bed.spawner.activity = ({ seats }) =>
      seats.map(({ workspace }) => ({ workspace, leaseMs: 1_000 }))
    const late = bed.request({ path: '/slow' })
    await bed.request({ path: '/api/status', user: 'bob' })
    await bed.spawner.until(() => bed.spawner.reports.length > 2)
    const seats = bed.spawner.reports.flatMap(({ seats }) => seats)
    for (const seat of seats.filter(({ user }) => user === 'alice'))
      assert.deepEqual([seat.lastUseAgoMs, seat.connections], [0, 1])
    const bob = seats.find(({ user }) => user === 'bob')
    assert.ok((bob?.lastUseAgoMs ?? 0) > 60_000)
    slow.resolve()
    assert.equal((await late).body, 'late')
  })
})

describe('a request while the spawner cannot be reached', () => {
  const byName = (host: string, owner = host) => ({
    [aliceWorkspace]: [host],
    [ownerAlias(aliceWorkspace, 'u-alice')]: [owner],
  })

  async function startWithoutSpawner(names: Record<string, readonly string[]>) {
    await using stack = new AsyncDisposableStack()
    const server = stack.use(await startServer())
    const bed = stack.use(await startTestBed({ names, config: { CONTAINER_PORT: server.port } }))
    await bed.introduce([{ ...labRoute, port: server.port }])
    await bed.spawner.kill()
    const built = stack.move()
    return { bed, server, [Symbol.asyncDispose]: () => built.disposeAsync() }
  }

  it('finds its workspace by name, and trusts that address for a moment', async () => {
    await using without = await startWithoutSpawner(byName(workspaceHost))
    for (const navigation of [false, true])
      assert.equal((await without.bed.request({ navigation })).body, 'still here')
  })

  it("finds only its owner's container by name", async () => {
    await using without = await startWithoutSpawner(byName(workspaceHost))
    const answer = await without.bed.request({ headers: { 'x-forwarded-user': 'u-new-alice' } })
    assert.equal(answer.status, 503)
    assert.equal(without.server.served(), 0)
  })

  it("is not forwarded when the name and the owner's alias resolve to different addresses", async () => {
    await using without = await startWithoutSpawner(byName(workspaceHost, '127.5.0.2'))
    assert.equal((await without.bed.request({})).status, 503)
    assert.equal(without.server.served(), 0)
  })

  it('is not forwarded when the name resolves to an address outside the pool', async () => {
    await using without = await startWithoutSpawner(byName('127.0.0.1'))
    assert.equal((await without.bed.request({})).status, 503)
    assert.equal(without.server.served(), 0)
  })

  it('waits only briefly for a spawner that hangs, and later requests do not wait at all', async () => {
    await using without = await startWithoutSpawner(byName(workspaceHost))
    const { bed } = without
    bed.spawner.seats = () => new Promise(() => undefined)
    await bed.spawner.revive()
    const answers = [await timed(bed.request({})), await timed(bed.request({ navigation: true }))]
    for (const { answer, ms } of answers) {
      assert.equal(answer.body, 'still here')
      assert.ok(ms < 10_000, `took ${ms} ms`)
    }
    await new Promise((resolve) => setTimeout(resolve, 2_100))
    const later = await timed(bed.request({ method: 'POST', body: 'x' }))
    assert.equal(later.answer.body, 'still here')
    // To wait for it takes three seconds.
    assert.ok(later.ms < 2_500, `took ${later.ms} ms`)
  })

  it('calls the spawner again as soon as it is back', async () => {
    await using without = await startWithoutSpawner(byName(workspaceHost))
    const { bed, server } = without
    await bed.request({})
    bed.spawner.seats = async () => granted({ host: workspaceHost, port: server.port })
    await bed.spawner.revive()
    while (bed.spawner.asked.length === 0) {
      assert.equal((await bed.request({})).status, 200)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })

  it('survives a restart of the spawner if it was waiting already', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('started'))
    bed.spawner.seats = (_request, signal) => hold(60_000, signal)
    const answer = bed.request({ method: 'POST', body: 'kept' })
    await bed.spawner.until(() => bed.spawner.held() === 1)
    bed.spawner.seats = async () => waiting
    await bed.spawner.kill()
    bed.spawner.seats = async () => granted(workspace.address)
    await bed.spawner.revive()
    assert.equal((await answer).body, 'started')
  })

  it('gets a problem with its text and code', async () => {
    await using without = await startWithoutSpawner({})
    const answer = await without.bed.request({})
    assert.equal(answer.status, 503)
    assert.equal((JSON.parse(answer.body) as { code: string }).code, 'spawner_unreachable')
  })

  it("gets the director's own page for a person, which reloads itself", async () => {
    await using without = await startWithoutSpawner({})
    const { status, headers, body } = await without.bed.request({ navigation: true })
    assert.equal(status, 503)
    assert.match(headers['content-type'] ?? '', /text\/html/)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/)
    assert.ok(headers.refresh)
    assert.equal(headers['cache-control'], 'no-store')
    assert.match(body, /Workspaces cannot be started at the moment/)
  })
})

async function timed<T>(work: Promise<T>): Promise<{ answer: T; ms: number }> {
  const startedAt = performance.now()
  return { answer: await work, ms: performance.now() - startedAt }
}

async function startServer() {
  let served = 0
  const server = http.createServer((_req, res) => {
    served += 1
    res.end('still here')
  })
  await once(server.listen(0, '0.0.0.0'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    served: () => served,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}
