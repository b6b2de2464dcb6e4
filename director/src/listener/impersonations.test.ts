import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import type { Route } from '@berth/shared/contract'
import { parseUserName, type UserName } from '@berth/shared/names'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { WebSocket, WebSocketServer } from 'ws'
import { granted, labRoute, startTestBed } from '../testing/test-bed.ts'
import { createImpersonations } from './impersonations.ts'

const host = 'as-1.portal.test'
const user = (name: string): UserName => parseUserName(name) ?? assert.fail(name)
const bob = { name: user('bøb'), subject: 'u-bob', groups: ['staff', 'x'], email: 'bob@x.test' }
const opened: Route = {
  ...labRoute,
  hosts: [host],
  workspace: 'lab-bob',
  open: '/tree',
  passIdentity: ['user', 'subject', 'groups', 'email'],
  passTokens: ['access', 'id'],
  impersonation: {
    id: 'i1',
    by: { name: user('ann'), subject: 'u-ann' },
    administrators: { group: 'admins', users: [] },
    person: bob,
    lastsMs: 60_000,
  },
}
const ann = {
  host,
  'x-forwarded-groups': 'admins,ops',
  'x-forwarded-email': 'ann@x.test',
  'x-forwarded-access-token': 'of-ann',
  authorization: 'Bearer head.body.sign',
}

async function start() {
  await using stack = new AsyncDisposableStack()
  const bed = stack.use(await startTestBed({ config: { PORTAL_URL: 'http://portal.test' } }))
  const seen: Record<string, unknown>[] = []
  const workspace = await bed.workspace((req, res) => {
    seen.push(req.headers)
    if (req.url === '/stream') res.write('begun')
    else res.end('of bob')
  })
  const sockets = new WebSocketServer({ server: workspace.server })
  sockets.on('connection', (socket) => {
    socket.on('error', () => socket.terminate())
    socket.on('message', (data) => socket.send(data))
  })
  bed.spawner.seats = async () => granted(workspace.address, { workspace: 'lab-bob' })
  await bed.introduce([labRoute, opened], ['admins'])
  const built = stack.move()
  const ask = (headers: Record<string, string> = {}, path = '/x', name = 'ann') =>
    bed.request({ path, user: name, headers: { ...ann, ...headers } })
  return { bed, seen, ask, [Symbol.asyncDispose]: () => built.disposeAsync() }
}

