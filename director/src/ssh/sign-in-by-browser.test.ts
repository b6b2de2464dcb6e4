import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@berth/shared/clock'
import type { KeyRequest, TerminalSignInRequest } from '@berth/shared/contract'
import { createLog } from '@berth/shared/log'
import { createProblem } from '@berth/shared/problems'
import { parseSubnetPool } from '@berth/shared/subnet-pool'
import { systemTimer, type SetTimer } from '@berth/shared/timer'
import ssh2, { type ConnectConfig } from 'ssh2'
import { createAuthenticate } from './authenticate.ts'
import { readHostKeys } from './host-keys.ts'
import { createSignInByBrowser } from './sign-in-by-browser.ts'
import { startSshListener } from './ssh-listener.ts'

const log = createLog({ service: 'test', level: 'silent' })
const pool = parseSubnetPool('127.5.0.0/16')
const keys = ssh2.utils.generateKeyPairSync('ed25519')
const url = 'http://portal.localhost/ssh/BCDF-GHJK'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-ssh-browser-'))
})
after(() => rm(folder, { recursive: true }))

/** A listener over a stand-in for the spawner: no key is in a folder. */
async function start(setTimer: SetTimer = systemTimer) {
  assert.ok(pool)
  const begun: Omit<TerminalSignInRequest, 'director'>[] = []
  const asked: Omit<KeyRequest, 'director'>[] = []
  const ended: string[] = []
  const begins = Promise.withResolvers<void>()
  const decision = Promise.withResolvers<'allowed' | 'refused' | 'gone'>()
  const spawner = {
    registered: false,
    refuses: false,
    async admitsKey(request: Omit<KeyRequest, 'director'>) {
      asked.push(request)
      return spawner.registered
    },
    async beginSignIn(request: Omit<TerminalSignInRequest, 'director'>) {
      begun.push(request)
      begins.resolve()
      if (!spawner.refuses)
        return { status: 'begun', code: 'BCDF-GHJK', url, lastsMs: 60_000 } as const
      const problem = createProblem(undefined, 'limit_connections', 'Too many wait.')
      return { status: 'refused', problem } as const
    },
    signInState: () => decision.promise,
    endSignIn: async (code: string) => void ended.push(code),
  }
  const server = await startSshListener({
    port: 0,
    pool,
    hostKeys: await readHostKeys(join(folder, 'host-keys')),
    authenticate: createAuthenticate({
      readKeys: async () => ({ keys: [], complaints: [] }),
      spawner,
      signInByBrowser: createSignInByBrowser({ spawner, setTimer }),
      clock: systemClock,
      log,
    }),
    serveSession: async () => undefined,
    forwarding: { forward: async () => undefined, listen: () => Promise.reject(new Error()) },
    mayBeSet: () => false,
    maxAgeMs: 0,
    setTimer: systemTimer,
    log,
  })
  const questions = Promise.withResolvers<{ prompt: string; answer: () => void }>()
  function connect(more: Partial<ConnectConfig> = {}): ssh2.Client {
    const client = new ssh2.Client()
    // The connection may be reset when the test ends it.
    client.on('error', () => undefined)
    client.on('keyboard-interactive', (_name, _words, _language, prompts, answer) => {
      // This client answers a question without prompts by itself, and shows no instructions: the proof with OpenSSH does.
      questions.resolve({ prompt: prompts[0]?.prompt ?? '', answer: () => answer(['']) })
    })
    client.connect({
      host: '127.0.0.1',
      port: server.port,
      username: 'alice',
      privateKey: keys.private,
      tryKeyboard: true,
      ...more,
    })
    return client
  }
  return {
    spawner,
    decision,
    begun,
    asked,
    ended,
    connect,
    questions,
    begins: begins.promise,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const failure = async (client: ssh2.Client): Promise<Error> =>
  ((await once(client, 'error')) as [Error])[0]

describe('a client whose key is in no file', () => {
  it('is signed in by a key that the person has registered, and the spawner hears when it has signed', async () => {
    await using bed = await start()
    bed.spawner.registered = true
    const client = bed.connect({ tryKeyboard: false })
    await once(client, 'ready')
    assert.ok(bed.asked.every(({ user }) => user === 'alice'))
    assert.equal(bed.asked.at(-1)?.proven, true)
    assert.equal(
      Buffer.from(bed.asked[0]?.key ?? '', 'base64')
        .subarray(4, 15)
        .toString(),
      'ssh-ed25519',
    )
    assert.deepEqual(bed.begun, [])
    client.end()
  })

  it('is shown an address, and goes on by itself once the person has confirmed there', async () => {
    await using bed = await start()
    const client = bed.connect()
    const ready = once(client, 'ready')
    await bed.begins
    const [request] = bed.begun
    assert.equal(request?.user, 'alice')
    assert.equal(request?.address, '127.0.0.1')
    assert.match(request?.program ?? '', /ssh2js/)
    assert.match(request?.key ?? '', /^ssh-ed25519 AAAA/)
    bed.decision.resolve('allowed')
    await ready
    assert.deepEqual(bed.ended, ['BCDF-GHJK'])
    client.end()
  })

  it('is asked for Enter after half a minute: a quiet client has shown nothing until then', async () => {
    // The first timer of a sign-in is its end, the second one this time.
    const soon: SetTimer = (ms, act) => systemTimer(ms === 30_000 ? 1 : ms, act)
    await using bed = await start(soon)
    const client = bed.connect()
    const ready = once(client, 'ready')
    const { prompt, answer } = await bed.questions.promise
    assert.match(prompt, /http:\/\/portal\.localhost\/ssh\/BCDF-GHJK and press Enter/)
    bed.decision.resolve('allowed')
    answer()
    await ready
    client.end()
  })

  for (const state of ['refused', 'gone'] as const)
    it(`is refused when the sign-in is ${state}, and cannot ask again in this connection`, async () => {
      await using bed = await start()
      let tries = 0
      const again = (
        left: string[] | null,
        _partial: boolean | null,
        next: (method: unknown) => void,
      ): void => {
        tries += 1
        const mayAsk = left === null || left.includes('keyboard-interactive')
        if (!mayAsk) return next(false)
        next({
          type: 'keyboard-interactive',
          username: 'alice',
          prompt: (
            _name: string,
            _words: string,
            _lang: string,
            _prompts: unknown,
            done: (answers: string[]) => void,
          ) => done(['']),
        })
      }
      const client = bed.connect({ authHandler: again as never })
      const failed = failure(client)
      bed.decision.resolve(state)
      assert.match((await failed).message, /authentication methods failed/)
      assert.equal(tries, 2)
      assert.equal(bed.begun.length, 1)
      assert.deepEqual(bed.ended, ['BCDF-GHJK'])
    })

  it('is refused where the spawner offers no sign-in in a browser', async () => {
    await using bed = await start()
    bed.spawner.refuses = true
    assert.match((await failure(bed.connect())).message, /authentication methods failed/)
    assert.deepEqual(bed.ended, [])
  })

  it('ends the sign-in when it leaves', async () => {
    await using bed = await start()
    const client = bed.connect()
    client.on('error', () => undefined)
    await bed.begins
    const ended = new Promise<undefined>((resolve) => {
      bed.spawner.endSignIn = async () => void resolve(undefined)
    })
    client.end()
    client.destroy()
    bed.decision.resolve('gone')
    await ended
  })

  it('is asked no further when its name belongs to nobody', async () => {
    await using bed = await start()
    const client = bed.connect({ username: 'a'.repeat(300) })
    await failure(client)
    assert.deepEqual([bed.begun, bed.asked], [[], []])
  })
})
