import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { listen } from '@berth/shared/listen'
import { createLog } from '@berth/shared/log'
import { createProblem } from '@berth/shared/problems'
import { parseSubnetPool } from '@berth/shared/subnet-pool'
import { systemTimer } from '@berth/shared/timer'
import ssh2, { type ClientChannel, type ConnectConfig } from 'ssh2'
import { granted, labRoute, startTestBed, type TestBed } from '../testing/test-bed.ts'
import { makeWellFormed, readHostKeys } from './host-keys.ts'
import { startSshListener } from './ssh-listener.ts'

const log = createLog({ service: 'test', level: 'silent' })
const pool = parseSubnetPool('127.5.0.0/16')
const keys = ssh2.utils.generateKeyPairSync('ed25519')
const others = ssh2.utils.generateKeyPairSync('ed25519')

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-ssh-test-'))
  await mkdir(join(folder, 'people'))
  await writeFile(join(folder, 'people', 'alice'), `${keys.public} alice@laptop\n`)
})
after(() => rm(folder, { recursive: true }))

describe('the host keys', () => {
  it('are made once, for any number of directors at the same time, readable by their owner only', async () => {
    const shared = join(folder, 'race')
    const made = await Promise.all(Array.from({ length: 6 }, () => readHostKeys(shared)))
    const prints = new Set(made.map((read) => read.map((key) => key.fingerprint).join()))
    assert.equal(prints.size, 1)
    assert.deepEqual(
      made[0]?.map(({ type }) => type),
      ['ssh-ed25519', 'ecdsa-sha2-nistp256'],
    )
    for (const { privateKey } of made[0] ?? []) assert.match(privateKey, /PRIVATE KEY/)
    const { mode } = await stat(join(shared, 'ssh_host_ed25519_key'))
    assert.equal(mode & 0o077, 0)
    assert.deepEqual(await readHostKeys(shared), made[0])
  })

  it('are made again where ssh2 has made a malformed one', () => {
    const { private: text } = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
    const made = [text.replace(/[A-Za-z0-9+/]{20}/, 'A'), text]
    assert.equal(
      makeWellFormed(() => ({ private: made.shift() ?? '' })),
      text,
    )
  })

  it('that are damaged are refused: clients would take a new one for an attack', async () => {
    const broken = join(folder, 'broken')
    await mkdir(broken)
    await writeFile(join(broken, 'ssh_host_ed25519_key'), 'nonsense')
    await assert.rejects(readHostKeys(broken), /ssh_host_ed25519_key/)
    assert.equal(await readFile(join(broken, 'ssh_host_ed25519_key'), 'utf8'), 'nonsense')
  })
})

describe('a template that only SSH leads to', () => {
  it('has no address on the web, and the log says if SSH is off', async () => {
    await using bed = await startTestBed()
    await bed.introduce([{ ...labRoute, scheme: 'none' }])
    const { status, body } = await bed.request({ headers: { accept: 'application/json' } })
    assert.equal(status, 404, body.toString())
    await bed.logged(
      ({ message, template }) =>
        message === 'a template is reached by SSH only, and SSH_PORT is not set' &&
        template === labRoute.template,
    )
  })
})

