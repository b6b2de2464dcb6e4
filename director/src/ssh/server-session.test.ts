import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { after, afterEach, before, describe, it } from 'node:test'
import { systemClock } from '@berth/shared/clock'
import type { SshServerRequest } from '@berth/shared/contract'
import { createLog } from '@berth/shared/log'
import { createProblem } from '@berth/shared/problems'
import { systemTimer } from '@berth/shared/timer'
import ssh2, { type ClientChannel, type ServerChannel } from 'ssh2'
import { startTestSshServer, type TestSshServer } from '../testing/ssh-server.ts'
import {
  granted,
  labRoute,
  startTestBed,
  workspaceHost,
  type TestBed,
} from '../testing/test-bed.ts'
import type { Reached } from './reach.ts'
import { Refused } from './refused.ts'
import { createServerSignIn } from './server-sign-in.ts'
import { createStartSession } from './server-session.ts'
import { createTurns } from './turns.ts'

const keys = ssh2.utils.generateKeyPairSync('ed25519')

describe('a session at the SSH server in a workspace', () => {
  let folder: string
  let bed: TestBed
  let server: TestSshServer
  const checked: SshServerRequest[] = []
  const clients: ssh2.Client[] = []
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-ssh-server-'))
    await mkdir(join(folder, 'people'))
    await writeFile(join(folder, 'people', 'alice'), `${keys.public}\n`)
    server = await startTestSshServer()
    bed = await startTestBed({
      config: {
        SSH_PORT: 0,
        SSH_HOST_KEYS: join(folder, 'host-keys'),
        SSH_KEYS_FOLDER: join(folder, 'people'),
      },
    })
    bed.spawner.seats = async () => granted({ host: workspaceHost, port: 1 })
    await introduce(server.port)
  })
  afterEach(() => {
    for (const client of clients.splice(0)) client.end()
    bed.spawner.checkServer = (request) => void checked.push(request)
    server.serve = undefined
    server.asked.length = 0
  })
  after(async () => {
    await bed[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  const introduce = (port: number, user = 'dev') =>
    bed.introduce([{ ...labRoute, sshServer: { user, port } }])

  async function signedIn(): Promise<ssh2.Client> {
    const client = new ssh2.Client()
    clients.push(client)
    const port = bed.director.sshPort ?? 0
    client.connect({ host: '127.0.0.1', port, username: 'alice', privateKey: keys.private })
    await once(client, 'ready')
    client.on('error', () => undefined)
    return client
  }
  async function begin(
    start: (
      client: ssh2.Client,
      done: (error: Error | undefined, channel: ClientChannel) => void,
    ) => void,
  ): Promise<ClientChannel> {
    const client = await signedIn()
    return new Promise((resolve, reject) =>
      start(client, (error, channel) => (error === undefined ? resolve(channel) : reject(error))),
    )
  }
  const run = (command: string): Promise<ClientChannel> =>
    begin((client, done) => client.exec(command, done))
  async function finish(channel: ClientChannel) {
    const read = async (stream: AsyncIterable<Buffer>) => {
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk)
      return Buffer.concat(chunks)
    }
    const exit = once(channel, 'exit') as Promise<unknown[]>
    const [output, errors] = await Promise.all([read(channel), read(channel.stderr)])
    return { output, errors, exit: await exit }
  }

  it('is that of the user whom the template names, by the key of the directors, once the spawner knows the server', async () => {
    checked.length = 0
    bed.spawner.checkServer = (request) => void checked.push(request)
    const done = await finish(await run('echo out; echo err >&2; exit 42'))
    assert.deepEqual(
      [done.output.toString(), done.errors.toString(), done.exit],
      ['out\n', 'err\n', [42]],
    )
    const [asked] = checked
    assert.equal(asked?.hostKey, server.hostKey)
    assert.deepEqual(
      [asked?.workspace, asked?.generation, asked?.user],
      ['lab-alice', 'g1', 'alice'],
    )
    assert.equal(server.admitted.at(-1), asked?.key)
    assert.equal(bed.spawner.sessions(), 0)
  })

  it('has the terminal of the client, with its modes, its variables and each new size', async () => {
    const channel = await begin((client, done) =>
      client.shell(
        {
          cols: 123,
          rows: 45,
          term: 'xterm-256color',
          modes: { VERASE: 8, ECHO: 0 } as unknown as ssh2.TerminalModes,
        },
        { env: { LC_ALL: 'C.UTF-8', PATH: '/nowhere' } },
        done,
      ),
    )
    channel.write('typed')
    await once(channel, 'data')
    assert.deepEqual(server.asked, [
      'env LC_ALL=C.UTF-8',
      'pty 123x45 xterm-256color erase 008 -echo',
      'shell',
      'window 123x45',
    ])
    channel.setWindow(11, 99, 0, 0)
    channel.end('more')
    await finish(channel)
    assert.equal(server.asked.at(-1), 'window 99x11')
  })

  it('passes signals on, and tells the client by which one the process has ended', async () => {
    const channel = await run('echo there; exec sleep 60')
    await once(channel, 'data')
    channel.signal('TERM')
    const { exit } = await finish(channel)
    assert.deepEqual(exit.slice(0, 2), [null, 'SIGTERM'])
    const line = await bed.logged(({ signal }) => signal === 'TERM')
    assert.equal(line['exitCode'], undefined)
  })

  it('passes megabytes on unchanged, both ways at once, and ends the input alone', async () => {
    const bytes = randomBytes(12 * 1024 ** 2 + 1)
    const channel = await run('cat; echo end >&2')
    const done = finish(channel)
    channel.end(bytes)
    const { output, errors, exit } = await done
    assert.ok(output.equals(bytes))
    assert.deepEqual([errors.toString(), exit], ['end\n', [0]])
  })

  it('is a subsystem where the client wants one', async () => {
    const channel = await begin((client, done) => client.subsys('sftp', done))
    channel.end('asked')
    const { output } = await finish(channel)
    assert.equal(output.toString(), 'asked')
    assert.deepEqual(server.asked, ['subsystem sftp'])
  })

  it('ends with its client: its process gets SIGHUP, and the server loses the connection', async () => {
    const channel = await run('trap "" HUP; echo there; exec sleep 60')
    await once(channel, 'data')
    for (const client of clients.splice(0)) client.end()
    await server.until(() => server.clients() === 0)
    assert.equal(server.asked[1], 'signal HUP')
  })

  it('asks for the seat once more where the spawner does not know the one that the director knew', async () => {
    const before = bed.spawner.asked.length
    bed.spawner.checkServer = () => {
      bed.spawner.checkServer = () => undefined
      return createProblem(undefined, 'workspace_unknown', 'The workspace has ended.')
    }
    const { output, errors } = await finish(await run('echo again'))
    assert.deepEqual([output.toString(), errors.toString()], ['again\n', ''])
    assert.equal(bed.spawner.asked.length, before + 1)
  })

  it('ends with the seat: the person is told why at once, and gets exit code 254', async () => {
    const channel = await run('echo there; exec sleep 60')
    await once(channel, 'data')
    const finished = finish(channel)
    bed.spawner.send({
      event: 'revoke',
      data: { workspace: 'lab-alice', generation: 'g1', reason: 'idle' },
    })
    const { errors, exit } = await finished
    assert.deepEqual(exit, [254])
    assert.match(errors.toString(), /^berth: The workspace was stopped, because nobody used it/)
    await server.until(() => server.clients() === 0)
    assert.equal(server.asked[1], 'signal HUP')
  })

  const refusals: readonly [why: string, prepare: () => Promise<unknown> | void, says: RegExp][] = [
    [
      'the server has another key than before',
      () => {
        bed.spawner.checkServer = () =>
          createProblem(undefined, 'host_key_changed', 'Restart the workspace.')
      },
      /^berth: The SSH server of the workspace has another key\. Restart the workspace\.\n$/,
    ],
    [
      'the server does not admit the user',
      () => introduce(server.port, 'nobody'),
      /does not admit Berth as “nobody”\. AuthorizedKeysFile in its sshd_config has to name \/\.berth\/ssh\/authorized_keys/,
    ],
  ]
  for (const [why, prepare, says] of refusals)
    it(`is refused with one line that says why: ${why}`, async () => {
      await prepare()
      const { errors, exit } = await finish(await run('id'))
      assert.match(errors.toString(), says)
      assert.deepEqual(exit, [255])
      assert.deepEqual(server.asked, [])
      await introduce(server.port)
    })

  it('waits for a server that starts late', async () => {
    const port = await freePort()
    await introduce(port)
    const running = run('echo late')
    await bed.logged(({ message }) => /ssh server of a workspace failed/.test(String(message)))
    await using late = await startTestSshServer(port)
    const { output } = await finish(await running)
    assert.equal(output.toString(), 'late\n')
    assert.deepEqual(late.asked, ['exec echo late'])
    for (const client of clients.splice(0)) client.end()
    await late.until(() => late.clients() === 0)
    await introduce(server.port)
  })
})

