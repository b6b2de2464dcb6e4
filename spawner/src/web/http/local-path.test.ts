import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { localPath, standstillPath } from './local-path.ts'

describe('an address to lead back to', () => {
  for (const path of [
    '/',
    '/lab/tree?a=1&b=%2F#frag',
    '/x%2Fy//z',
    '/..%2f..',
    '/.berth/?to=%2Flab',
    '/ü',
  ])
    it(`may be ${path}, which stays unchanged`, () => assert.equal(localPath(path), path))

  for (const [hazard, path] of [
    ['a scheme-relative address', '//evil.example/x'],
    ['a scheme-relative address of the host that the check itself uses', '//origin.invalid/x'],
    ['a path with a backslash that browsers treat as a slash', '/\\evil.example'],
    ['a path with a later backslash', '/a/\\\\evil.example'],
    ['a path with a tab that browsers drop', '/\t/evil.example'],
    ['a path with a line break that would split a header', '/a\r\nSet-Cookie: x=y'],
    ['a path with a null character', '/a\u0000'],
    ['an address with a scheme', 'https://evil.example/'],
    ['an address with a scheme and without slashes', 'https:evil.example'],
    ['a script', 'javascript:alert(1)'],
    ['a relative path', 'lab'],
    ['a path after a blank', ' /lab'],
    ['an empty text', ''],
    ['a huge path', `/${'a'.repeat(8192)}`],
    ['a list', ['/', '/']],
    ['a missing value', undefined],
  ] as const)
    it(`is never ${hazard}`, () => assert.equal(localPath(path), undefined))

  it('never makes a browser leave the origin, even with dot segments', () => {
    for (const path of [
      '/.//evil.example',
      '/a/..//evil.example',
      '/%2F%2Fevil.example',
      '/@evil.example',
    ]) {
      const kept = localPath(path)
      if (kept !== undefined)
        assert.equal(new URL(kept, 'http://here.test/x').origin, 'http://here.test')
    }
  })

  it('is wrapped with its fragment in the address of the standstill page', () => {
    const wrapped = new URL(standstillPath('', '/lab?a=1&b=2#c'), 'http://here.test')
    assert.equal(wrapped.searchParams.get('to'), '/lab?a=1&b=2#c')
    assert.equal(localPath(standstillPath('', '/lab')), '/.berth/?to=%2Flab')
  })
})
