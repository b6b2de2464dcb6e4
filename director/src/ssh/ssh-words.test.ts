import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import ssh2 from 'ssh2'
import { mayOpen, parseAuthorizedKeys } from './authorized-keys.ts'
import { destinationOf } from './forward.ts'
import { nextWarning } from './lifetime-warning.ts'
import { createLineReader } from './lines.ts'
import { clearLine, progressLine } from './progress-line.ts'
import { modesIn, sttyWords } from './terminal-modes.ts'

describe('where a forwarding leads', () => {
  it('is a port or a socket of the own workspace, and nothing else', () => {
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '::1', 'lab-ann', 'Lab-Ann'])
      assert.deepEqual(destinationOf({ host, port: 80 }, 'lab-ann'), { port: 80 }, host)
    for (const host of [
      'lab-bob',
      'spawner',
      '127.0.0.2',
      '0.0.0.0',
      '::ffff:127.0.0.1',
      'localhost.',
    ])
      assert.equal(destinationOf({ host, port: 80 }, 'lab-ann'), undefined, host)
    for (const port of [0, 65_536])
      assert.equal(destinationOf({ host: 'localhost', port }, 'lab-ann'), undefined)
    assert.deepEqual(destinationOf({ path: '/run/app.sock' }, 'lab-ann'), { path: '/run/app.sock' })
    for (const path of [
      'relative',
      '/a,b',
      '/a:b',
      '/a!!b',
      '/a"b',
      '/a\0b',
      `/${'x'.repeat(200)}`,
    ])
      assert.equal(destinationOf({ path }, 'lab-ann'), undefined, path)
  })

  it('is bounded by the line of the key', () => {
    const { public: line } = ssh2.utils.generateKeyPairSync('ed25519')
    const key = (options: string) => parseAuthorizedKeys(options + line).keys[0]
    const opens = (options: string, host: string, port: number) => {
      const found = key(options)
      assert.ok(found, options)
      return mayOpen(found, { host, port })
    }
    assert.equal(opens('', 'localhost', 80), true)
    assert.equal(opens('no-port-forwarding ', 'localhost', 80), false)
    assert.equal(opens('restrict ', 'localhost', 80), false)
    assert.equal(opens('restrict,port-forwarding ', 'localhost', 80), true)
    const some = 'permitopen="localhost:80",permitopen="[::1]:*" '
    assert.equal(opens(some, 'localhost', 80), true)
    assert.equal(opens(some, '::1', 5432), true)
    assert.equal(opens(some, 'localhost', 81), false)
    assert.equal(mayOpen({ mayForward: true, permitOpen: ['localhost:80'] }, { path: '/x' }), false)
    assert.equal(key('permitopen="80" '), undefined)
  })
})

describe('the words of a terminal', () => {
  const mode = (opcode: number, value: number): number[] => [opcode, 0, 0, 0, value]

  it('are the modes that the client sends, as stty reads them', () => {
    const modes = [
      ...[mode(129, 9), mode(1, 3), mode(2, 28), mode(3, 127), mode(10, 255)],
      ...[mode(42, 1), mode(53, 0), mode(51, 1), mode(91, 1)],
    ]
    const words = ['intr', '003', 'quit', '028', 'erase', '127', 'susp', 'undef']
    const all = [...words, 'iutf8', '-echo', 'icanon']
    assert.deepEqual(sttyWords(Buffer.from(modes.flat())), all)
    assert.deepEqual(sttyWords(Buffer.from([...modes.flat(), 0, 53, 0, 0, 0, 1])), all)
    assert.deepEqual(sttyWords(Buffer.from([160, 0, 0, 0, 0, ...modes.flat()])), [])
    assert.deepEqual(sttyWords(Buffer.alloc(0)), [])
  })

  it('are found in the request for a terminal, and nowhere else', () => {
    const text = (words: string): number[] => [0, 0, 0, words.length, ...Buffer.from(words)]
    const head = (name: string) => [98, 0, 0, 0, 0, ...text(name), 1]
    const size = Array.from({ length: 16 }, () => 0)
    const whole = Buffer.from([...head('pty-req'), ...text('xterm'), ...size, ...text('modes')])
    assert.equal(modesIn(whole)?.toString(), 'modes')
    assert.equal(modesIn(Buffer.from([...head('pty-rep'), ...whole.subarray(17)])), undefined)
    // Whatever a client sends of it, nothing beyond is read.
    for (let length = 0; length < whole.length; length += 1) modesIn(whole.subarray(0, length))
    const long = Buffer.from([...head('pty-req'), 255, 255, 255, 255, ...size])
    assert.equal(modesIn(long), undefined)
  })

  it('say how far the image is, within the width of the terminal', () => {
    const progress = { workspace: 'lab-ann', phase: 'pulling', pullPercent: 41.9 } as const
    assert.equal(progressLine(progress, 80), `${clearLine}Fetching the image, 41 % …`)
    assert.equal(progressLine(progress, 20).length, clearLine.length + 19)
  })

  it('tell of the end of the lifetime three times', () => {
    const minute = 60_000
    assert.deepEqual(nextWarning(20 * minute)?.inMs, 5 * minute)
    assert.match(nextWarning(20 * minute)?.text ?? '', /ends in 15 minutes/)
    assert.deepEqual(nextWarning(15 * minute)?.inMs, 10 * minute)
    assert.match(nextWarning(90_000)?.text ?? '', /ends in 1 minute:/)
    assert.equal(nextWarning(minute), undefined)
    assert.equal(nextWarning(Number.NaN), undefined)
  })
})

describe('lines', () => {
  it('are read however they are cut', () => {
    const heard: string[] = []
    const read = createLineReader((line) => heard.push(line))
    for (const part of ['on', 'e\ntwo\n', 'th', 'ree\n']) read(Buffer.from(part))
    assert.deepEqual(heard, ['one', 'two', 'three'])
  })
})
