import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { refusalOf, type PortalRequest } from './check-request.ts'

const portal = 'https://portal.example.com'
const workspace = 'https://lab.example.com'

const plain: PortalRequest = {
  method: 'GET',
  origin: undefined,
  fetchSite: undefined,
  fetchMode: undefined,
  fetchDest: undefined,
}
const ask = (request: Partial<PortalRequest>) => refusalOf({ ...plain, ...request }, portal)?.code

describe('a request that changes something', () => {
  for (const [name, request] of [
    ['the portal’s own page', { origin: portal, fetchSite: 'same-origin' }],
    ['the portal’s own page over plain HTTP', { origin: portal }],
  ] as const)
    it(`is served if it comes from ${name}`, () => {
      assert.equal(ask({ ...request, method: 'POST' }), undefined)
      assert.equal(ask({ ...request, method: 'DELETE' }), undefined)
    })

  for (const [name, request] of [
    ['a workspace', { origin: workspace, fetchSite: 'same-site' }],
    ['a workspace over plain HTTP', { origin: workspace }],
    ['a frame without an origin', { origin: 'null', fetchSite: 'cross-site' }],
    ['a client that sends no origin', {}],
    ['a page on another port of the portal’s host', { origin: `${portal}:8443` }],
    ['a page without TLS', { origin: 'http://portal.example.com' }],
    ['a host that begins like the portal', { origin: `${portal}.evil.example` }],
    ['another site whose origin was replaced', { origin: portal, fetchSite: 'cross-site' }],
    ['a navigation of a workspace', { origin: workspace, fetchMode: 'navigate' }],
  ] as const)
    it(`hazard: ${name}: is refused`, () => {
      for (const method of ['POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'post'])
        assert.equal(ask({ ...request, method }), 'origin_refused', method)
    })
})

describe('a request that reads something', () => {
  for (const [name, request] of [
    ['an address that a person typed', { fetchSite: 'none', fetchMode: 'navigate' }],
    ['the portal’s own page', { fetchSite: 'same-origin', fetchMode: 'cors' }],
    [
      'a link of a workspace',
      { fetchSite: 'same-site', fetchMode: 'navigate', fetchDest: 'document' },
    ],
    ['a client that says nothing of itself', {}],
  ] as const)
    it(`is served from ${name}`, () => assert.equal(ask(request), undefined))

  for (const [name, request] of [
    ['a frame', { fetchSite: 'same-site', fetchMode: 'navigate', fetchDest: 'iframe' }],
    ['an object', { fetchSite: 'cross-site', fetchMode: 'navigate', fetchDest: 'object' }],
    ['a script element', { fetchSite: 'same-site', fetchMode: 'no-cors', fetchDest: 'script' }],
    ['fetch', { fetchSite: 'same-site', fetchMode: 'cors', fetchDest: 'empty' }],
    ['fetch without CORS', { fetchSite: 'cross-site', fetchMode: 'no-cors', fetchDest: 'empty' }],
  ] as const)
    it(`hazard: ${name} of a workspace: is refused`, () =>
      assert.equal(ask(request), 'origin_refused'))
})
