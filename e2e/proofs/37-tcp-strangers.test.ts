// Proof 37: who reaches a service by TCP, and what it costs: through SSH as oneself, guests, and clients that mean no good.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import type { Place } from '../clients/place.ts'
import { createSshClient, readableFolder, type SshClient } from '../clients/ssh.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected, workspacesOf } from '../engine/belongings.ts'
import { peakMemoryBytes } from '../engine/peak-memory.ts'
import { buildPostgres } from '../engine/postgres-image.ts'
import { attempt, run } from '../run/command.ts'
import { eventually, within } from '../run/deadline.ts'
import { freePorts } from '../run/free-ports.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

const echoServer =
  "require('node:net').createServer({{ allowHalfOpen: true }, (socket) => {{ socket.on('error', () => socket.destroy()); socket.pipe(socket) }}).listen(7000)"
/** Accepts connections, and reads nothing. */
const deafServer =
  "require('node:net').createServer({{ pauseOnConnect: true }, (socket) => socket.on('error', () => socket.destroy())).listen(7000)"

describe('proof 37: TCP through SSH, guests, and clients that mean no good', () => {
  let berth: Deployment
  let director: Place
  let host = ''
  let ssh: SshClient
  let keys = ''
  const own = process.pid.toString(36)
  const image = `berth-e2e-postgres-${own}-strangers`
  const [echoPort, deafPort, gamePort, tablePort, brokenPort] = [
    15_702, 15_703, 15_704, 15_705, 15_706,
  ]
  const mostFromOne = 600

  const templates = `
x-tcp: &tcp
  kind: tcp
  mem_limit: 256m
templates:
  db:
    <<: *tcp
    prefix: s${own}
    image: ${image}
    port: 5432
    ssh: { method: exec }
    idle: { freeze: 3s, stop: 5m }
  echo:
    <<: *tcp
    prefix: e${own}
    image: berth/hello
    port: 7000
    command: [node, -e, "${echoServer}"]
    route: { port: ${echoPort} }
    sources: { ann: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16] }
  deaf:
    <<: *tcp
    prefix: d${own}
    image: berth/hello
    port: 7000
    command: [node, -e, "${deafServer}"]
    route: { port: ${deafPort} }
    sources: { ann: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16] }
  broken:
    <<: *tcp
    prefix: b${own}
    image: berth/hello
    port: 7000
    command: [node, -e, "console.error('no data folder'); process.exit(3)"]
    route: { port: ${brokenPort} }
    sources: { ann: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16] }
  game: &game
    <<: *tcp
    prefix: g${own}
    image: berth/hello
    port: 7000
    command: [node, -e, "${echoServer}"]
    route: { port: ${gamePort} }
    allow: { guests: true }
    seats: { concurrent: 2 }
    seats_by: connection
    limits: { workspaces: 1 }
  table:
    <<: *game
    prefix: t${own}
    route: { port: ${tablePort} }
    seats_by: address
`

  const takeDown = takenDownAtTheEnd(async () => {
    await ssh?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
    await rm(keys, { recursive: true, force: true })
    await attempt('docker', ['image', 'rm', '--force', image])
  })
  before(async () => {
    keys = await readableFolder()
    await buildPostgres(image)
    berth = await deploy({
      name: 'strangers',
      templates,
      moreComposeFiles: ['e2e/compose/ssh.yml'],
      settings: {
        SSH_PORT: '2222',
        SSH_KEYS_FOLDER: '/etc/berth/ssh-keys',
        KEYS_OF_PROOF: keys,
        TCP_PORTS: '15700-15800',
        TCP_CONNECTIONS_PER_ADDRESS: String(mostFromOne),
        REQUEST_WAIT_TIMEOUT: '30s',
        MAX_CONNECTIONS_PER_USER: '2000',
        MAX_WEBSOCKETS_PER_USER: '2000',
      },
    })
    await findDirector()
    ssh = await createSshClient(host, 2222)
    await writeFile(join(keys, 'ann'), `${ssh.publicKey}\n`, { mode: 0o644 })
  })
  after(takeDown)

  async function findDirector(): Promise<void> {
    const [place] = await berth.directorPlaces()
    assert.ok(place !== undefined && 'host' in place)
    director = place
    host = place.host
    await servesRequests()
  }
  /** Which tells who ann is, and starts nothing. */
  async function servesRequests(): Promise<void> {
    const asked = asTheGateway(berth, director, 'ann').ask('/.berth/status')
    const answer = await within(10_000, 'an answer of the director', asked)
    assert.equal(answer.status, 200, await answer.text())
  }
  const client = (...command: string[]): Promise<string> =>
    run('docker', ['run', '--rm', '--network', 'host', image, ...command], { withinMs: 150_000 })
  const select = (port: number, sql: string): Promise<string> =>
    client('psql', '-h', '127.0.0.1', '-p', String(port), '-d', 'postgres', '-Atc', sql)
  const through = (to: string, input = '') =>
    ssh.tool('ssh', ['-F', ssh.config, '-W', to, 'ann+db@berth'], {
      input: Buffer.from(input, 'latin1'),
      withinMs: 120_000,
    })
  const sslRequest = '\0\0\0\x08\x04\xd2\x16\x2f'

  it('lets psql in through -L, as the person who signed in by SSH, cold and frozen', async () => {
    const [local = 0] = await freePorts(1)
    using forwarding = ssh.open('ann+db', [
      ...['-v', '-N', '-o', 'ExitOnForwardFailure=yes', '-L', `${local}:s${own}-ann:5432`],
    ])
    await forwarding.until(/Local forwarding listening on 127\.0\.0\.1 port/)
    assert.equal((await select(local, 'select 6 * 7')).trim(), '42')
    await eventually('the workspace is frozen', 40_000, async () => {
      const { State } = await inspected(berth.engine, `s${own}-ann`)
      return State.Status === 'paused'
    })
    assert.equal((await select(local, 'select 6 * 8')).trim(), '48')
  })

  it('passes one connection through -W', async () => {
    const { stdout, stderr } = await through('localhost:5432', sslRequest)
    assert.equal(stdout.toString(), 'N', stderr)
  })

  it('refuses the way to the spawner, the engine, another person, link-local addresses and the director itself', async () => {
    const [spawner] = await berth.services('spawner')
    const address = spawner?.NetworkSettings.Networks[`${berth.instance}-internal`]?.IPAddress
    const elsewhere = [
      ...[
        'spawner:8082',
        `${address}:8082`,
        '172.17.0.1:2375',
        `s${own}-bea:5432`,
        `e${own}-ann:7000`,
      ],
      ...[
        '169.254.169.254:80',
        `${host}:8080`,
        `${host}:${echoPort}`,
        '0.0.0.0:8080',
        '[fe80::1]:80',
      ],
    ]
    for (const to of elsewhere) {
      const { code, stdout } = await through(to, 'GET / HTTP/1.0\r\n\r\n')
      assert.notEqual(code, 0, to)
      assert.equal(stdout.toString(), '', to)
    }
    // The loopback address is that of the workspace, where nothing listens on the port of the director.
    for (const to of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080']) {
      const { code, stdout } = await through(to, 'GET / HTTP/1.0\r\n\r\n')
      assert.notEqual(code, 0, to)
      assert.equal(stdout.toString(), '', to)
    }
    assert.match(
      await berth.logs('director', 'all'),
      /"wanted":"169\.254\.169\.254:80".*ssh forwarding refused/,
    )
  })

  it('leads no request of HTTP to a service of TCP', async () => {
    for (const path of ['/', '/.berth/x']) {
      const answer = await asTheGateway(berth, director, 'ann').ask(path)
      assert.doesNotMatch(await answer.text(), /Berth-Workspace: s/, path)
    }
  })

  it('gives each connection of a guest a seat of one shared workspace, which ends with the connection', async () => {
    const [first, second] = [await open(gamePort), await open(gamePort)]
    for (const socket of [first, second]) assert.equal(await answerOf(socket, 'x'), 'x')
    const listed = await workspacesOf(berth.engine, berth.instance)
    const games = listed.filter(({ Names: [name = ''] }) => name.startsWith(`/g${own}-shared--`))
    assert.equal(games.length, 1)
    const third = await open(gamePort)
    third.write('y')
    let isServed = false
    const served = once(third, 'data').then(() => (isServed = true))
    assert.equal(await answerOf(first, 'z'), 'z')
    assert.equal(isServed, false, 'both seats are taken')
    first.destroy()
    await within(30_000, 'the seat of the first connection', served)
  })

  it('gives all connections of one address one seat', async () => {
    const three = await openMany(3, tablePort)
    for (const socket of three) assert.equal(await answerOf(socket, 'x'), 'x')
    for (const socket of three) socket.end()
    await eventually('each is logged', 10_000, async () => {
      const line = new RegExp(`"user":"(guest--[a-z0-9]{10})","workspace":"t${own}-shared--`, 'g')
      const guests = [...(await berth.logs('director', 'all')).matchAll(line)].map(
        ([, name]) => name,
      )
      return guests.length === 3 && new Set(guests).size === 1
    })
  })

  async function answerOf(socket: Socket, text: string): Promise<string> {
    const answer = once(socket, 'data')
    socket.write(text)
    return String((await within(60_000, 'an answer', answer))[0])
  }

  const sockets = new Set<Socket>()
  afterEach(() => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  })
  /** @returns once it is connected */
  async function open(port: number): Promise<Socket> {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
    socket.on('error', () => undefined)
    sockets.add(socket)
    await within(30_000, 'a connection', once(socket, 'connect'))
    return socket
  }
  /** In order, or by a reset. */
  const ends = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      socket.resume().once('end', resolve).once('close', resolve)
    })
  const openMany = (count: number, port: number): Promise<Socket[]> =>
    Promise.all(Array.from({ length: count }, () => open(port)))
  async function closeAll(sockets: readonly Socket[]): Promise<void> {
    // An end in order would end one way alone, and what never reads does not end the other one.
    for (const socket of sockets) socket.resetAndDestroy()
    await eventually('the director has closed them', 30_000, async () => {
      const open = /berth_connections\{protocol="tcp"\} (\d+)/.exec(await metrics())
      return open?.[1] === '0'
    })
  }
  async function metrics(): Promise<string> {
    const script = "fetch('http://127.0.0.1:9090/metrics').then(r => r.text()).then(console.log)"
    return berth.compose('exec', '--no-TTY', 'director', 'node', '-e', script)
  }
  async function peak(): Promise<number> {
    const [service] = await berth.services('director')
    return (await peakMemoryBytes(berth.engine, service?.Id ?? '')) / 1024 ** 2
  }
  async function echoed(text: string): Promise<string> {
    const socket = await open(echoPort)
    socket.end(text)
    let answer = ''
    for await (const piece of socket) answer += String(piece)
    return answer
  }

  it('ends the connection in order when the start fails, and says why', async () => {
    const socket = await open(brokenPort)
    const errors: unknown[] = []
    socket.on('error', (error) => errors.push(error))
    socket.write(Buffer.alloc(1024 ** 2))
    await within(60_000, 'the end', ends(socket))
    assert.deepEqual(errors, [])
    await eventually('it is logged', 10_000, async () =>
      /"template":"broken"[^\n]*"code":"start_failed","reason":"[^"]+/.test(
        await berth.logs('director', 'all'),
      ),
    )
  })

  it('hazard: a workspace that connects to the director is no guest, and no person', async () => {
    assert.equal(await echoed('hello'), 'hello')
    const [service] = await berth.services('director')
    const { NetworkSettings } = await inspected(berth.engine, `e${own}-ann`)
    const near = Object.keys(NetworkSettings.Networks).flatMap(
      (network) => service?.NetworkSettings.Networks[network]?.IPAddress ?? [],
    )
    assert.equal(near.length, 1, 'the director is on the network of the workspace')
    for (const port of [gamePort, echoPort]) {
      const script = `const s = require('net').connect(${port}, '${near[0]}'); s.write('stolen'); s.on('data', (d) => console.log('data ' + d)).on('error', (e) => console.log(e.code)).on('close', () => console.log('closed'))`
      const said = await run('docker', ['exec', `e${own}-ann`, 'node', '-e', script])
      assert.doesNotMatch(said, /data/)
      assert.match(said, /closed/)
    }
  })

  it('bounds the memory of clients that never send, never read, or flood single bytes, and serves the others', async (context) => {
    assert.equal(await echoed('hello'), 'hello')
    const deaf = await open(deafPort)
    deaf.write('x')
    await eventually('the deaf service runs', 60_000, async () => {
      const { State } = await inspected(berth.engine, `d${own}-ann`)
      return State.Running
    })
    deaf.resetAndDestroy()
    const before = await peak()
    const report = async (what: string): Promise<void> =>
      context.diagnostic(
        `${what}: peak of the director ${(await peak()).toFixed(0)} MiB, before ${before.toFixed(0)} MiB`,
      )

    const silent = await openMany(500, echoPort)
    await servesRequests()
    await report('500 that never send')
    await closeAll(silent)

    const unread = await openMany(50, echoPort)
    const lot = Buffer.alloc(16 * 1024 ** 2)
    for (const socket of unread) socket.pause().write(lot)
    await servesRequests()
    assert.equal(await echoed('hello'), 'hello')
    await report('50 that send 16 MiB and never read')
    await closeAll(unread)

    const floods = await openMany(100, deafPort)
    for (let round = 0; round < 2_000; round += 1) {
      for (const socket of floods) socket.write('x')
      await new Promise(setImmediate)
    }
    await servesRequests()
    await report('100 that flood single bytes')
    await closeAll(floods)

    assert.equal(await echoed('hello'), 'hello')
    const more = (await peak()) - before
    // They have sent 800 MiB. Most of the peak is garbage of what went through before each connection was full.
    assert.ok(more < 256, `the director took ${more.toFixed(0)} MiB more`)
  })

  it('takes a bounded number of connections from one address, and writes a bounded number of lines about the others', async () => {
    // One of an earlier test may still be counted, and would take a place.
    await closeAll([])
    const held = await openMany(mostFromOne, echoPort)
    await eventually('all are counted', 30_000, async () =>
      new RegExp(`berth_connections\\{protocol="tcp"\\} ${mostFromOne}\\n`).test(await metrics()),
    )
    const refused = await openMany(400, echoPort)
    await within(30_000, 'the end of each', Promise.all(refused.map(ends)))
    await servesRequests()
    // The engine takes its time to pass the lines on.
    const lines = await eventually('lines about them are in the log', 30_000, async () => {
      const text = await berth.logs('director', 'all')
      const found = text.match(/too many connections from this address/g)
      return found !== null && found.length >= 100 && found.length
    })
    assert.ok(lines <= 200, `${lines} lines`)
    await closeAll([...held, ...refused])
  })

  it('closes the connections of an edge that never sends its header, and says why', async () => {
    await berth.reconfigure({ PROXY_FROM: '10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16' }, 'director')
    await findDirector()
    await eventually('the port is open', 30_000, async () => {
      const socket = connect({ host, port: echoPort }).on('error', () => undefined)
      const isOpen = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'close').then(() => false),
      ]).catch(() => false)
      socket.destroy()
      return isOpen
    })
    const silent = await openMany(200, echoPort)
    for (const socket of silent.slice(100)) socket.write('PROXY TCP4 192.0')
    await within(20_000, 'the end of each', Promise.all(silent.map(ends)))
    await servesRequests()
    assert.match(
      await berth.logs('director'),
      /is in PROXY_FROM: the header did not come within 10 s/,
    )
  })
})
