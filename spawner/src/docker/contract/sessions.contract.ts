import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { abortAfter } from '@berth/shared/deadline'
import type { SessionPurpose } from '@berth/shared/contract'
import { commandFor } from '../../loop/check-session.ts'
import type { EngineSession, SessionOrder, SessionOutput } from '../../loop/engine.ts'
import type { TemplateSpec } from '../../templates/template.ts'
import {
  createEngineUnderTest,
  nameOf,
  person,
  run,
  valueOf,
  type EngineUnderTest,
} from './fixture.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const execute = promisify(execFile)
const docker = async (...args: string[]): Promise<string> =>
  (await execute('docker', args, { cwd: root, timeout: 300_000 })).stdout.trim()

/** What the image of the spawner has, without building all of it. */
async function buildTools(folder: string): Promise<string> {
  const target = ['--target', 'tools', '--file', 'spawner/Dockerfile']
  const image = await docker('build', '--quiet', ...target, '.')
  const container = await docker('create', image, 'true')
  const archive = join(folder, 'tools.tar')
  await docker('cp', `${container}:/tools.tar`, archive)
  await docker('cp', `${container}:/bin/busybox`, join(folder, 'busybox'))
  await docker('rm', container)
  return archive
}

/** An image with busybox alone, and one that has nothing but one static program. */
async function buildSmallImages(folder: string): Promise<{ busybox: string; scratch: string }> {
  const build = async (name: string, lines: readonly string[]): Promise<string> => {
    const file = join(folder, name)
    await writeFile(file, ['FROM scratch', ...lines].join('\n'))
    return docker('build', '--quiet', '--file', file, folder)
  }
  return {
    busybox: await build('of-busybox', [
      'COPY busybox /bin/busybox',
      'RUN ["/bin/busybox", "--install", "-s", "/bin"]',
    ]),
    scratch: await build('of-nothing', ['COPY busybox /sleep']),
  }
}

