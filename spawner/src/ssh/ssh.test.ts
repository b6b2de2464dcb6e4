import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it } from 'node:test'
import { listen } from '@berth/shared/listen'
import { createLog } from '@berth/shared/log'
import type { UserName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { userOf } from '../loop/testing/test-loop.ts'
import { createFetchKeys } from './fetch-keys.ts'
import {
  createRegisteredKeys,
  mostKeys,
  shownFingerprint,
  type RegisteredKey,
  type RegisteredKeyStore,
} from './keys.ts'
import { createTerminalSignIns, readCode, signInLastsMs } from './terminal-sign-ins.ts'

const log = createLog({ service: 'test', level: 'silent' })
const ann = userOf('ann')

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
const blobOf = (n: number): Buffer =>
  Buffer.concat([field(Buffer.from('ssh-ed25519')), field(Buffer.alloc(32, n))])
const lineOf = (n: number, comment = ''): string =>
  `ssh-ed25519 ${blobOf(n).toString('base64')} ${comment}`

function startKeys() {
  const time = createFakeTime()
  const saved = new Map<string, RegisteredKey>()
  const store: RegisteredKeyStore = {
    keysOf: (user) => [...saved.values()].filter((key) => key.user === user),
    saveKey: (key) => void saved.set(`${key.user} ${key.key}`, key),
    removeKey: (user, key) => void saved.delete(`${user} ${key}`),
  }
  const known = new Map([[ann.name, ann]])
  const signIns = {
    last: (user: UserName) => {
      const person = known.get(user)
      return person && { person, at: 0 }
    },
  }
  const keys = createRegisteredKeys({ store, signIns, clock: time.clock, log })
  return { keys, known, time }
}

const refuses = (act: () => unknown, words: RegExp): void =>
  assert.throws(
    act,
    (error: unknown) => error instanceof BerthError && words.test(error.message),
    String(words),
  )

describe('the keys that people register', () => {
  it('admit whoever registered them, until they are removed', () => {
    const { keys } = startKeys()
    assert.equal(keys.admits(ann.name, blobOf(1), false), false)
    const [added] = keys.add(ann, `${lineOf(1, 'ann@laptop')}\r\n`, '')
    assert.equal(added?.name, 'ann@laptop')
    assert.equal(keys.admits(ann.name, blobOf(1), false), true)
    assert.equal(keys.admits(ann.name, blobOf(2), false), false)
    assert.equal(keys.admits('bob' as UserName, blobOf(1), false), false)
    assert.ok(added)
    assert.ok(keys.remove(ann, shownFingerprint(added)))
    assert.equal(keys.remove(ann, shownFingerprint(added)), undefined)
    assert.equal(keys.admits(ann.name, blobOf(1), false), false)
  })

  it('hazard: another person has the user name by now: they are neither admitted nor shown', () => {
    const { keys, known } = startKeys()
    keys.add(ann, lineOf(1), '')
    const other = { ...ann, subject: 'somebody-else' }
    known.set(ann.name, other)
    assert.equal(keys.admits(ann.name, blobOf(1), true), false)
    assert.deepEqual(keys.of(other), [])
  })

  it('have the time of their last use, which counts once the client has signed', () => {
    const { keys, time } = startKeys()
    keys.add(ann, lineOf(1), 'mine')
    keys.admits(ann.name, blobOf(1), false)
    assert.equal(keys.of(ann)[0]?.usedAt, undefined)
    time.advance(5_000)
    keys.admits(ann.name, blobOf(1), true)
    assert.equal(keys.of(ann)[0]?.usedAt, time.clock.wall())
    assert.equal(keys.of(ann)[0]?.name, 'mine')
  })

  it('are refused with a reason, and then none of the text is added', () => {
    const { keys } = startKeys()
    const add = (text: string) => () => keys.add(ann, text, '')
    refuses(add(''), /Paste the line/)
    refuses(add('-----BEGIN OPENSSH PRIVATE KEY-----\nabc'), /private key/)
    refuses(add('hello there'), /begins with “hello”/)
    refuses(add('ssh-dss AAAA'), /begins with “ssh-dss”/)
    refuses(add(`${lineOf(1)}\n${lineOf(2).slice(0, 40)}`), /damaged/)
    refuses(add('ssh-rsa AAAAC3NzaC1lZDI1NTE5'), /damaged/)
    refuses(
      add(Array.from({ length: mostKeys + 1 }, (_, n) => lineOf(n)).join('\n')),
      /more than 50/,
    )
    assert.deepEqual(keys.of(ann), [])
    keys.add(ann, lineOf(1), '')
    refuses(add(lineOf(1, 'again')), /already/)
  })

  it('are bounded in number', () => {
    const { keys } = startKeys()
    keys.add(ann, Array.from({ length: mostKeys }, (_, n) => lineOf(n)).join('\n'), '')
    assert.equal(keys.of(ann).length, mostKeys)
    refuses(() => keys.add(ann, lineOf(200), ''), /Remove some/)
  })
})

describe('the keys at a forge', () => {
  it('are fetched from an allowed forge alone, and nothing else of it', async () => {
    const answers = new Map<string, [number, string, Record<string, string>?]>([
      ['/ann.keys', [200, lineOf(1)]],
      ['/moved.keys', [302, '', { location: '/ann.keys' }]],
      ['/long.keys', [200, 'x'.repeat(70_000)]],
    ])
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(request.url ?? '')
      const [status, body, headers] = answers.get(request.url ?? '') ?? [404, '']
      response.writeHead(status, headers).end(body)
    })
    const port = await listen(server, 0)
    const forge = `http://127.0.0.1:${port}`
    const fetchKeys = createFetchKeys([forge])
    assert.equal(await fetchKeys(`${forge}/ann.keys`), lineOf(1))
    const refused = async (address: string, words: RegExp) =>
      assert.rejects(fetchKeys(address), words, address)
    await refused(`${forge}/bob.keys`, /knows nobody/)
    await refused(`${forge}/moved.keys`, /could not be asked/)
    await refused(`${forge}/long.keys`, /too long/)
    const before = asked.length
    for (const address of [
      '',
      'ann',
      `${forge}/ann`,
      `${forge}/a/b.keys`,
      `${forge}/ann.keys?x=1`,
      `http://127.0.0.2:${port}/ann.keys`,
      `http://user@127.0.0.1:${port}/ann.keys`,
      'file:///etc/x.keys',
    ])
      await refused(address, /Write an address such as/)
    assert.equal(asked.length, before)
    await new Promise((resolve) => server.close(resolve))
    await refused(`${forge}/ann.keys`, /could not be asked/)
  })
})

