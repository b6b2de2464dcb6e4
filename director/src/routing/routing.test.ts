import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Route } from '@berth/shared/contract'
import { createIsBackground } from './background-requests.ts'
import { classify, isOwnPath } from './classify.ts'
import { createRouteTable } from './route-table.ts'

const route = (template: string, hosts: string[] = []): Route => ({
  template,
  prefix: template,
  port: 80,
  hosts,
  shared: false,
  readyPath: '/',
  passIdentity: [],
  passTokens: [],
  backgroundRequests: [],
  connectionIdleMs: 60_000,
})

describe('a host name', () => {
  const routes = [route('lab'), route('hello', ['Hello.localhost', 'portal.localhost'])]
  const anywhere = createRouteTable(routes, {})
  const sited = createRouteTable(routes, {
    publicUrl: 'http://localhost:4180',
    portalUrl: 'http://portal.localhost:4180',
  })

  for (const [host, without, within] of [
    ['localhost:4180', 'lab', 'lab'],
    ['LOCALHOST', 'lab', 'lab'],
    ['hello.localhost:4180', 'hello', 'hello'],
    ['HELLO.localhost', 'hello', 'hello'],
    ['portal.localhost:1', 'hello', 'portal'],
    ['elsewhere', 'lab', 'unknown'],
    ['hello.localhost.', 'lab', 'unknown'],
    ['x.hello.localhost', 'lab', 'unknown'],
    ['constructor', 'lab', 'unknown'],
    ['__proto__', 'lab', 'unknown'],
    ['127.0.0.1:8080', 'lab', 'unknown'],
    ['[::1]:8080', 'lab', 'unknown'],
    [undefined, 'lab', 'unknown'],
  ] as const)
    it(`${host} leads to ${without}, and where a public URL is set to ${within}`, () => {
      const name = (table: typeof sited) => {
        const destination = table.find(host)
        return destination.kind === 'template' ? destination.route.template : destination.kind
      }
      assert.equal(name(anywhere), without)
      assert.equal(name(sited), within)
    })

  it('leads nowhere before there are routes', () => {
    assert.deepEqual(createRouteTable([], {}).find('h'), { kind: 'unknown' })
    const sites = { publicUrl: 'http://h' }
    assert.deepEqual(createRouteTable([], sites).find('h'), { kind: 'unknown' })
  })

  it('of an IPv6 address is told from its port', () => {
    const table = createRouteTable([route('lab')], { publicUrl: 'http://[::1]:80' })
    assert.equal(table.find('[::1]:8080').kind, 'template')
    assert.equal(table.find('[::2]:8080').kind, 'unknown')
  })
})

describe('background requests', () => {
  const isBackground = createIsBackground(['GET /api/*', '  post   /a*/b  ', '/any', '* /star', ''])
  for (const [method, target, expected] of [
    ['GET', '/api/', true],
    ['GET', '/api/x?y=/z', true],
    ['GET', '/api', false],
    ['PUT', '/api/x', false],
    ['POST', '/a/x/b', true],
    ['POST', '/a/x/b?c', true],
    ['POST', '/a/x', false],
    ['DELETE', '/any', true],
    ['GET', '/any?q', true],
    ['PATCH', '/star', true],
    ['GET', '/x?/api/', false],
    ['GET', '/%61pi/', false],
  ] as const)
    it(`${method} ${target} is ${expected ? 'one' : 'none'}`, () => {
      assert.equal(isBackground(method, target), expected)
    })

  it('are none where no pattern says so', () => {
    assert.equal(createIsBackground([])('GET', '/'), false)
  })
})