async function freePort(): Promise<number> {
  const found = createServer()
  found.listen(0, workspaceHost)
  await once(found, 'listening')
  const { port } = found.address() as AddressInfo
  found.close()
  await once(found, 'close')
  return port
}

/** A seat in a workspace whose server is at that port. */
function reachedAt(port: number): Reached {
  const lease = {
    workspace: 'lab-alice',
    generation: 'g1',
    address: { host: workspaceHost, port: 1 },
  }
  return {
    person: { name: 'alice', subject: '', groups: [] },
    server: { user: 'dev', port },
    seat: { lease, activity: { touch: () => undefined } },
  } as unknown as Reached
}
const made = ssh2.utils.generateKeyPairSync('ed25519')
const around = {
  spawner: { checkServer: async () => ({ status: 'known' }) as const },
  key: { private: made.private, public: '' },
  clock: systemClock,
  setTimer: systemTimer,
  log: createLog({ service: 'test', level: 'silent' }),
}

describe('what does not become an SSH server in time', () => {
  const times = { listenMs: 400, retryMs: 50, signInMs: 150 }
  const signIn = createServerSignIn({ ...around, times })
  const says = async (port: number, words: RegExp) =>
    assert.rejects(
      signIn(reachedAt(port), new AbortController().signal),
      (error: unknown) =>
        error instanceof Refused &&
        error.code === 'workspace_unreachable' &&
        words.test(error.message),
    )
  const serving = async (serve: (socket: Socket) => void) => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined))
      serve(socket)
    })
    server.listen(0, workspaceHost)
    await once(server, 'listening')
    return {
      port: (server.address() as AddressInfo).port,
      async [Symbol.asyncDispose]() {
        for (const socket of sockets) socket.destroy()
        await new Promise((resolve) => server.close(resolve))
      },
    }
  }

  it('is told by its port: nothing listens', async () => {
    const port = await freePort()
    await says(
      port,
      new RegExp(`^No SSH server answers at port ${port} .*: nothing listens there\\.$`),
    )
  })

  it('is told: it says nothing', async () => {
    await using silent = await serving(() => undefined)
    await says(silent.port, /it accepts connections and is silent\.$/)
  })

  it('is told: it speaks something else', async () => {
    await using web = await serving((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await says(web.port, /it closes the connection before it says what it speaks\.$/)
  })

  it('hazard: it never ends its first line: the connection ends', async () => {
    await using endless = await serving((socket) => {
      const go = (): void => {
        while (socket.writable && socket.write('SSH-2.0-'.padEnd(4_096, 'x')));
        socket.once('drain', go)
      }
      go()
    })
    await says(endless.port, /do not understand each other|before/)
  })
})

