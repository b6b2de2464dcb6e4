import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { internalPaths } from '@berth/shared/contract'
import type { UserName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import { flush, startTestLoop } from '../../loop/testing/test-loop.ts'
import type { SeenHostKey } from '../../ssh/host-keys.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { serveWeb } from '../testing/server.ts'

const ed25519 = Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from('ssh-ed25519'),
  Buffer.from([0, 0, 0, 32]),
  Buffer.alloc(32, 7),
]).toString('base64')
const templates = [
  testTemplate('shell', { ssh: { method: 'connect', user: 'dev', port: 22 } }),
  testTemplate('plain', { ssh: { method: 'exec', shell: '/bin/sh', user: '' } }),
]

describe('a director that is connected to the SSH server in a workspace', () => {
  const admitted: string[] = []
  const checked: SeenHostKey[] = []
  let loop: Awaited<ReturnType<typeof startTestLoop>>
  let web: Awaited<ReturnType<typeof serveWeb>>
  before(async () => {
    loop = await startTestLoop({ templates })
    loop.engine.admitKey = async (generation, key) => {
      admitted.push(`${generation} ${key}`)
      return { ok: true, value: undefined }
    }
    web = await serveWeb({
      workspaces: loop.workspaces,
      hostKeys: {
        check(seen) {
          checked.push(seen)
          if (seen.hostKey === 'CCCC') throw new BerthError('host_key_changed', 'It is new.')
        },
        forget: () => false,
      },
    })
    loop.director()
    for (const { name: template } of templates) void loop.requestSeat('alice', { template })
    await flush()
  })
  after(async () => {
    await web[Symbol.asyncDispose]()
    await loop[Symbol.asyncDispose]()
  })

  const generationOf = (name: string): string => {
    const found = [...loop.workspaces.state().workspaces.values()].find((one) => one.name === name)
    return found?.container?.generation ?? ''
  }
  async function ask(more: Record<string, string> = {}) {
    const asked = {
      director: 'd1',
      workspace: 'shell-alice',
      generation: generationOf('shell-alice'),
      user: 'alice' as UserName,
      hostKey: 'AAAA',
      key: ed25519,
      ...more,
    }
    const answer = await web.ask(internalPaths.sshServers, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    })
    return { status: answer.status, ...(JSON.parse(answer.body) as { code?: string }) }
  }

  it('is admitted by it, and the key of the server is checked', async () => {
    assert.equal((await ask()).status, 200)
    assert.deepEqual(admitted, [`${generationOf('shell-alice')} ${ed25519}`])
    assert.equal(checked[0]?.hostKey, 'AAAA')
    assert.deepEqual([(await ask({ hostKey: 'CCCC' })).code], ['host_key_changed'])
  })

  it('learns nothing for a person without a seat, another container, or a template without a server', async () => {
    const before = [admitted.length, checked.length]
    assert.equal((await ask({ user: 'bob' })).code, 'workspace_unknown')
    assert.equal((await ask({ generation: 'another' })).code, 'workspace_unknown')
    const plain = { workspace: 'plain-alice', generation: generationOf('plain-alice') }
    assert.equal((await ask(plain)).code, 'workspace_unknown')
    assert.equal((await ask({ key: 'AAAA' })).code, 'bad_request')
    assert.deepEqual([admitted.length, checked.length], before)
  })

  it('opens no session there through the engine, except to forward a connection', async () => {
    const order = {
      director: 'd1',
      workspace: 'shell-alice',
      generation: generationOf('shell-alice'),
      user: 'alice' as UserName,
      environment: {},
    }
    const { signal } = new AbortController()
    for (const purpose of [{ type: 'shell' }, { type: 'command', command: 'id' }] as const) {
      const opened = await loop.workspaces.openSession({ ...order, purpose }, signal)
      assert.ok(!opened.ok)
      assert.match(opened.failure.detail, /its own SSH server/)
    }
    const forwarded: unknown[] = []
    loop.engine.openSession = async (_generation, { user, command }) => {
      forwarded.push(user, command?.[0])
      return { ok: false, failure: { code: 'conflict', detail: 'No.' }, retry: false }
    }
    const purpose = { type: 'connect', to: { port: 80 } } as const
    await loop.workspaces.openSession({ ...order, purpose }, signal)
    assert.deepEqual(forwarded, ['dev', '/.berth/bin/socat'])
  })
})