describe('a client of SSH', () => {
  let bed: TestBed
  before(async () => {
    bed = await startTestBed({
      config: {
        SSH_PORT: 0,
        SSH_HOST_KEYS: join(folder, 'host-keys'),
        SSH_KEYS_FOLDER: join(folder, 'people'),
      },
    })
    bed.spawner.seats = async () => granted({ host: '127.5.0.1', port: 1 })
    await bed.introduce([labRoute])
  })
  after(() => bed[Symbol.asyncDispose]())

  async function signedIn(more: Partial<ConnectConfig> = {}): Promise<ssh2.Client> {
    const client = new ssh2.Client()
    const port = bed.director.sshPort ?? 0
    client.connect({
      host: '127.0.0.1',
      port,
      username: 'alice',
      privateKey: keys.private,
      ...more,
    })
    await once(client, 'ready')
    // The connection may be reset after the test has ended it.
    client.on('error', () => undefined)
    return client
  }
  const begin = (client: ssh2.Client, command: string): Promise<ClientChannel> =>
    new Promise((resolve, reject) =>
      client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel))),
    )
  async function finish(channel: ClientChannel) {
    const read = async (stream: AsyncIterable<Buffer>) => {
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk)
      return Buffer.concat(chunks)
    }
    const code = once(channel, 'exit').then(([value]) => value as number)
    const [output, errors] = await Promise.all([read(channel), read(channel.stderr)])
    return { output, errors, code: await code }
  }

  it('gets output, errors and exit code of its command, and what it sends arrives unchanged', async () => {
    const client = await signedIn()
    const done = await finish(await begin(client, 'echo out; echo err >&2; exit 42'))
    assert.deepEqual(
      [done.output.toString(), done.errors.toString(), done.code],
      ['out\n', 'err\n', 42],
    )
    const bytes = randomBytes(5 * 1024 ** 2 + 3)
    const channel = await begin(client, 'cat')
    channel.end(bytes)
    assert.ok((await finish(channel)).output.equals(bytes))
    client.end()
  })

  it('gets both streams unchanged, far beyond its window on each at once', async () => {
    const client = await signedIn()
    const size = 6 * 1024 ** 2
    const fill = (letter: string) => `head -c ${size} /dev/zero | tr '\\0' ${letter}`
    const channel = await begin(client, `${fill('o')} & ${fill('e')} >&2 & wait`)
    const { output, errors, code } = await finish(channel)
    assert.ok(output.equals(Buffer.alloc(size, 'o')))
    assert.ok(errors.equals(Buffer.alloc(size, 'e')))
    assert.equal(code, 0)
    client.end()
  })

  it('is refused with another key, another name, a password, and a signature that proves nothing', async () => {
    class Forger extends ssh2.BaseAgent {
      override getIdentities(done: (error: undefined, keys: ssh2.ParsedKey[]) => void): void {
        const parsed = ssh2.utils.parseKey(keys.public)
        done(
          undefined,
          [parsed].flat().filter((key): key is ssh2.ParsedKey => !(key instanceof Error)),
        )
      }
      override sign(_key: unknown, _data: unknown, ...rest: unknown[]): void {
        const done = rest.at(-1) as (error: undefined, signature: Buffer) => void
        done(undefined, randomBytes(64))
      }
    }
    const bare = { privateKey: undefined as never }
    const tries: Partial<ConnectConfig>[] = [
      { privateKey: others.private },
      { username: '../people/alice' },
      { username: 'bob' },
      { ...bare, password: 'secret' },
      { ...bare, agent: new Forger() },
    ]
    for (const more of tries)
      await assert.rejects(signedIn(more), /All configured authentication methods failed/)
  })

  it('reads in one line why there is no session', async () => {
    const client = await signedIn()
    const { login, seats } = bed.spawner
    bed.spawner.login = () => createProblem(undefined, 'template_forbidden', 'Ask\nsomebody.')
    const refused = await finish(await begin(client, 'true'))
    bed.spawner.login = login
    assert.equal(refused.code, 255)
    assert.equal(refused.errors.toString(), 'berth: You have no access to this. Ask somebody.\n')
    bed.spawner.seats = async () =>
      createProblem(undefined, 'start_failed', 'The application ended with exit code 3.')
    // Another name: the seat of the first is held already.
    bed.spawner.login = ({ user }) => ({
      person: { name: user, subject: 'another', groups: [] },
      template: 'lab',
    })
    const failed = await finish(await begin(client, 'true'))
    Object.assign(bed.spawner, { login, seats })
    assert.match(failed.errors.toString(), /could not be started\. The application ended/)
    assert.equal(failed.code, 255)
    client.end()
  })

  it('asks for a seat as SSH, with what the gateway told last of the person', async () => {
    const asked = bed.spawner.asked.at(-1)
    assert.equal(asked?.protocol, 'ssh')
    assert.equal(asked?.start, 'start')
    assert.equal(asked?.user.subject, 'another')
  })

  it('is told why when its workspace is stopped or its seat ends, and gets exit code 254', async () => {
    const client = await signedIn()
    const stopped = await begin(client, 'echo begun; exec sleep 60')
    await once(stopped, 'data')
    bed.spawner.send({
      event: 'revoke',
      data: { workspace: 'lab-alice', generation: 'g1', reason: 'idle' },
    })
    const one = await finish(stopped)
    assert.equal(one.code, 254)
    assert.match(one.errors.toString(), /^berth: The workspace was stopped, because nobody used it/)
    const { activity, seats } = bed.spawner
    bed.spawner.activity = (report) =>
      report.seats.map(({ workspace, user }) => ({ workspace, user, leaseMs: 0, seatEnded: true }))
    bed.spawner.seats = async () => granted({ host: '127.5.0.1', port: 1 }, { leaseMs: 1_000 })
    const lost = await finish(await begin(client, 'exec sleep 60'))
    bed.spawner.activity = activity
    bed.spawner.seats = seats
    assert.equal(lost.code, 254)
    assert.match(lost.errors.toString(), /^berth: Your seat in this workspace has ended/)
    client.end()
  })

  it('ends its process when it leaves', async () => {
    const client = await signedIn()
    await begin(client, 'sleep 4716')
    await bed.spawner.until(() => bed.spawner.sessions() === 1)
    client.end()
    await bed.spawner.until(() => bed.spawner.sessions() === 0)
  })

  const forwarded = (client: ssh2.Client, host: string, port: number): Promise<ClientChannel> =>
    new Promise((resolve, reject) =>
      client.forwardOut('127.0.0.1', 1, host, port, (error, channel) =>
        error ? reject(error) : resolve(channel),
      ),
    )

  it('is connected to its own workspace by name and by loopback, and each side may end first', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket))
    const port = await listen(server, 0, '127.5.0.1')
    const client = await signedIn()
    for (const host of ['localhost', '127.0.0.1', '::1', 'lab-alice']) {
      const channel = await forwarded(client, host, port)
      const bytes = randomBytes(3 * 1024 ** 2)
      channel.end(bytes)
      const chunks: Buffer[] = []
      for await (const chunk of channel as AsyncIterable<Buffer>) chunks.push(chunk)
      assert.ok(Buffer.concat(chunks).equals(bytes), host)
    }
    client.end()
    server.close()
  })

  it('hazard: it wants to be connected elsewhere: that is refused', async () => {
    const client = await signedIn()
    for (const host of [
      'spawner',
      '10.0.0.1',
      '169.254.169.254',
      'lab-bob',
      '127.0.0.2',
      '127.5.0.2',
    ])
      await assert.rejects(forwarded(client, host, bed.spawner.port), /open failure/i, host)
    // Its own loopback address is that of the workspace, not of the director.
    await assert.rejects(forwarded(client, 'localhost', bed.spawner.port))
    client.end()
  })

  it('has the SFTP subsystem and no other, and its signals arrive', async () => {
    const client = await signedIn()
    const subsystem = (name: string): Promise<ClientChannel> =>
      new Promise((resolve, reject) =>
        client.subsys(name, (error, channel) => (error ? reject(error) : resolve(channel))),
      )
    const files = await subsystem('sftp')
    files.end('as it is')
    assert.equal((await finish(files)).output.toString(), 'as it is')
    await assert.rejects(subsystem('netconf'))
    const trapped = await begin(
      client,
      'trap "echo usr; exit 3" USR1; echo set; while :; do sleep 0.1; done',
    )
    await once(trapped, 'data')
    trapped.signal('USR1')
    assert.equal((await finish(trapped)).code, 3)
    client.end()
  })

  it('reads the last lines of the log of a start that failed', async () => {
    const client = await signedIn({ username: 'alice' })
    const { login, seats } = bed.spawner
    bed.spawner.login = ({ user }) => ({
      person: { name: user, subject: 'a-third', groups: [] },
      template: 'lab',
    })
    bed.spawner.seats = async () =>
      createProblem(undefined, 'start_failed', 'It ended with exit code 3.', {
        log: ['no such\u001b[31m file'],
      })
    const failed = await finish(await begin(client, 'true'))
    Object.assign(bed.spawner, { login, seats })
    assert.match(failed.errors.toString(), /exit code 3\.\nberth: \| no such \[31m file\n$/)
    client.end()
  })
})

