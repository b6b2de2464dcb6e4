import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '@berth/shared/log'
import { BerthError } from '@berth/shared/problems'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createHostKeys, type HostKeyStore } from './host-keys.ts'

const log = createLog({ service: 'test', level: 'silent' })

function startHostKeys() {
  const saved = new Map<string, Parameters<HostKeyStore['saveHostKey']>[0]>()
  const store: HostKeyStore = {
    hostKeyOf: (generation) => saved.get(generation)?.key,
    saveHostKey: (key) => void saved.set(key.generation, key),
    forgetHostKey: (workspace) =>
      [...saved.values()]
        .filter((key) => key.workspace === workspace)
        .map(({ generation }) => saved.delete(generation))
        .includes(true),
  }
  return createHostKeys({ store, clock: createFakeTime().clock, log })
}

const seen = { workspace: 'lab-ann', generation: 'g1', hostKey: 'AAAA' }
const isChanged = (error: unknown): boolean =>
  error instanceof BerthError && error.code === 'host_key_changed'

describe('the key of the SSH server in a workspace', () => {
  it('is the first one for the whole life of a container; a new container may have another', () => {
    const keys = startHostKeys()
    keys.check(seen)
    keys.check(seen)
    keys.check({ ...seen, generation: 'g2', hostKey: 'BBBB' })
    keys.check({ ...seen, generation: 'g2', hostKey: 'BBBB' })
    assert.throws(() => keys.check({ ...seen, generation: 'g2' }), isChanged)
  })

  it('hazard: another server answers at the address: it is refused, and the person is told what to do', () => {
    const keys = startHostKeys()
    keys.check(seen)
    const swapped = { ...seen, hostKey: 'BBBB' }
    assert.throws(() => keys.check(swapped), isChanged)
    assert.throws(
      () => keys.check(swapped),
      /It was SHA256:\S+ when the server was seen first, and is SHA256:\S+ now\. If you have made a new key, restart the workspace.* If not, tell your administrator/,
    )
    keys.check(seen)
  })

  it('is forgotten when an administrator says so: the next one is the first one', () => {
    const keys = startHostKeys()
    assert.equal(keys.forget('lab-ann'), false)
    keys.check(seen)
    assert.equal(keys.forget('lab-ann'), true)
    keys.check({ ...seen, hostKey: 'BBBB' })
    assert.throws(() => keys.check(seen), isChanged)
  })
})