describe('sessions on a real engine', () => {
  let folder: string
  let test: EngineUnderTest
  let images: { busybox: string; scratch: string }
  let id: string
  const signal = new AbortController().signal

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-tools-'))
    const toolsArchive = await buildTools(folder)
    images = await buildSmallImages(folder)
    test = createEngineUnderTest('10.219.19.0/24', undefined, { toolsArchive })
    assert.equal(await test.engine.createNetwork(0, signal), 'created')
    id = await started('ann', { environment: { GREETING: 'hello' } })
  })
  after(async () => {
    await test?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  async function started(
    user: string,
    spec: Partial<TemplateSpec> = {},
    method: 'exec' | 'attach' = 'exec',
  ): Promise<string> {
    const template = { ...test.template(spec), ssh: { method, shell: '/bin/sh', user: '' } }
    const workspace = nameOf(test.prefix, user)
    const order = { workspace, template, owner: person(user), network: 0 }
    const { generation } = valueOf(await test.engine.createContainer(order, signal))
    valueOf(await test.engine.startContainer(generation, 0, signal))
    return generation
  }

  const order = (line: string | undefined, more: Partial<SessionOrder> = {}): SessionOrder => ({
    command: line === undefined ? ['/bin/sh', '-l'] : ['/bin/sh', '-c', line],
    user: '',
    environment: {},
    ...more,
  })
  const opened = async (line: string | undefined, more: Partial<SessionOrder> = {}) =>
    valueOf(await test.engine.openSession(id, order(line, more), signal))

  async function finish(session: EngineSession) {
    const output: Buffer[] = []
    const errors: Buffer[] = []
    for await (const { kind, bytes } of session.output)
      (kind === 'output' ? output : errors).push(Buffer.from(bytes))
    const code = await session.exitCode(signal)
    return { output: Buffer.concat(output), errors: Buffer.concat(errors), code }
  }

  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  /** How many processes in the container have exactly this command. */
  async function processes(command: string): Promise<number> {
    const { Processes } = (await test.docker.getContainer(id).top({ ps_args: '-eo pid,args' })) as {
      Processes: string[][]
    }
    return Processes.filter(([, args]) => args === command).length
  }
  async function until(command: string, count: number): Promise<void> {
    const deadline = abortAfter(10_000)
    while ((await processes(command)) !== count) deadline.throwIfAborted()
  }

  it('is attached to the first process with others: one terminal, and leaving it ends nothing', async () => {
    const command = [
      '/bin/sh',
      '-c',
      'stty -echo; while read -r line; do echo "<$line>"; [ "$line" = end ] && exit 9; done',
    ]
    const generation = await started('bob', { command }, 'attach')
    const attached = async () => {
      const session = valueOf(
        await test.engine.openSession(
          generation,
          { user: '', environment: {}, terminal: { columns: 111, rows: 22 } },
          signal,
        ),
      )
      let text = ''
      let changed = Promise.withResolvers<void>()
      const reading = (async () => {
        for await (const { bytes } of session.output) {
          text += bytes.toString()
          changed.resolve()
          changed = Promise.withResolvers()
        }
      })()
      const until = async (words: string) => {
        while (!text.includes(words)) await changed.promise
      }
      return { session, reading, until }
    }
    const one = await attached()
    const two = await attached()
    await one.session.write(Buffer.from('from one\n'))
    await Promise.all([one.until('<from one>'), two.until('<from one>')])
    await one.session.hangUp(signal)
    await one.reading
    await two.session.write(Buffer.from('from two\nend\n'))
    await two.until('<end>')
    await two.reading
    assert.equal(await two.session.exitCode(signal), 9)
  })

  it('has output, errors, exit code, home, variables and the environment of the container', async () => {
    const line = 'echo out $GREETING $LANG; echo err >&2; pwd; exit 42'
    const done = await finish(await opened(line, { environment: { LANG: 'de' } }))
    assert.equal(done.output.toString(), 'out hello de\n/root\n')
    assert.equal(done.errors.toString(), 'err\n')
    assert.equal(done.code, 42)
  })

  it('passes any bytes both ways, and ends when its input ends', async () => {
    const bytes = randomBytes(3 * 1024 ** 2 + 7)
    const session = await opened('cat')
    const feeding = (async () => {
      for (let at = 0; at < bytes.length; at += 65_536)
        await session.write(bytes.subarray(at, at + 65_536))
      session.endInput()
    })()
    const { output, code } = await finish(session)
    await feeding
    assert.equal(digest(output), digest(bytes))
    assert.equal(code, 0)
  })

  it('has a terminal of the right size from its first command on, and of each new size', async () => {
    const session = await opened(undefined, { terminal: { columns: 123, rows: 45 } })
    let text = ''
    let isResized = false
    const reading = (async () => {
      for await (const { bytes } of session.output) {
        text += bytes.toString()
        if (text.includes('45 123') && !isResized) {
          isResized = true
          await session.resize({ columns: 99, rows: 11 }, signal)
          await session.write(Buffer.from('echo first "done"; stty size; exit 7\n'))
        }
      }
    })()
    await session.write(Buffer.from('stty size\n'))
    await reading
    assert.match(text, /45 123/)
    assert.match(text, /11 99/)
    assert.equal(await session.exitCode(signal), 7)
    assert.doesNotMatch(text.split('\n')[0] ?? '', /^\d+\s*$/, 'the pid is not shown')
  })

  it('ends with everything in it when its client has gone, gently first', async () => {
    const session = await opened(
      'trap "echo hup > /tmp/hup; exit" HUP; sleep 4711 & sleep 4711 & wait',
    )
    await until('sleep 4711', 2)
    await session.hangUp(signal)
    assert.equal(await run(test.docker, id, 'cat', '/tmp/hup'), 'hup')
    assert.equal(await processes('sleep 4711'), 0)
  })

  it('ends a process that ignores the hang-up', async () => {
    const session = await opened('trap "" HUP; sleep 4712; sleep 4712')
    await until('sleep 4712', 1)
    await session.hangUp(signal)
    assert.equal(await processes('sleep 4712'), 0)
  })

  it('leaves a process alone that has a session of its own, and other sessions', async () => {
    const session = await opened('setsid sleep 4713 & sleep 4714')
    const other = await opened('sleep 4715')
    await until('sleep 4713', 1)
    await until('sleep 4715', 1)
    await session.hangUp(signal)
    assert.equal(await processes('sleep 4714'), 0)
    assert.equal(await processes('sleep 4713'), 1)
    assert.equal(await processes('sleep 4715'), 1)
    await other.hangUp(signal)
  })

  it('ends when a later run of the spawner finds it; that leaves its own sessions alone, and what has one of its own', async () => {
    const left = await opened('trap "" HUP; sleep 4721; sleep 4721')
    const terminal = { columns: 80, rows: 24 }
    const typed = await opened(undefined, { terminal })
    await typed.write(Buffer.from('setsid sleep 4722 & sleep 4723\n'))
    await until('sleep 4721', 1)
    await until('sleep 4723', 1)
    using later = createEngineUnderTest('10.219.19.0/24', test.instance).engine
    const own = valueOf(await later.openSession(id, order('sleep 4724'), signal))
    await until('sleep 4724', 1)
    assert.ok(valueOf(await later.endLeftSessions(id, '', signal)) >= 2)
    for (const gone of ['sleep 4721', 'sleep 4723']) assert.equal(await processes(gone), 0)
    for (const stays of ['sleep 4722', 'sleep 4724', 'sleep infinity'])
      assert.ok((await processes(stays)) >= 1, stays)
    assert.equal(valueOf(await later.endLeftSessions(id, '', signal)), 0)
    await own.hangUp(signal)
    await left.hangUp(signal)
  })

  it('is refused in words where it cannot begin', async () => {
    const missing = await test.engine.openSession('f'.repeat(64), order('true'), signal)
    assert.ok(!missing.ok)
    const stranger = await test.engine.openSession(
      id,
      order('true', { user: 'nobodyhere' }),
      signal,
    )
    assert.ok(!stranger.ok)
    const none = await finish(await opened(undefined, { command: ['/bin/none'] }))
    assert.equal(none.code, 127)
    assert.match(none.errors.toString(), /not found/)
  })

  it('passes a signal on to every process of the session', async () => {
    const session = await opened(
      'trap "echo usr; exit 3" USR1; echo set; while :; do sleep 0.1; done',
    )
    const { output, code } = await (async () => {
      const chunks: Buffer[] = []
      for await (const { bytes } of session.output) {
        chunks.push(Buffer.from(bytes))
        if (bytes.includes('set')) await session.signal('USR1', signal)
      }
      return { output: Buffer.concat(chunks).toString(), code: await session.exitCode(signal) }
    })()
    assert.match(output, /usr/)
    assert.equal(code, 3)
  })

  it('has a terminal with the modes of the client', async () => {
    const modes = ['erase', '008', '-echo', 'intr', '007']
    const session = await opened('stty -a', { terminal: { columns: 80, rows: 24, modes } })
    const { output } = await finish(session)
    assert.match(output.toString(), /erase = \^H/)
    assert.match(output.toString(), /intr = \^G/)
    assert.match(output.toString(), / -echo /)
  })

  describe('with the tools of the volume', () => {
    const kinds = [
      'a Debian image',
      'an image with busybox alone',
      'an image without any shell',
    ] as const
    const containers = new Map<string, string>()
    before(async () => {
      containers.set(kinds[0], id)
      containers.set(kinds[1], await started('bea', { image: images.busybox, user: '1000:1000' }))
      containers.set(
        kinds[2],
        await started('cid', {
          image: images.scratch,
          command: ['/sleep', '999'],
          user: '4711:4711',
        }),
      )
    })

    for (const kind of kinds) {
      const openIn = async (command: readonly string[]): Promise<EngineSession> =>
        valueOf(
          await test.engine.openSession(
            containers.get(kind) ?? '',
            { ...order('true'), command },
            signal,
          ),
        )

      it(`runs a command in ${kind}`, async () => {
        const done = await finish(await openIn(['/bin/sh', '-c', 'echo $((6 * 7)); exit 9']))
        assert.deepEqual([done.output.toString(), done.code], ['42\n', 9], done.errors.toString())
      })

      it(`has a server of files, scp and rsync in ${kind}`, async () => {
        const session = await openIn(['/.berth/bin/sftp-server'])
        // SSH_FXP_INIT, version 3.
        await session.write(Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]))
        const answer: IteratorResult<SessionOutput, unknown> =
          await session.output[Symbol.asyncIterator]().next()
        assert.ok(answer.done !== true)
        assert.equal(answer.value.bytes[4], 2, answer.value.bytes.toString())
        session.endInput()
        const versions = `rsync --version | head -1; printf '\\0' | scp -f /nothing; echo`
        const done = await finish(await openIn(['/bin/sh', '-c', versions]))
        assert.match(done.output.toString(), /^rsync {2}version 3/)
        assert.match(done.output.toString('latin1'), /scp: \/nothing: No such file/)
      })
    }

    it('cannot be changed by the person', async () => {
      const done = await finish(await opened('echo > /.berth/bin/busybox; touch /.berth/x'))
      assert.match(done.errors.toString(), /Read-only file system/)
      assert.notEqual(done.code, 0)
    })
  })

  it('has the key that an SSH server reads, in a file that root owns, and that changes with the key', async () => {
    const read = async () =>
      (
        await finish(
          await opened(
            'cat /.berth/ssh/authorized_keys; stat -c "%u %a" / /.berth /.berth/ssh /.berth/ssh/authorized_keys',
          ),
        )
      ).output.toString()
    const owned = '0 755\n0 755\n0 755\n0 644\n'
    for (const key of ['AAAA', 'AAAA', 'BBBB']) {
      valueOf(await test.engine.admitKey(id, key, signal))
      assert.equal(await read(), `ssh-ed25519 ${key} berth\n${owned}`)
    }
  })

  it('listens in the container, and joins each connection that comes', async () => {
    const as = '0123456789abcdef'
    const runs = (purpose: SessionPurpose): SessionOrder => ({
      ...order('true'),
      command: commandFor(purpose, '/bin/sh'),
    })
    const listener = valueOf(
      await test.engine.openSession(id, runs({ type: 'listen', at: { port: 7007 }, as }), signal),
    )
    const notices = lines(listener)
    await notices(/listening on/)
    const visitor = await opened('exec 3<>/dev/tcp/127.0.0.1/7007; echo hello >&3; cat <&3', {
      command: [
        ...['/.berth/bin/busybox', 'sh', '-c'],
        'echo hello | /.berth/bin/busybox nc 127.0.0.1 7007',
      ],
    })
    const [, number = ''] = /^parked (\d+) 127\.0\.0\.1 \d+$/.exec(await notices(/^parked/)) ?? []
    const joined = valueOf(
      await test.engine.openSession(id, runs({ type: 'join', as, number: Number(number) }), signal),
    )
    await joined.write(Buffer.from('answer'))
    joined.endInput()
    assert.equal((await finish(joined)).output.toString(), 'hello\n')
    assert.equal((await finish(visitor)).output.toString(), 'answer')
    await listener.hangUp(signal)
  })

  it('connects within the container, and says so', async () => {
    const server = await opened('socat -t 60 - TCP4-LISTEN:7008,bind=127.0.0.1')
    const connect = async () =>
      valueOf(
        await test.engine.openSession(
          id,
          { ...order('true'), command: commandFor({ type: 'connect', to: { port: 7008 } }, '') },
          signal,
        ),
      )
    const deadline = abortAfter(10_000)
    for (;;) {
      const session = await connect()
      if (!(await startsTransfer(session))) {
        deadline.throwIfAborted()
        continue
      }
      await session.write(Buffer.from('through'))
      session.endInput()
      await server.write(Buffer.from('back'))
      server.endInput()
      assert.equal((await finish(session)).output.toString(), 'back')
      break
    }
    assert.equal((await finish(server)).output.toString(), 'through')
  })
})

/** @returns the next line of the errors that matches */
function lines(session: EngineSession): (pattern: RegExp) => Promise<string> {
  const output = session.output[Symbol.asyncIterator]()
  let text = ''
  return async (pattern) => {
    for (;;) {
      const end = text.indexOf('\n')
      if (end === -1) {
        const next = await output.next()
        if (next.done === true) throw new Error(`no line matches ${pattern}`)
        text += next.value.bytes.toString()
        continue
      }
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      if (pattern.test(line)) return line
    }
  }
}

/** Whether its connection is there; its output is not read beyond that. */
async function startsTransfer(session: EngineSession): Promise<boolean> {
  try {
    await lines(session)(/starting data transfer/)
    return true
  } catch {
    return false
  }
}