describe('a client that has not signed in', () => {
  const bounds = { signInMs: 300, mostUnknown: 4, mostUnknownFromOne: 3, mostConnections: 100 }

  async function listener(signInMs = bounds.signInMs) {
    assert.ok(pool)
    return startSshListener({
      port: 0,
      pool,
      hostKeys: await readHostKeys(join(folder, 'host-keys')),
      authenticate: { methods: ['publickey'], signIn: async () => undefined },
      serveSession: async () => undefined,
      forwarding: { forward: async () => undefined, listen: () => Promise.reject(new Error()) },
      mayBeSet: () => false,
      maxAgeMs: 0,
      setTimer: systemTimer,
      log,
      bounds: { ...bounds, signInMs },
    })
  }
  async function opened(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }

  for (const [what, said] of [
    ['says nothing', ''],
    ['says half a banner', 'SSH-2.0-half'],
    ['begins the exchange of keys, and no more', 'SSH-2.0-probe\r\n'],
    ['does not speak SSH', 'GET / HTTP/1.1\r\n\r\n'],
  ] as const)
    it(`hazard: it ${what}: its connection ends in time`, async () => {
      await using server = await listener()
      const socket = await opened(server.port)
      socket.resume()
      socket.write(said)
      await once(socket, 'close')
    })

  it('hazard: it opens many connections: further ones end at once, and others are served', async () => {
    await using server = await listener(30_000)
    const held = await Promise.all([1, 2, 3].map(() => opened(server.port)))
    // Each has its banner: it is counted.
    await Promise.all(held.map((socket) => once(socket, 'data')))
    const further = await opened(server.port)
    further.resume()
    await once(further, 'close')
    assert.ok(held.every((socket) => !socket.destroyed))
    const elsewhere = await opened(server.port, '127.0.0.2')
    const [banner] = (await once(elsewhere, 'data')) as [Buffer]
    assert.match(banner.toString('latin1'), /^SSH-2\.0-/)
    for (const socket of [...held, elsewhere]) socket.destroy()
  })

  it('hazard: it comes from a workspace: it is not served', async () => {
    await using server = await listener()
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: '127.5.0.9' })
    socket.on('error', () => undefined)
    socket.resume()
    await once(socket, 'close')
    assert.equal(socket.bytesRead, 0)
  })
})
