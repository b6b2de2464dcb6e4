import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createGatewayCookies } from '../headers/gateway-cookies.ts'
import { createCheckRequest } from './check-request.ts'

const check = createCheckRequest(
  {
    secret: undefined,
    identityHeader: 'Remote-User',
    subjectHeader: 'X-Forwarded-User',
    groupsHeader: 'X-Forwarded-Groups',
    emailHeader: 'X-Forwarded-Email',
    subjectRequired: false,
  },
  createGatewayCookies(['_oauth2_proxy*']),
)
const head = {
  method: 'GET',
  target: '/',
  rawHeaders: ['Host', 'lab.test'] as readonly string[],
  upgrade: false,
}

describe('the form of a request', () => {
  for (const target of [
    '/',
    '/x%2Fy//z',
    '/x//',
    '/../..',
    '/%2f%2fevil',
    '/?a=//b',
    '/*',
    '/.//x',
  ])
    it(`may have the target ${target}`, () => {
      assert.equal(check({ ...head, target }), undefined)
    })

  for (const target of [
    '',
    '*',
    '//evil',
    '//',
    '/\\evil',
    '///x',
    'http://evil/',
    'HTTP://evil/',
    'evil:80',
    '?x',
    'x/',
    '\\x',
  ])
    it(`may not have the target ${JSON.stringify(target)}`, () => {
      assert.equal(check({ ...head, target })?.code, 'bad_request')
    })

  for (const method of ['TRACE', 'CONNECT'])
    it(`may not be ${method}`, () => {
      assert.equal(check({ ...head, method })?.code, 'method_refused')
    })

  for (const method of ['GET', 'PROPFIND', 'OPTIONS', 'QUERY', 'DELETE'])
    it(`may be ${method}`, () => {
      assert.equal(check({ ...head, method }), undefined)
    })

  for (const host of ['lab.test', 'LAB.test:4180', '127.0.0.1', '[::1]:80', 'a_b'])
    it(`may name the host ${host}`, () => {
      assert.equal(check({ ...head, rawHeaders: ['hOsT', host] }), undefined)
    })

  for (const host of [
    '',
    'a, b',
    'a b',
    'u@h',
    'h/x',
    'h:x',
    'h:1:2',
    '<b>',
    '[::1',
    'h?',
    'h#',
    'ü',
  ])
    it(`may not name the host ${JSON.stringify(host)}`, () => {
      assert.equal(check({ ...head, rawHeaders: ['Host', host] })?.code, 'bad_request')
    })

  it('may not name two hosts, not even the same', () => {
    const rawHeaders = ['Host', 'lab.test', 'host', 'lab.test']
    assert.equal(check({ ...head, rawHeaders })?.code, 'bad_request')
  })

  for (const name of [
    'X_Forwarded_User',
    'x-forwarded_user',
    'X_Forwarded-For',
    'Remote_User',
    'BERTH_GATEWAY_SECRET',
    'Berth_User',
    'X_Real_IP',
    'GAP_Auth',
    'X_Auth_Request_User',
  ])
    it(`may not have a header of the gateway spelt as ${name}`, () => {
      const rawHeaders = ['Host', 'h', name, 'eve']
      assert.equal(check({ ...head, rawHeaders })?.code, 'bad_request')
    })

  it('may have other header names with _, which are dropped later', () => {
    assert.equal(check({ ...head, rawHeaders: ['Host', 'h', 'access_token', 'x'] }), undefined)
  })

  it('may request an upgrade with GET only', () => {
    assert.equal(check({ ...head, upgrade: true }), undefined)
    for (const method of ['POST', 'HEAD', 'OPTIONS'])
      assert.equal(check({ ...head, method, upgrade: true })?.code, 'bad_request')
  })

  it('may not have a body if it requests an upgrade', () => {
    for (const announcement of [
      ['Content-Length', '5'],
      ['Transfer-Encoding', 'chunked'],
    ]) {
      const rawHeaders = ['Host', 'h', ...announcement]
      assert.equal(check({ ...head, rawHeaders, upgrade: true })?.code, 'bad_request')
      assert.equal(check({ ...head, rawHeaders, upgrade: false }), undefined)
    }
    const rawHeaders = ['Host', 'h', 'Content-Length', '0']
    assert.equal(check({ ...head, rawHeaders, upgrade: true }), undefined)
  })

  it('may have headers of 64 KiB, and what the gateway adds besides', () => {
    const codeOf = (...rawHeaders: string[]) => check({ ...head, rawHeaders })?.code
    const long = 'x'.repeat(64 * 1024)
    assert.equal(codeOf('Cookie', `a=${long.slice(100)}`), undefined)
    assert.equal(codeOf('Cookie', `a=${long}`), 'headers_too_long')
    assert.equal(codeOf('X-Any', long), 'headers_too_long')
    assert.equal(codeOf('Cookie', `_oauth2_proxy_0=${long}; a=b`), undefined)
    assert.equal(codeOf('X-Forwarded-Groups', long), undefined)
    assert.equal(check({ ...head, target: `/${long}` })?.code, 'headers_too_long')
  })
})