describe('the turns at a server', () => {
  it('are given to so many at once, and then in order', async () => {
    const turns = createTurns(2)
    const order: string[] = []
    const begun = ['one', 'two', 'three', 'four'].map((name) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const run = turns.run('a', () => {
        order.push(name)
        return promise
      })
      return { run, resolve, reject }
    })
    await turns.run('b', async () => void order.push('other'))
    assert.deepEqual(order, ['one', 'two', 'other'])
    begun[1]?.reject(new Error('broken'))
    await assert.rejects(begun[1]?.run ?? Promise.resolve(), /broken/)
    assert.equal(order.at(-1), 'three')
    begun[0]?.resolve()
    await begun[0]?.run
    assert.equal(order.at(-1), 'four')
    for (const { resolve } of begun) resolve()
    await Promise.all(begun.slice(2).map(({ run }) => run))
  })
})

const mib = 1024 ** 2
const floods: readonly {
  readonly why: string
  readonly pieces: number
  readonly piece: Buffer
  readonly errors: string
}[] = [
  {
    why: 'ssh2 opens its window for each byte of errors, although the output is not read',
    pieces: 40,
    piece: Buffer.alloc(mib),
    errors: '.',
  },
  {
    why: 'ssh2 keeps each packet by itself, however small',
    pieces: 20_000,
    piece: Buffer.alloc(1),
    errors: '',
  },
]
for (const { why, pieces, piece, errors: inBetween } of floods)
  describe(`hazard: ${why}`, () => {
    it('the connection is not read while too much waits for a client, and later nothing is missing', async () => {
      await using server = await startTestSshServer()
      const written = (stream: Writable, bytes: Buffer | string) =>
        new Promise<void>((done) => stream.write(bytes, () => done()))
      const flood = async (channel: ServerChannel): Promise<void> => {
        for (let sent = 0; sent < pieces; sent += 1) {
          await written(channel, piece)
          if (inBetween !== '') await written(channel.stderr, inBetween)
          // A server that is not read does not keep all of it.
          if (sent % 256 === 255) await new Promise((resolve) => setImmediate(resolve))
        }
        channel.exit(0)
        channel.end()
      }
      server.serve = (channel) => void flood(channel)
      const signIn = createServerSignIn(around)
      const held = Promise.withResolvers<number>()
      const start = createStartSession({
        ...around,
        async signIn(...asked) {
          const connection = await signIn(...asked)
          connection.socket.once('pause', () => held.resolve(connection.socket.bytesRead))
          return connection
        },
        inContainer: () => Promise.reject(new Error('not in the container')),
        table: { end: () => undefined },
        closing: new AbortController().signal,
      })
      const reads = Promise.withResolvers<void>()
      let [output, errors] = [0, 0]
      const running = await start(reachedAt(server.port), {
        purpose: { type: 'command', command: 'flood' },
        async printed(stream, bytes) {
          await reads.promise
          if (stream === 'output') output += bytes.length
          else errors += bytes.length
        },
        gone: new AbortController().signal,
      })
      const bytesRead = await held.promise
      assert.ok(bytesRead < 8 * mib, `${bytesRead} bytes were read`)
      reads.resolve()
      assert.deepEqual(await running.ended, { code: 0 })
      assert.deepEqual([output, errors], [pieces * piece.length, pieces * inBetween.length])
    })
  })

describe('hazard: the server begins an exchange of keys and does not go on', () => {
  it('nothing more is taken for it, and the session ends', async () => {
    await using server = await startTestSshServer()
    server.serve = (channel) => {
      const { _client } = channel as unknown as {
        _client: { rekey(): void; readonly _sock: Socket }
      }
      channel.write('begun')
      _client.rekey()
      _client._sock.pause()
    }
    const begun = Promise.withResolvers<void>()
    const start = createStartSession({
      signIn: createServerSignIn(around),
      inContainer: () => Promise.reject(new Error('not in the container')),
      table: { end: () => undefined },
      setTimer: systemTimer,
      closing: new AbortController().signal,
      exchangeMs: 500,
    })
    const running = await start(reachedAt(server.port), {
      purpose: { type: 'command', command: 'cat' },
      printed: () => begun.resolve(),
      gone: new AbortController().signal,
    })
    await begun.promise
    let taken = 0
    const piece = Buffer.alloc(32 * 1024)
    while (taken < 64 * 1024 ** 2 && (await running.write(piece))) taken += piece.length
    assert.ok(taken < 8 * 1024 ** 2, `${taken} bytes were taken`)
    await running.ended
  })
})
