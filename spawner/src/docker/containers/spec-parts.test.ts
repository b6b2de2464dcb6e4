import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseUserName, type UserName } from '@berth/shared/names'
import { Secret } from '@berth/shared/secret'
import type { TemplateSpec } from '../../templates/template.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { specHash, specParts } from './container-options.ts'

const ann = { name: parseUserName('ann') as UserName, subject: 'u-ann', groups: [] }

function made(spec: Partial<TemplateSpec>) {
  const template = testTemplate('lab', { spec })
  const entries = specParts(template, ann, 'berth')
    .split(',')
    .map((entry) => entry.split('=', 2) as [string, string])
  return { hash: specHash(template, ann, 'berth'), parts: new Map(entries) }
}

describe('the parts of what a container is made from', () => {
  const changes: readonly (readonly [Partial<TemplateSpec>, string])[] = [
    [{ image: 'berth/other' }, 'image'],
    [{ command: ['run', '--for={user}'] }, 'command'],
    [{ entrypoint: [] }, 'entrypoint'],
    [{ environment: { MODEL: 'b' } }, 'environment'],
    [{ user: '1000' }, 'user'],
    [{ memoryBytes: 2 ** 30, memorySwapBytes: 2 ** 30 }, 'memory'],
    [{ cpus: 2 }, 'processors'],
    [{ pids: 100 }, 'number of processes'],
    [{ shmBytes: 2 ** 20 }, 'shared memory'],
    [{ home: { path: '/home/me', volume: '{instance}-{user}-home' } }, 'volumes'],
    [{ secrets: [{ name: 'key', target: '/run/key', value: new Secret('one') }] }, 'secrets'],
    [{ networks: ['licences'] }, 'networks'],
    [{ egress: 'none' }, 'access to the internet'],
    [{ init: false }, 'init program'],
    [{ capAdd: ['NET_BIND_SERVICE'] }, 'capabilities'],
    [{ securityOpt: ['apparmor=unconfined'] }, 'security options'],
    [{ devices: [{ source: '/dev/fuse', target: '/dev/fuse', permissions: 'rwm' }] }, 'devices'],
    [{ healthcheck: { test: ['NONE'] } }, 'health check'],
    [{ stopSignal: 'SIGINT' }, 'stop signal'],
    [{ stopTimeoutMs: 1_000 }, 'stop timeout'],
    [{ tmpfs: [{ target: '/tmp', options: '' }] }, 'temporary folders'],
    [{ ulimits: [{ name: 'nofile', soft: 1, hard: 1 }] }, 'limits of processes'],
    [{ extraHosts: ['db:10.0.0.1'] }, 'host names'],
    [{ runtime: 'runsc' }, 'runtime'],
    [{ logging: { driver: 'none', options: {} } }, 'logging'],
  ]
  const before = made({})
  for (const [change, word] of changes)
    it(`name what a change of ${Object.keys(change)[0]} changes: ${word}`, () => {
      const after = made(change)
      assert.notEqual(after.hash, before.hash)
      const all = new Set([...before.parts.keys(), ...after.parts.keys()])
      const changed = [...all].filter((part) => before.parts.get(part) !== after.parts.get(part))
      assert.deepEqual(changed, [word])
    })

  it('stay the same where the hash does', () => {
    const after = made({ scheme: 'https', readyPath: '/ready' })
    assert.equal(after.hash, before.hash)
    assert.deepEqual(after.parts, before.parts)
  })

  it('reveal no value', () => {
    const text = specParts(
      testTemplate('lab', { spec: { environment: { TOKEN: 'hush' } } }),
      ann,
      'berth',
    )
    assert.doesNotMatch(text, /TOKEN|hush/)
    assert.match(text, /^(?:[\w ]+=[0-9a-f]{8},?)+$/)
  })
})
