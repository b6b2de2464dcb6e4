import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { expired, namesIn, pathsAbove } from './expired-cookies.ts'

const place = { host: 'localhost:4180', paths: ['/'], secure: false }
const end = 'Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT'

describe('the cookies that a browser is to forget', () => {
  it('have the names of the Cookie header, each once', () => {
    assert.deepEqual(namesIn(['Cookie', 'a=1; b=2;a=3; =c=4; d']), ['a', 'b', 'c', 'd'])
    assert.deepEqual(namesIn(['Cookie', '']), [])
    assert.deepEqual(namesIn(['Host', 'h']), [])
  })

  it('have the names of every Cookie header: a gateway may pass on those of HTTP/2 one by one', () => {
    assert.deepEqual(namesIn(['cookie', 'a=1', 'Host', 'h', 'COOKIE', 'b=2; a=3']), ['a', 'b'])
  })

  it('expire on the host alone where no wider domain can have cookies', () => {
    for (const host of ['localhost:4180', '127.0.0.1:80', '[::1]:80', undefined])
      assert.deepEqual(expired(['a'], { ...place, host }), [`a=; Path=/; ${end}`])
  })

  it('expire on the host, and on each domain that contains it', () => {
    assert.deepEqual(expired(['a'], { ...place, host: 'lab.example.com' }), [
      `a=; Path=/; ${end}`,
      `a=; Path=/; ${end}; Domain=lab.example.com`,
      `a=; Path=/; ${end}; Domain=example.com`,
    ])
  })

  it('expire on each path that they may have', () => {
    assert.deepEqual(pathsAbove('/lab/tree'), ['/', '/lab', '/lab/', '/lab/tree', '/lab/tree/'])
    assert.deepEqual(pathsAbove('/'), ['/'])
    // A cookie without a path has the folder of the page that set it, however deep that is.
    assert.deepEqual(pathsAbove('/a/b/c/d/e/f/g'), [
      ...pathsAbove('/a/b/c'),
      ...['/a/b/c/d/e/f', '/a/b/c/d/e/f/', '/a/b/c/d/e/f/g', '/a/b/c/d/e/f/g/'],
    ])
    assert.deepEqual(pathsAbove('/a;Domain=x/b'), ['/', '/b', '/b/'])
    assert.equal(expired(['a', 'b'], { ...place, paths: ['/', '/lab'] }).length, 4)
  })

  it('expire over https only with Secure, which their names may require', () => {
    assert.match(expired(['a'], { ...place, secure: true })[0] ?? '', /; Secure$/)
    assert.match(expired(['__Host-a'], place)[0] ?? '', /; Secure$/)
  })
})
