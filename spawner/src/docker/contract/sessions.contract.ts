import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { abortAfter } from '@berth/shared/deadline'
import type { EngineSession, SessionOrder } from '../../loop/engine.ts'
import { createEngineUnderTest, run, valueOf } from './fixture.ts'

describe('sessions on a real engine', () => {
  const test = createEngineUnderTest('10.219.19.0/24')
  const { engine, docker, signal } = test
  let id: string
  before(async () => {
    assert.equal(await engine.createNetwork(0, signal), 'created')
    id = (await test.started('ann', { environment: { GREETING: 'hello' } })).id
  })
  after(() => test[Symbol.asyncDispose]())

  const order = (line: string | undefined, more: Partial<SessionOrder> = {}): SessionOrder => ({
    command: line === undefined ? ['/bin/sh', '-l'] : ['/bin/sh', '-c', line],
    user: '',
    environment: {},
    ...more,
  })
  const opened = async (line: string | undefined, more: Partial<SessionOrder> = {}) =>
    valueOf(await engine.openSession(id, order(line, more), signal))

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
    const { Processes } = (await docker.getContainer(id).top({ ps_args: '-eo pid,args' })) as {
      Processes: string[][]
    }
    return Processes.filter(([, args]) => args === command).length
  }
  async function until(command: string, count: number): Promise<void> {
    const deadline = abortAfter(10_000)
    while ((await processes(command)) !== count) deadline.throwIfAborted()
  }

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
    const reading = (async () => {
      for await (const { bytes } of session.output) {
        text += bytes.toString()
        if (text.includes('45 123') && !text.includes('first done')) {
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
    assert.equal(await run(docker, id, 'cat', '/tmp/hup'), 'hup')
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

  it('is refused in words where it cannot begin', async () => {
    const missing = await engine.openSession('f'.repeat(64), order('true'), signal)
    assert.ok(!missing.ok)
    const stranger = await engine.openSession(id, order('true', { user: 'nobodyhere' }), signal)
    assert.ok(!stranger.ok)
    const none = await finish(await opened(undefined, { command: ['/bin/none'] }))
    assert.equal(none.code, 127)
    assert.match(none.errors.toString(), /not found/)
  })
})
