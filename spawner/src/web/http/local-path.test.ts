import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { localPath, standstillPath } from './local-path.ts'

describe('a place to lead back to', () => {
  for (const path of [
    '/',
    '/lab/tree?a=1&b=%2F#frag',
    '/x%2Fy//z',
    '/..%2f..',
    '/.berth/?to=%2Flab',
    '/ü',
  ])
    it(`is ${path} as it came`, () => assert.equal(localPath(path), path))

  for (const [hazard, path] of [
    ['a scheme-relative address', '//evil.example/x'],
    ['a scheme-relative address of whatever it is resolved against', '//origin.invalid/x'],
    ['a backslash that browsers read as a slash', '/\\evil.example'],
    ['a backslash further on', '/a/\\\\evil.example'],
    ['a tab that browsers drop', '/\t/evil.example'],
    ['a line break that would split a header', '/a\r\nSet-Cookie: x=y'],
    ['a null', '/a\u0000'],
    ['another scheme', 'https://evil.example/'],
    ['another scheme without slashes', 'https:evil.example'],
    ['script', 'javascript:alert(1)'],
    ['a relative path', 'lab'],
    ['blanks before it', ' /lab'],
    ['nothing', ''],
    ['something huge', `/${'a'.repeat(8192)}`],
    ['no text', ['/', '/']],
    ['nothing given', undefined],
  ] as const)
    it(`is never ${hazard}`, () => assert.equal(localPath(path), undefined))

  it('never makes a browser leave the origin, dot segments included', () => {
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

  it('is wrapped whole, fragment included, where the way leads over the standstill page', () => {
    const wrapped = new URL(standstillPath('', '/lab?a=1&b=2#c'), 'http://here.test')
    assert.equal(wrapped.searchParams.get('to'), '/lab?a=1&b=2#c')
    assert.equal(localPath(standstillPath('', '/lab')), '/.berth/?to=%2Flab')
  })
})