describe('a request', () => {
  const html = ['Accept', 'text/html,application/xhtml+xml,*/*;q=0.8']
  const json = ['Accept', 'application/json']
  const mode = (value: string) => ['Sec-Fetch-Mode', value]
  const origin = ['Origin', 'http://lab.test:4180']
  const referer = ['Referer', 'http://lab.test:4180/tree']

  for (const [what, method, target, headers, expected] of [
    ['navigation of a browser', 'GET', '/', [...mode('navigate'), ...html], 'page start'],
    ['navigation over plain HTTP', 'GET', '/', [...html, ...referer], 'page start'],
    [
      'navigation to a background path',
      'GET',
      '/api/x',
      [...mode('navigate'), ...html],
      'page start background',
    ],
    ['form post', 'POST', '/', [...mode('navigate'), ...html, ...origin], 'start'],
    ['curl', 'GET', '/', ['Accept', '*/*'], 'start'],
    ['curl of a background path', 'GET', '/api/x', ['Accept', '*/*'], 'start background'],
    ['git push', 'POST', '/x.git/git-receive-pack', [], 'start'],
    ['fetch', 'GET', '/x', [...mode('cors'), ...json], 'wake'],
    ['fetch that takes HTML', 'GET', '/x', [...mode('cors'), ...html], 'wake'],
    ['background fetch', 'GET', '/api/x', [...mode('cors'), ...json], 'no background'],
    [
      'background fetch with a query',
      'GET',
      '/api/x?t=1',
      [...mode('same-origin')],
      'no background',
    ],
    ['PUT to a background path', 'PUT', '/api/x', mode('cors'), 'wake'],
    ['fetch over plain HTTP, by Referer', 'GET', '/x', [...json, ...referer], 'wake'],
    ['fetch over plain HTTP, by Origin', 'POST', '/x', [...json, ...origin], 'wake'],
    [
      'fetch over plain HTTP, no Referer policy',
      'POST',
      '/x',
      ['Origin', 'null', ...referer],
      'wake',
    ],
    ['background fetch over plain HTTP', 'GET', '/api/x', [...json, ...referer], 'no background'],
    [
      'XMLHttpRequest that takes HTML',
      'GET',
      '/',
      ['X-Requested-With', 'XMLHttpRequest', ...html],
      'start',
    ],
    [
      'the same from this site',
      'GET',
      '/',
      ['X-Requested-With', 'XMLHttpRequest', ...html, ...referer],
      'wake',
    ],
    ['a link from another site', 'GET', '/', [...html, 'Referer', 'http://evil/'], 'page start'],
    [
      'a fetch from another site',
      'GET',
      '/',
      [...json, 'Referer', 'http://lab.test:41800/'],
      'start',
    ],
    [
      'a site whose name begins alike',
      'GET',
      '/',
      [...json, 'Referer', 'http://lab.test:4180.evil/'],
      'start',
    ],
    [
      'prefetch',
      'GET',
      '/',
      [...mode('navigate'), ...html, 'Sec-Purpose', 'prefetch;prerender'],
      'wake',
    ],
    ['prefetch of old', 'GET', '/', [...html, 'Purpose', 'prefetch'], 'wake'],
    ['HEAD', 'HEAD', '/', html, 'start'],
    ['image', 'GET', '/i.png', mode('no-cors'), 'wake'],
    ['WebSocket of a page', 'GET', '/ws', [...mode('websocket'), ...origin], 'wake'],
    ['WebSocket of a page over plain HTTP', 'GET', '/ws', origin, 'wake'],
    ['WebSocket of a program', 'GET', '/ws', [], 'start'],
  ] as const)
    it(`that is a ${what} is: ${expected}`, () => {
      const rawHeaders = ['hOST', 'Lab.test:4180', ...headers]
      const kind = classify({ method, target, rawHeaders }, createIsBackground(['GET /api/*']))
      const words = [kind.navigation ? 'page' : '', kind.start, kind.background ? 'background' : '']
      assert.equal(words.filter((word) => word !== '').join(' '), expected)
    })

  it("is Berth's own by its exact path only", () => {
    for (const target of ['/.berth/', '/.berth/status?x', '/.berth/../x'])
      assert.equal(isOwnPath(target), true)
    for (const target of [
      '/.berth',
      '/.Berth/',
      '/%2eberth/',
      '/x/.berth/',
      '//.berth/',
      '/.berthx',
    ])
      assert.equal(isOwnPath(target), false)
  })
})