describe('a sign-in from a terminal', () => {
  const never = new AbortController().signal
  function start() {
    const time = createFakeTime()
    const signIns = createTerminalSignIns({ clock: time.clock, setTimer: time.setTimer })
    const begin = (user = ann.name, address = '192.0.2.7') =>
      signIns.begin({ user, address, program: 'OpenSSH' })
    return { time, signIns, begin }
  }

  it('waits until the person has decided, who alone can see it', async () => {
    const { signIns, begin } = start()
    const { code } = begin()
    assert.match(code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
    assert.equal(readCode(` ${code.replace('-', '').toLowerCase()}`), code)
    assert.equal(signIns.find(code, userOf('bob')), undefined)
    assert.equal(signIns.decide(code, userOf('bob'), 'allowed'), false)
    const outcome = signIns.outcome(code, never)
    assert.equal(signIns.find(code, ann)?.address, '192.0.2.7')
    assert.equal(signIns.decide(code, ann, 'allowed'), true)
    assert.equal(await outcome, 'allowed')
    assert.equal(signIns.decide(code, ann, 'refused'), false)
    signIns.end(code)
    assert.equal(await signIns.outcome(code, never), 'gone')
    assert.equal(signIns.find(code, ann), undefined)
  })

  it('is over after its time, and says that it still waits when the question is withdrawn', async () => {
    const { time, signIns, begin } = start()
    const { code } = begin()
    const asked = new AbortController()
    const early = signIns.outcome(code, asked.signal)
    asked.abort()
    assert.equal(await early, 'waiting')
    const outcome = signIns.outcome(code, never)
    time.advance(signInLastsMs)
    assert.equal(await outcome, 'gone')
    assert.equal(signIns.find(code, ann), undefined)
  })

  it('hazard: many are begun from one address: that keeps nobody out who comes from another one', () => {
    const { begin } = start()
    for (let n = 0; n < 5; n += 1) begin()
    refuses(() => begin(), /Too many sign-ins/)
    begin(ann.name, '192.0.2.8')
    begin('bob' as UserName)
    for (let n = 7; n < 1_000; n += 1) begin(`user-${n}` as UserName, `192.0.2.${n}`)
    refuses(() => begin('zoe' as UserName), /Too many sign-ins/)
  })
})
