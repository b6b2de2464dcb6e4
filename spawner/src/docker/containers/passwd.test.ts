import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { needsLookup, resolveUser } from './passwd.ts'

const passwd =
  'root:x:0:0:root:/root:/bin/sh\njovyan:x:1000:100::/home/jovyan:/bin/sh\n1001:x:7:8::/:\n'
const group = 'root:x:0:\nusers:x:100:jovyan\nstaff:x:50:\n100:x:9:\n'

describe('the user that a container runs as', () => {
  const cases: readonly [user: string, expected: object][] = [
    ['', { uid: 0, gid: 0 }],
    ['jovyan', { uid: 1000, gid: 100 }],
    ['1000', { uid: 1000, gid: 100 }],
    ['1001', { uid: 1001, gid: 0 }],
    ['2000:100', { uid: 2000, gid: 100 }],
    ['01000', { uid: 1000, gid: 100 }],
    ['1000:1000', { uid: 1000, gid: 1000 }],
    ['jovyan:staff', { uid: 1000, gid: 50 }],
    ['2000', { uid: 2000, gid: 0 }],
    ['2000:users', { uid: 2000, gid: 100 }],
    ['nobody', { unknown: 'nobody' }],
    ['jovyan:nogroup', { unknown: 'nogroup' }],
  ]
  for (const [user, expected] of cases)
    it(`is ${JSON.stringify(expected)} for "${user}"`, () => {
      assert.deepEqual(resolveUser(user, passwd, group), expected)
    })

  it('is known without the files of the image if both parts are numbers', () => {
    assert.deepEqual(resolveUser('1000:1000', '', ''), { uid: 1000, gid: 1000 })
    assert.deepEqual(['', '0', '1000:1000', '1000', 'jovyan', '1000:users'].map(needsLookup), [
      false,
      false,
      false,
      true,
      true,
      true,
    ])
  })
})
