import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Address, Person, Route } from '@berth/shared/contract'
import { parseUserName } from '@berth/shared/names'
import { parseNetwork } from '@berth/shared/networks'
import { createProblem } from '@berth/shared/problems'
import {
  granted,
  hold,
  labRoute,
  startTestBed,
  waiting,
  workspaceHost,
  type TestBed,
  type TestBedOptions,
} from '../testing/test-bed.ts'
import { binaryHeader, certificateField } from './testing/proxy-headers.ts'

const name = (text: string) => {
  const user = parseUserName(text)
  assert.ok(user)
  return user
}
const network = (text: string) => {
  const found = parseNetwork(text)
  assert.ok(found)
  return found
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('a client of TCP', () => {
  let stack: AsyncDisposableStack
  beforeEach(() => {
    stack = new AsyncDisposableStack()
  })
  afterEach(() => stack.disposeAsync())

  let port: number
  async function bedWith(
    config: TestBedOptions['config'] = {},
    tcp: Partial<NonNullable<Route['tcp']>> = {},
  ): Promise<TestBed> {
    port = await freePort()
    const bed = stack.use(
      await startTestBed({ config: { TCP_PORTS: { first: port, last: port }, ...config } }),
    )
    const sources = [{ user: name('alice'), networks: ['127.0.0.1'] }]
    const route = { ...labRoute, scheme: 'tcp' as const, groups: [], listenPort: port }
    await bed.introduce([{ ...route, tcp: { sources, certificates: false, ...tcp } }])
    await bed.logged(({ message }) => message === 'port of a route opened')
    return bed
  }

  interface Echo {
    readonly address: Address
    readonly accepted: Socket[]
  }
  /** A workspace that sends back what it gets, and ends when the client has. */
  async function echo(serve = (socket: Socket) => void socket.pipe(socket)): Promise<Echo> {
    const accepted: Socket[] = []
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket)
      socket.on('error', () => undefined)
      serve(socket)
    })
    await once(server.listen(0, workspaceHost), 'listening')
    stack.defer(async () => {
      for (const socket of accepted) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    return { address: { ...(server.address() as AddressInfo), host: workspaceHost }, accepted }
  }

  function client(localAddress = '127.0.0.1'): Socket {
    const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true })
    socket.on('error', () => undefined)
    stack.defer(() => void socket.destroy())
    return socket
  }
  async function said(socket: Socket): Promise<string> {
    const pieces: Buffer[] = []
    for await (const piece of socket.iterator({ destroyOnReturn: false }))
      pieces.push(piece as Buffer)
    return Buffer.concat(pieces).toString()
  }
  async function ask(socket: Socket, ...parts: (string | Buffer)[]): Promise<string> {
    for (const part of parts) socket.write(part)
    socket.end()
    return said(socket)
  }
  const ended = (bed: TestBed) => bed.logged(({ message }) => message === 'tcp connection ended')

  it('reaches the workspace of the person who has that address, as bytes', async () => {
    const bed = await bedWith()
    const workspace = await echo()
    bed.spawner.seats = async () => granted(workspace.address)
    assert.equal(await ask(client(), 'hello ', 'world'), 'hello world')
    const { user, protocol, start } = bed.spawner.asked[0] ?? {}
    assert.deepEqual(
      [user?.name, user?.subject, protocol, start],
      ['alice', 'u-alice', 'tcp', 'start'],
    )
    const line = await ended(bed)
    const { outcome, bytesIn, bytesOut, template, address } = line
    assert.deepEqual(
      [line['user'], template, address, outcome, bytesIn, bytesOut],
      ['alice', 'lab', '127.0.0.1', 'forwarded', 11, 11],
    )
  })

  it('is held until the workspace is ready, with what it has sent', async () => {
    const bed = await bedWith()
    const workspace = await echo()
    const ready = Promise.withResolvers<void>()
    let asked = 0
    bed.spawner.seats = async (_request, signal) => {
      asked += 1
      if (asked === 1) return hold(1, signal)
      await ready.promise
      return granted(workspace.address)
    }
    const answer = ask(client(), 'early')
    await bed.spawner.until(() => bed.spawner.asked.length === 2)
    assert.equal(workspace.accepted.length, 0)
    ready.resolve()
    assert.equal(await answer, 'early')
  })

  it('is closed when the workspace is not ready in time, and the log says why', async () => {
    const bed = await bedWith({ REQUEST_WAIT_TIMEOUT: 300 })
    bed.spawner.seats = async () => waiting
    assert.equal(await ask(client(), 'early'), '')
    assert.equal((await ended(bed))['code'], 'starting')
  })

  it('hazard: a client that sends all it has while the workspace starts is held back, and nothing is lost', async () => {
    const bed = await bedWith()
    const workspace = await echo()
    const ready = Promise.withResolvers<void>()
    bed.spawner.seats = async () => {
      await ready.promise
      return granted(workspace.address)
    }
    const socket = client()
    const sent = randomBytes(24 * 1024 ** 2)
    socket.end(sent)
    await bed.spawner.until(() => bed.spawner.asked.length > 0)
    const unsent = () => socket.writableLength
    // The buffers of the system are full once nothing more is taken through several rounds.
    for (let rounds = 0, before = -1; rounds < 50; before = unsent()) {
      rounds = unsent() === before ? rounds + 1 : 0
      await new Promise(setImmediate)
    }
    assert.ok(unsent() > 8 * 1024 ** 2, `${unsent()} bytes are held back`)
    ready.resolve()
    const back: Buffer[] = []
    for await (const piece of socket.iterator({ destroyOnReturn: false }))
      back.push(piece as Buffer)
    assert.ok(Buffer.concat(back).equals(sent))
  })

  it('sees the end of its connection, and no reset, when the start was refused or has failed', async () => {
    const bed = await bedWith()
    const lines = () => bed.log.filter(({ message }) => message === 'tcp connection ended')
    for (const code of ['limit_user', 'start_failed'] as const) {
      const before = lines().length
      bed.spawner.seats = async () => createProblem(undefined, code, `Because of ${code}.`)
      const socket = client()
      const errors: Error[] = []
      socket.on('error', (error) => errors.push(error))
      // More than the director reads: a plain close would reset the connection.
      socket.end(Buffer.alloc(1024 ** 2))
      assert.equal(await said(socket), '')
      await once(socket, 'close')
      assert.deepEqual(errors, [])
      await bed.logged(() => lines().length > before)
      const { outcome, reason, code: logged, template } = lines().at(-1) ?? {}
      assert.deepEqual([outcome, logged, template], ['refused', code, 'lab'])
      assert.equal(reason, `Because of ${code}.`)
    }
  })

  it('hazard: a refused client that never reads and goes on sending is cut off', async () => {
    const bed = await bedWith()
    bed.spawner.seats = async () => createProblem(undefined, 'limit_user', 'Too many.')
    const socket = client()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const piece = Buffer.alloc(64 * 1024)
    const send = (error?: Error | null): void => {
      if (!error) socket.write(piece, (failure) => setImmediate(send, failure))
    }
    send()
    await closed
    assert.equal((await ended(bed))['code'], 'limit_user')
  })

  it('hazard: an address of a seat outside the network of workspaces is not connected to', async () => {
    const bed = await bedWith()
    for (const host of ['127.0.0.1', '169.254.169.254', '10.0.0.1', '::1', 'spawner']) {
      const before = bed.log.length
      bed.spawner.seats = async () => granted({ host, port: bed.director.port })
      assert.equal(await ask(client(), 'hello'), '', host)
      await bed.logged(
        (line) =>
          bed.log.indexOf(line) >= before &&
          line['message'] === 'tcp connection ended' &&
          line['code'] === 'workspace_unreachable',
      )
    }
  })

  it('hazard: a workspace is no client, whatever its address is allowed', async () => {
    const bed = await bedWith({}, { sources: [{ user: name('alice'), networks: ['127.0.0.0/8'] }] })
    assert.equal(await said(client('127.5.0.9')), '')
    assert.equal(bed.spawner.asked.length, 0)
  })

  it('goes on to another container if the first one takes no connection', async () => {
    const bed = await bedWith()
    const workspace = await echo()
    const nobody = { host: workspaceHost, port: await freePort() }
    bed.spawner.seats = async ({ unreachable }) =>
      unreachable === 'g1'
        ? granted(workspace.address, { generation: 'g2' })
        : granted(nobody, { generation: 'g1' })
    assert.equal(await ask(client(), 'hello'), 'hello')
  })

  it('is closed at once, and starts nothing, from an address that nobody has', async () => {
    const bed = await bedWith()
    assert.equal(await said(client('127.0.0.2')), '')
    const { code, outcome } = await ended(bed)
    assert.deepEqual([code, outcome, bed.spawner.asked.length], ['identity_missing', 'refused', 0])
  })

  it('is closed if the spawner does not know the person, or refuses the template to them', async () => {
    const bed = await bedWith()
    bed.spawner.login = ({ protocol }) =>
      createProblem(undefined, 'template_forbidden', `No access by ${protocol}.`)
    assert.equal(await said(client()), '')
    const { code, reason } = await ended(bed)
    assert.deepEqual([code, reason], ['template_forbidden', 'No access by tcp.'])
    assert.equal(bed.spawner.asked.length, 0)
  })

  describe('that is a guest', () => {
    const sources = [{ user: name('alice'), networks: ['127.0.0.1'] }]

    async function guestsOf(by: 'address' | 'connection'): Promise<Person[]> {
      const bed = await bedWith({}, { sources, guestsBy: by })
      const workspace = await echo()
      bed.spawner.login = () => createProblem(undefined, 'sign_in_needed', 'Sign in.')
      bed.spawner.seats = async () => granted(workspace.address)
      for (const address of ['127.0.0.2', '127.0.0.2', '127.0.0.3'])
        assert.equal(await ask(client(address), 'hello'), 'hello')
      return bed.spawner.asked.map(({ user }) => user)
    }

    it('has one seat for each address, or one for each connection', async () => {
      const people = await guestsOf('address')
      const names = people.map(({ name }) => name)
      assert.equal(new Set(names).size, 2)
      assert.equal(people.length, 2, 'the second connection has the seat of the first one')
      for (const { name, groups } of people) {
        assert.match(name, /^guest--/)
        assert.deepEqual(groups, [])
      }
      const further = (await guestsOf('connection')).map(({ name }) => name)
      assert.equal(new Set([...names, ...further]).size, 5)
    })

    it('is no person who has signed in, and the other way round', async () => {
      const bed = await bedWith({}, { sources, guestsBy: 'address' })
      const workspace = await echo()
      bed.spawner.seats = async () => granted(workspace.address)
      assert.equal(await ask(client(), 'hello'), 'hello')
      assert.equal(bed.spawner.asked.at(-1)?.user.name, 'alice')
    })

    it('hazard: many guests of one address count as one person for the limits, and their lines are bounded', async () => {
      const bed = await bedWith({ MAX_WEBSOCKETS_PER_USER: 2 }, { guestsBy: 'connection' })
      const workspace = await echo()
      bed.spawner.seats = async () => granted(workspace.address)
      for (let index = 0; index < 2; index += 1) {
        const socket = client('127.0.0.2')
        socket.write('x')
        await once(socket, 'data')
      }
      const refusals = Array.from({ length: 150 }, () => said(client('127.0.0.2')))
      assert.deepEqual(new Set(await Promise.all(refusals)), new Set(['']))
      const lines = bed.log.filter(({ message }) => message === 'tcp connection ended')
      assert.equal(lines.length, 100)
      assert.ok(lines.every(({ code }) => code === 'limit_connections'))
    })

    it('loses the connection when guests are no longer allowed', async () => {
      const bed = await bedWith({}, { guestsBy: 'connection' })
      const workspace = await echo()
      bed.spawner.seats = async () => granted(workspace.address)
      const socket = client('127.0.0.2')
      socket.write('x')
      await once(socket, 'data')
      const route = { ...labRoute, scheme: 'tcp' as const, groups: [], listenPort: port }
      await bed.introduce([{ ...route, tcp: { sources, certificates: false } }])
      assert.equal(await said(socket), '')
    })
  })

  it('is in use by its bytes, and not by an open connection', async () => {
    const bed = await bedWith()
    const workspace = await echo()
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 1_000 })
    bed.spawner.activity = ({ seats }) =>
      seats.map(({ workspace }) => ({ workspace, leaseMs: 1_000 }))
    const socket = client()
    const uses = () => bed.spawner.reports.flatMap(({ seats }) => seats)
    socket.write('x')
    await once(socket, 'data')
    await bed.spawner.until(() => uses().some(({ lastUseAgoMs }) => lastUseAgoMs > 600))
    assert.ok(uses().every(({ connections }) => connections === 1))
    const before = bed.spawner.reports.length
    socket.write('y')
    await bed.spawner.until(() =>
      bed.spawner.reports
        .slice(before)
        .some(({ seats }) => seats.some(({ lastUseAgoMs }) => lastUseAgoMs < 400)),
    )
  })

  it('wakes a frozen workspace with its bytes, which wait until then', async () => {
    const bed = await bedWith()
    const workspace = await echo()
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 300 })
    bed.spawner.activity = () => []
    const socket = client()
    socket.write('one')
    await once(socket, 'data')
    await bed.spawner.until(() => bed.spawner.reports.length > 0)
    const thawed = Promise.withResolvers<void>()
    bed.spawner.seats = async () => {
      await thawed.promise
      return granted(workspace.address)
    }
    let seen = ''
    workspace.accepted[0]?.on('data', (bytes) => (seen += String(bytes)))
    const asked = bed.spawner.asked.length
    socket.write('two')
    await bed.spawner.until(() => bed.spawner.asked.length > asked)
    assert.deepEqual([seen, bed.spawner.asked.at(-1)?.start], ['', 'wake'])
    thawed.resolve()
    assert.equal(String((await once(socket, 'data'))[0]), 'two')
  })

  it('ends with its workspace, also if it never said a word', async () => {
    const bed = await bedWith()
    const workspace = await echo(() => undefined)
    bed.spawner.seats = async () => granted(workspace.address)
    const socket = client()
    await bed.spawner.until(() => bed.spawner.asked.length === 1)
    const accepted = () => workspace.accepted.length === 1
    while (!accepted()) await new Promise(setImmediate)
    bed.spawner.send({ event: 'revoke', data: { workspace: 'lab-alice', generation: 'g1' } })
    assert.equal(await said(socket), '')
    assert.equal((await ended(bed))['outcome'], 'cut')
  })

  it('ends when its person has lost the seat, and the log says why', async () => {
    const bed = await bedWith()
    const workspace = await echo()
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 1_000 })
    bed.spawner.activity = ({ seats }) =>
      seats.map(({ workspace, user }) => ({ workspace, user, leaseMs: 0, seatEnded: true }))
    const socket = client()
    socket.write('x')
    await once(socket, 'data')
    assert.equal(await said(socket), '')
    const { outcome, reason } = await ended(bed)
    assert.deepEqual([outcome, reason], ['cut', 'the seat has ended'])
  })

  it('ends when its port leads nowhere any more', async () => {
    const bed = await bedWith()
    const workspace = await echo()
    bed.spawner.seats = async () => granted(workspace.address)
    const socket = client()
    socket.write('x')
    await once(socket, 'data')
    await bed.introduce([labRoute])
    assert.equal(await said(socket), '')
    await bed.logged(({ message }) => message === 'port of a route closed')
  })

  it('ends when its address is no longer that of the person, and stays otherwise', async () => {
    const sources = [
      { user: name('alice'), networks: ['127.0.0.1'] },
      { user: name('bob'), networks: ['127.0.0.2'] },
    ]
    const bed = await bedWith({}, { sources })
    const workspace = await echo()
    bed.spawner.seats = async () => granted(workspace.address)
    const [alice, bob] = [client(), client('127.0.0.2')]
    for (const socket of [alice, bob]) {
      socket.write('x')
      await once(socket, 'data')
    }
    const route = { ...labRoute, scheme: 'tcp' as const, groups: [], listenPort: port }
    await bed.introduce([{ ...route, tcp: { sources: sources.slice(1), certificates: false } }])
    assert.equal(await said(alice), '')
    bob.write('y')
    assert.equal(String((await once(bob, 'data'))[0]), 'y')
  })

  it('hazard: no request of HTTP reaches a template of TCP, with a port or without one', async () => {
    const bed = await bedWith()
    const workspace = await bed.workspace((_req, res) => res.end('reached'))
    bed.spawner.seats = async () => granted(workspace.address)
    const tcp = { sources: [], certificates: false }
    for (const more of [{}, { listenPort: port }]) {
      await bed.introduce([{ ...labRoute, scheme: 'tcp', ...more, tcp }])
      assert.equal((await bed.request({})).status, 404)
    }
    assert.equal(bed.spawner.asked.length, 0)
  })

  it('is one of a bounded number, in all and from one address', async () => {
    const bed = await bedWith(
      { TCP_CONNECTIONS: 3, TCP_CONNECTIONS_PER_ADDRESS: 2 },
      { sources: [{ user: name('alice'), networks: ['127.0.0.0/8'] }] },
    )
    const workspace = await echo()
    bed.spawner.seats = async () => granted(workspace.address)
    const reasons = () =>
      bed.log
        .filter(({ message }) => message === 'tcp connection ended')
        .map(({ reason }) => reason)
    async function opened(address: string): Promise<Socket> {
      const socket = client(address)
      socket.write('x')
      await once(socket, 'data')
      return socket
    }
    const first = await opened('127.0.0.1')
    await opened('127.0.0.1')
    assert.equal(await said(client('127.0.0.1')), '')
    await opened('127.0.0.3')
    assert.equal(await said(client('127.0.0.4')), '')
    const wanted = ['too many connections from this address', 'too many connections']
    await bed.logged(() => reasons().length === 2)
    assert.deepEqual(reasons(), wanted)
    first.end()
    await said(first)
    await bed.logged(() => reasons().length === 3)
    await opened('127.0.0.1')
  })

  it('is one of a bounded number of its person, from all addresses together', async () => {
    const bed = await bedWith(
      { MAX_WEBSOCKETS_PER_USER: 2 },
      { sources: [{ user: name('alice'), networks: ['127.0.0.0/8'] }] },
    )
    const workspace = await echo()
    bed.spawner.seats = async () => granted(workspace.address)
    for (const address of ['127.0.0.1', '127.0.0.2']) {
      const socket = client(address)
      socket.write('x')
      await once(socket, 'data')
    }
    assert.equal(await said(client('127.0.0.3')), '')
    const { code, reason } = await ended(bed)
    assert.deepEqual([code, reason], ['limit_connections', '2 are open'])
  })

  it('hazard: a template cannot take a port of the director itself', async () => {
    const [own, range] = [await freePort(), { first: 1, last: 65_535 }]
    const bed = stack.use(await startTestBed({ config: { LISTEN_PORT: own, TCP_PORTS: range } }))
    const tcp = { sources: [], certificates: false, guestsBy: 'address' as const }
    await bed.introduce([{ ...labRoute, scheme: 'tcp', listenPort: own, tcp }])
    await bed.logged(
      ({ message }) => message === 'a route names a port that the director itself uses',
    )
    assert.equal((await bed.request({})).status, 404)
    assert.ok(!bed.log.some(({ message }) => String(message).startsWith('port of a route')))
  })

  it('is refused on a port that is not in TCP_PORTS', async () => {
    const bed = stack.use(await startTestBed())
    const listenPort = await freePort()
    const tcp = { sources: [{ user: name('alice'), networks: ['127.0.0.1'] }], certificates: false }
    await bed.introduce([{ ...labRoute, listenPort, tcp }])
    await bed.logged(({ message }) => message === 'a route names a port that is not in TCP_PORTS')
    port = listenPort
    const [error] = (await once(client(), 'error')) as [NodeJS.ErrnoException]
    assert.equal(error.code, 'ECONNREFUSED')
  })

  describe('behind an edge', () => {
    const edge = { PROXY_FROM: [network('127.0.0.9')] }
    const sources = [{ user: name('alice'), networks: ['192.0.2.0/24'] }]
    const line = (source: string) => `PROXY TCP4 ${source} 10.0.0.1 51000 5432\r\n`

    it('is the person whose address the edge tells, and the header goes no further', async () => {
      const bed = await bedWith(edge, { sources })
      const workspace = await echo()
      bed.spawner.seats = async () => granted(workspace.address)
      assert.equal(await ask(client('127.0.0.9'), line('192.0.2.7'), 'hello'), 'hello')
      assert.equal(await ask(client('127.0.0.9'), `${line('192.0.2.8')}hello`), 'hello')
      const binary = binaryHeader({ source: [192, 0, 2, 9] })
      assert.equal(await ask(client('127.0.0.9'), binary, 'hello'), 'hello')
      assert.equal(await ask(client('127.0.0.9'), line('198.51.100.1'), 'hello'), '')
    })

    it('is the person whose certificate the edge has verified, if the template says so', async () => {
      const bed = await bedWith(edge, { sources, certificates: true })
      const workspace = await echo()
      bed.spawner.seats = async () => granted(workspace.address)
      const fields = certificateField('bob')
      const header = binaryHeader({ source: [192, 0, 2, 7], fields })
      assert.equal(await ask(client('127.0.0.9'), header, 'hello'), 'hello')
      assert.equal(bed.spawner.asked.at(-1)?.user.name, 'bob')
    })

    it('hazard: the addresses of one network of IPv6 are one client for the limits', async () => {
      const bed = await bedWith(
        { ...edge, TCP_CONNECTIONS_PER_ADDRESS: 1 },
        { sources: [{ user: name('alice'), networks: ['2001:db8::/32', '192.0.2.0/24'] }] },
      )
      const workspace = await echo()
      bed.spawner.seats = async () => granted(workspace.address)
      async function isServed(source: string): Promise<boolean> {
        const socket = client('127.0.0.9')
        socket.write(`PROXY TCP6 ${source} ::1 51000 5432\r\nx`)
        const data = once(socket, 'data').then(() => true)
        return await Promise.race([data, once(socket, 'end').then(() => false)])
      }
      assert.equal(await isServed('2001:db8::1'), true)
      assert.equal(await isServed('2001:db8::ffff:1'), false)
      assert.equal(await isServed('2001:db8:0:1::1'), true)
      assert.equal(await isServed('::ffff:192.0.2.7'), true)
      assert.equal(await isServed('::ffff:c000:207'), false)
    })

    it('hazard: a client that writes such a header itself gets no other name by it', async () => {
      const bed = await bedWith(edge, {
        sources: [...sources, { user: name('mallory'), networks: ['127.0.0.1'] }],
        certificates: true,
      })
      const workspace = await echo()
      bed.spawner.seats = async () => granted(workspace.address)
      const header = binaryHeader({ source: [192, 0, 2, 7], fields: certificateField('alice') })
      for (const forged of [Buffer.from(line('192.0.2.7')), header]) {
        assert.equal(await ask(client(), forged), forged.toString())
        assert.equal(bed.spawner.asked.at(-1)?.user.name, 'mallory')
      }
      assert.equal(await said(client('127.0.0.2')), '')
    })

    it('hazard: a connection without its header, or with a malformed one, is closed', async () => {
      const bed = await bedWith(edge, { sources })
      for (const text of ['GET / HTTP/1.1\r\n', 'PROXY TCP4 192.0.2.7\r\n', 'PROXY UNKNOWN\r\n'])
        assert.equal(await ask(client('127.0.0.9'), text, 'hello'), '', text)
      assert.equal(bed.spawner.asked.length, 0)
    })
  })
})
