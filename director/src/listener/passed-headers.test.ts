import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { Secret } from '@berth/shared/secret'
import type { DirectorConfig } from '@berth/shared/director-settings'
import { WebSocket, WebSocketServer } from 'ws'
import { granted, labRoute, startTestBed } from '../testing/test-bed.ts'

const secret = 'sixteen characters of it'
const endsAt = '2026-01-01T12:00:00Z'
const bearer = 'Bearer head.body.sign'
const gateway = {
  'berth-gateway-secret': secret,
  'x-forwarded-groups': 'staff,admins',
  'x-forwarded-access-token': 'of-the-gateway',
  authorization: bearer,
}
/** Headers that a gateway of this configuration neither sets nor removes. */
const forged = {
  'remote-user': 'kept: no header of this gateway',
  'x-auth-request-user': 'eve',
  'x-auth-request-access-token': 'eve',
  'x-forwarded-id-token': 'eve',
  'x-forwarded-prefix': '/eve',
  'berth-user': 'eve',
  'berth-ends-at': 'never',
  forwarded: 'for=eve',
}

type Seen = Record<string, string | string[] | undefined>

async function start(config: Partial<DirectorConfig> = {}) {
  await using stack = new AsyncDisposableStack()
  const bed = stack.use(
    await startTestBed({ config: { GATEWAY_SECRET: new Secret(secret), ...config } }),
  )
  const seen: Seen[] = []
  const workspace = await bed.workspace((req, res) => {
    seen.push(req.headers)
    res.end()
  })
  const sockets = new WebSocketServer({ server: workspace.server })
  sockets.on('connection', (socket, req) => {
    seen.push(req.headers)
    socket.close()
  })
  bed.spawner.seats = async ({ template }) => ({
    ...granted(workspace.address, { generation: template }),
    ...(template === 'told' ? { endsAt } : {}),
  })
  await bed.introduce([
    labRoute,
    {
      ...labRoute,
      template: 'told',
      hosts: ['told.test'],
      passIdentity: ['user', 'subject', 'groups', 'email'],
      passTokens: ['access', 'id'],
    },
  ])

  async function webSocket(headers: Record<string, string>): Promise<number> {
    const socket = new WebSocket(`ws://127.0.0.1:${bed.director.port}/ws`, { headers })
    socket.on('error', () => socket.terminate())
    const opened = once(socket, 'close').then(() => 101)
    const refused = once(socket, 'unexpected-response').then(
      ([, response]) => (response as { statusCode: number }).statusCode,
    )
    return await Promise.race([refused, opened])
  }

  /** The same as a request and as a WebSocket: statuses, and what the workspace saw of each. */
  async function both(more: Record<string, string>) {
    const before = seen.length
    const headers = {
      'x-forwarded-preferred-username': 'alice',
      'x-forwarded-user': 'u-alice',
      host: 'told.test',
      ...gateway,
      ...more,
    }
    const { status } = await bed.request({ headers })
    return { status, upgrade: await webSocket(headers), seen: seen.slice(before) }
  }
  const built = stack.move()
  return { both, [Symbol.asyncDispose]: () => built.disposeAsync() }
}

const tellTale = /^(x-forwarded-(?!for$|host$|proto$)|x-auth|berth-|authorization$|forwarded$)/

function told(headers: Seen): Seen {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => tellTale.test(name)))
}

describe('what an application receives about the way of a request', () => {
  it('has every address that a proven gateway tells, and then the gateway’s own', async () => {
    await using test = await start()
    const { seen } = await test.both({ 'x-forwarded-for': '203.0.113.7, 10.9.9.9' })
    assert.deepEqual(
      seen.map((headers) => headers['x-forwarded-for']),
      ['203.0.113.7, 10.9.9.9, 127.0.0.1', '203.0.113.7, 10.9.9.9, 127.0.0.1'],
    )
  })

  it('hazard: has no address that a client tells where nothing proves the gateway', async () => {
    await using test = await start({ GATEWAY_SECRET: undefined })
    const { seen } = await test.both({ 'x-forwarded-for': '203.0.113.7' })
    assert.deepEqual(
      seen.map((headers) => headers['x-forwarded-for']),
      ['127.0.0.1', '127.0.0.1'],
    )
  })

  for (const [publicUrl, came, shown] of [
    ['https://berth.test:8443', 'told.test', 'told.test:8443'],
    ['https://berth.test', 'told.test:4180', 'told.test'],
  ] as const)
    it(`has the host with the port of ${publicUrl}, as the Origin of its pages`, async () => {
      await using test = await start({ PUBLIC_URL: publicUrl })
      const { status, upgrade, seen } = await test.both({ host: came, origin: `https://${shown}` })
      assert.deepEqual([status, upgrade], [200, 101])
      for (const headers of seen)
        assert.deepEqual([headers.host, headers['x-forwarded-host']], [shown, shown])
    })
})

describe('hazard: the identity that an application receives', () => {
  it('is the gateway’s own if its route passes it on, whatever the client sends', async () => {
    await using test = await start()
    const { status, upgrade, seen } = await test.both(forged)
    assert.deepEqual([status, upgrade], [200, 101])
    for (const headers of seen)
      assert.deepEqual(told(headers), {
        'x-forwarded-preferred-username': 'alice',
        'x-forwarded-user': 'u-alice',
        'x-forwarded-groups': 'staff,admins',
        'x-forwarded-access-token': 'of-the-gateway',
        authorization: bearer,
        'berth-ends-at': endsAt,
      })
  })

  it('is absent if its route passes nothing on', async () => {
    await using test = await start()
    const { status, upgrade, seen } = await test.both({ ...forged, host: 'berth.test' })
    assert.deepEqual([status, upgrade], [200, 101])
    assert.equal(seen.length, 2)
    for (const headers of seen) assert.deepEqual(told(headers), {})
  })

  for (const [what, more, status] of [
    ['a name spelt with an underscore', { x_forwarded_preferred_username: 'eve' }, 400],
    ['a token spelt with an underscore', { 'x-forwarded_access-token': 'eve' }, 400],
    ['two names in one', { 'x-forwarded-preferred-username': 'alice, eve' }, 403],
    ['two subjects in one', { 'x-forwarded-user': 'u-alice,u-eve' }, 403],
    ['no subject', { 'x-forwarded-user': '' }, 401],
    ['another secret', { 'berth-gateway-secret': 'sixteen characters of mine' }, 403],
  ] as const)
    it(`${what}: refused before it reaches the workspace or the spawner`, async () => {
      await using test = await start()
      const answer = await test.both(more)
      assert.deepEqual([answer.status, answer.upgrade], [status, status])
      assert.deepEqual(answer.seen, [])
    })

  it('has no ID token if the Authorization proves the gateway', async () => {
    await using test = await start()
    const basic = `Basic ${Buffer.from(`u-alice:${secret}`).toString('base64')}`
    const { seen, status } = await test.both({ authorization: basic })
    assert.equal(status, 200)
    for (const headers of seen) assert.equal(headers.authorization, undefined)
  })
})
