// Proof 37: workspaces by TCP: an echo server, and PostgreSQL with its own clients.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected } from '../engine/belongings.ts'
import { buildPostgres } from '../engine/postgres-image.ts'
import { attempt, run } from '../run/command.ts'
import { eventually, within } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

/** Sends back what it gets, and ends when the client has. */
const echoServer =
  "require('node:net').createServer({{ allowHalfOpen: true }, (socket) => {{ socket.on('error', () => socket.destroy()); socket.pipe(socket) }}).listen(7000)"

describe('proof 37: workspaces by TCP', () => {
  let berth: Deployment
  let host = ''
  const own = process.pid.toString(36)
  const image = `berth-e2e-postgres-${own}`
  const workspaceOf = (template: string, user = 'ann') => `${template}${own}-${user}`
  const [echoPort, databasePort, lonelyPort] = [15_700, 15_432, 15_701]

  const templates = (sources: string) => `
x-tcp: &tcp
  kind: tcp
  mem_limit: 256m
  allow: { groups: [staff], certificates: true }
  sources: { ann: [${sources}] }
templates:
  echo:
    <<: *tcp
    prefix: echo${own}
    image: berth/hello
    port: 7000
    command: [node, -e, "${echoServer}"]
    route: { port: ${echoPort} }
    idle: { freeze: 3s, stop: 5m }
  lonely:
    <<: *tcp
    prefix: lonely${own}
    image: berth/hello
    port: 7000
    command: [node, -e, "${echoServer}"]
    route: { port: ${lonelyPort} }
    sources: { ann: [192.0.2.1] }
  database:
    <<: *tcp
    prefix: db${own}
    image: ${image}
    port: 5432
    route: { port: ${databasePort} }
    idle: { freeze: 3s, stop: 5m }
`

  const takeDown = takenDownAtTheEnd(async () => {
    await berth?.[Symbol.asyncDispose]()
    await attempt('docker', ['image', 'rm', '--force', image])
  })
  before(async () => {
    await buildPostgres(image)
    berth = await deploy({
      name: 'tcp',
      // This machine is the gateway of the network on which it reaches the director.
      templates: templates('10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16'),
      settings: { TCP_PORTS: '15432-15800' },
    })
    await findDirector()
  })
  after(takeDown)

  async function findDirector(): Promise<void> {
    const [place] = await berth.directorPlaces()
    assert.ok(place !== undefined && 'host' in place)
    host = place.host
    // The gateway tells who ann is. No workspace is started.
    const answer = await asTheGateway(berth, place, 'ann').ask('/.berth/status')
    assert.equal(answer.status, 200, await answer.text())
  }

  function open(port = echoPort): Socket {
    const socket = connect({ host, port, allowHalfOpen: true })
    socket.on('error', () => undefined)
    return socket
  }
  async function all(socket: Socket): Promise<string> {
    const pieces: Buffer[] = []
    for await (const piece of socket.iterator({ destroyOnReturn: false }))
      pieces.push(piece as Buffer)
    return Buffer.concat(pieces).toString('latin1')
  }
  function echoed(text: string, port = echoPort): Promise<string> {
    const socket = open(port)
    socket.end(text)
    return within(120_000, 'the echo', all(socket))
  }
  const stateOf = async (template: string): Promise<string> =>
    (await inspected(berth.engine, workspaceOf(template))).State.Status
  const frozen = (template: string): Promise<boolean> =>
    eventually(
      'the workspace is frozen',
      40_000,
      async () => (await stateOf(template)) === 'paused',
    )
  const client = (...command: string[]): Promise<string> =>
    run('docker', ['run', '--rm', '--network', 'host', image, ...command], { withinMs: 150_000 })

  it('holds a connection while the container is made, and passes bytes on both ways', async () => {
    assert.equal(await echoed('hello'), 'hello')
    const { State } = await inspected(berth.engine, workspaceOf('echo'))
    assert.equal(State.Running, true)
  })

  it('passes 16 MiB on unchanged', async () => {
    const text = 'berth'.repeat((16 * 1024 ** 2) / 5)
    assert.equal(await echoed(text), text)
  })

  it('freezes a workspace whose connections are silent, and wakes it by a byte and by a connection', async () => {
    const socket = open()
    socket.write('one')
    await within(30_000, 'an answer', once(socket, 'data'))
    await frozen('echo')
    socket.write('two')
    const [answer] = (await within(30_000, 'an answer', once(socket, 'data'))) as [Buffer]
    assert.equal(String(answer), 'two')
    await frozen('echo')
    assert.equal(await echoed('three'), 'three')
    socket.end()
    assert.equal(await within(30_000, 'the end', all(socket)), '')
  })

  it('ends the connections of a workspace that was stopped, and starts it by the next one', async () => {
    const socket = open()
    socket.write('one')
    await within(30_000, 'an answer', once(socket, 'data'))
    const ended = all(socket)
    await run('docker', ['stop', '--time', '1', workspaceOf('echo')])
    await within(30_000, 'the end', ended)
    socket.destroy()
    assert.equal(await echoed('again'), 'again')
  })

  it('serves 200 connections at once, in one container', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => echoed(`number ${index}`)),
    )
    assert.deepEqual(
      answers,
      answers.map((_, index) => `number ${index}`),
    )
  })

  it('closes a connection from an address that nobody has, and starts nothing', async () => {
    assert.equal(await within(30_000, 'the end', all(open(lonelyPort))), '')
    await assert.rejects(inspected(berth.engine, workspaceOf('lonely')))
    await eventually('it is logged', 10_000, async () =>
      /"code":"identity_missing"[^\n]*tcp connection ended/.test(await berth.logs('director')),
    )
  })

  it('lets psql wait for the start of PostgreSQL, and for its thaw', async () => {
    const ask = (sql: string) =>
      client('psql', '-h', host, '-p', String(databasePort), '-d', 'postgres', '-Atc', sql)
    assert.equal((await ask('select 6 * 7')).trim(), '42')
    await ask('create table kept as select 1 as one')
    await frozen('db')
    assert.equal((await ask('select one from kept')).trim(), '1')
  })

  it('carries pgbench with 20 connections', async () => {
    const at = ['-h', host, '-p', String(databasePort)]
    await client('pgbench', ...at, '-i', '-q', 'postgres')
    const report = await client('pgbench', ...at, '-c', '20', '-j', '2', '-T', '5', 'postgres')
    assert.match(report, /number of failed transactions: 0 /)
    const [, tps] = /tps = ([\d.]+)/.exec(report) ?? []
    assert.ok(Number(tps) > 0, report)
  })

  it('believes the header of an edge in PROXY_FROM, and nothing else from there', async () => {
    await berth.reconfigure({ PROXY_FROM: '10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16' }, 'director')
    await findDirector()
    await eventually('the port is open', 30_000, async () => {
      const answer = await echoed('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello', lonelyPort)
      return answer === 'hello'
    })
    assert.equal(await echoed('hello'), '')
    assert.equal(await echoed('PROXY TCP4 198.51.100.1 192.0.2.2 1 2\r\nhello', lonelyPort), '')
  })
})