describe('an administrator who has opened a workspace as its owner', () => {
  it('reaches it, and the workspace sees the owner and nothing of the administrator', async () => {
    await using site = await start()
    const { status, body } = await site.ask()
    assert.deepEqual([status, body], [200, 'of bob'])
    const { seen, bed } = site
    const [headers = {}] = seen
    assert.equal(
      Buffer.from(String(headers['x-forwarded-preferred-username']), 'latin1').toString(),
      'bøb',
    )
    assert.equal(headers['x-forwarded-user'], 'u-bob')
    assert.equal(headers['x-forwarded-groups'], 'staff,x')
    assert.equal(headers['x-forwarded-email'], 'bob@x.test')
    assert.doesNotMatch(JSON.stringify(headers), /ann|ops|head\.body/)
    const [asked] = bed.spawner.asked
    assert.deepEqual(asked?.user, bob)
    assert.deepEqual(
      [asked.workspace, asked.impersonation, asked.start, asked.navigation],
      ['lab-bob', 'i1', 'wake', false],
    )
    const line = await bed.logged(({ as }) => as !== undefined)
    assert.deepEqual([line['user'], line['as']], ['ann', 'bøb'])
    // The lines of both services, and the workspace, have the same one.
    assert.match(String(line['requestId']), /^[0-9a-f-]{8,}/)
    assert.deepEqual(
      [bed.spawner.requestIds[0], headers['x-request-id']],
      [line['requestId'], line['requestId']],
    )
  })

  it('is led to where the template opens, and never to a page of Berth', async () => {
    await using site = await start()
    const page = { accept: 'text/html' }
    const answer = await site.ask(page, '/')
    assert.deepEqual([answer.status, answer.headers.location], [307, '/tree'])
    for (const path of ['/.berth/', '/.berth/status']) {
      const own = await site.ask(page, path)
      assert.equal(own.status, 403, path)
      assert.doesNotMatch(own.body, /href="\/\.berth\//)
    }
    assert.deepEqual(site.bed.spawner.passed, [])
  })

  it('hazard: anybody else at that address, also another administrator, or the same name by another sign-in: is refused', async () => {
    await using site = await start()
    for (const [name, headers] of [
      ['bøb', { 'x-forwarded-user': 'u-bob' }],
      ['carol', {}],
      ['ann', { 'x-forwarded-user': 'u-other' }],
    ] as const) {
      const latin = Buffer.from(name).toString('latin1')
      const { status, body } = await site.ask(headers, '/x', latin)
      assert.equal(status, 403, name)
      assert.match(body, /not_admin/)
    }
    assert.deepEqual(site.seen, [])
    assert.deepEqual(site.bed.spawner.asked, [])
  })

  it('hazard: a person who is no administrator any more: is refused at the next request', async () => {
    await using site = await start()
    assert.equal((await site.ask()).status, 200)
    for (const groups of ['ops', 'admin', ''])
      assert.equal((await site.ask({ 'x-forwarded-groups': groups })).status, 403)
    assert.equal(site.seen.length, 1)
  })

  it('is refused when the time is over', async () => {
    await using site = await start()
    const { impersonation } = opened
    assert(impersonation !== undefined)
    await site.bed.introduce([
      { ...opened, impersonation: { ...impersonation, id: 'i2', lastsMs: 0 } },
    ])
    let answer
    // A request that the end meets is cut.
    do answer = await site.ask().catch(() => undefined)
    while (answer?.status !== 403)
    assert.match(answer.body, /is over/)
  })

  it('does not get the lease of the owner, nor the owner that of the administrator', async () => {
    await using site = await start()
    await site.ask()
    const own = { 'x-forwarded-groups': 'staff,x', 'x-forwarded-email': 'bob@x.test' }
    const name = Buffer.from('bøb').toString('latin1')
    await site.bed.request({ user: name, headers: { ...own, 'x-forwarded-user': 'u-bob' } })
    assert.deepEqual(
      site.bed.spawner.asked.map(({ impersonation }) => impersonation),
      ['i1', undefined],
    )
  })

  it('hazard: a stream and a WebSocket that are open at the end: are cut', async () => {
    await using site = await start()
    const { bed } = site
    const socket = new WebSocket(`ws://127.0.0.1:${bed.director.port}/ws`, {
      headers: {
        ...ann,
        'x-forwarded-preferred-username': 'ann',
        'x-forwarded-user': 'u-ann',
        origin: `http://${host}`,
      },
    })
    socket.on('error', () => undefined)
    await once(socket, 'open')
    const sent = bed.begin({ path: '/stream', user: 'ann', headers: ann })
    sent.end()
    const [stream] = (await once(sent, 'response')) as [IncomingMessage]
    stream.resume()
    const ended = [once(socket, 'close'), assert.rejects(once(stream, 'end'), /aborted/)]
    await bed.introduce([labRoute], ['admins'])
    await Promise.all(ended)
    assert.equal((await site.ask()).status, 200, 'only the route by name, of the administrator')
  })
})

describe('how long an impersonation lasts', () => {
  it('hazard: a spawner that is away and cannot end it: it ends by itself, and a later snapshot does not begin it anew', async () => {
    const time = createFakeTime()
    using impersonations = createImpersonations(time.setTimer)
    impersonations.follow([opened])
    let cuts = 0
    impersonations.begin('i1', () => (cuts += 1))
    const over = impersonations.begin('i1', () => assert.fail('it has ended before'))
    over[Symbol.dispose]()
    await time.pass(59_999)
    assert.equal(impersonations.isLive('i1'), true)
    await time.pass(1)
    assert.equal(impersonations.isLive('i1'), false)
    assert.equal(cuts, 1)
    impersonations.follow([opened])
    assert.equal(impersonations.isLive('i1'), false)
  })
})
