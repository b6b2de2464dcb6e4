import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mountPathComplaint, parseVolumes } from './volume-list.ts'

describe('a list of volumes', () => {
  it('has names and paths, read-only with :ro', () => {
    assert.deepEqual(parseVolumes('data:/data:ro, {instance}-{user}-cache:/home/{user}/cache,'), {
      value: [
        { kind: 'volume', source: 'data', target: '/data', readOnly: true },
        {
          kind: 'volume',
          source: '{instance}-{user}-cache',
          target: '/home/{user}/cache',
          readOnly: false,
        },
      ],
    })
  })

  const refused: readonly [text: string, why: RegExp][] = [
    ['/etc:/etc', /name of a volume/],
    ['./here:/data', /name of a volume/],
    ['../up:/data', /name of a volume/],
    ['data', /not name:\/path/],
    ['data:/data:rw:z', /not name:\/path/],
    ['data:/data:shared', /not name:\/path/],
    ['data:relative', /absolute path/],
    ['data:/', /absolute path/],
    ['data:/a/../etc', /absolute path/],
    ['{username}-x:/data', /may not contain \{username\}/],
    ['data:/home/{email}', /may not contain \{email\}/],
    ['{nobody}:/data', /unknown placeholder/],
    ['a:/data,b:/data', /twice/],
  ]
  for (const [text, why] of refused)
    it(`refuses ${text}`, () => {
      const result = parseVolumes(text)
      assert.match('complaint' in result ? result.complaint : 'it was accepted', why)
    })
})

describe('the path of a mount', () => {
  it('is absolute, without the parts . and .., and without commas and colons', () => {
    assert.equal(mountPathComplaint('/home/{user}'), undefined)
    assert.equal(mountPathComplaint('/home/..data'), undefined)
    for (const path of ['/', 'home', '/a/./b', '/a/..', '/a:b', '/a,b'])
      assert.ok(mountPathComplaint(path), path)
  })
})
