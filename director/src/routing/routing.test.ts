import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Route } from '@berth/shared/contract'
import { createIsBackground } from './background-requests.ts'
import { classify, isOwnPath } from './classify.ts'
import { below } from './path-prefix.ts'
import { createRouteTable, type RouteQuery, type RouteTable } from './route-table.ts'

const route = (template: string, hosts: string[] = [], more: Partial<Route> = {}): Route => ({
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
  ...more,
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
        const destination = table.find({ host, target: '/' })
        return destination.kind === 'template' ? destination.route.template : destination.kind
      }
      assert.equal(name(anywhere), without)
      assert.equal(name(sited), within)
    })

  it('of the portal leads to no workspace, also with the root’s trailing dot', () => {
    const table = createRouteTable([route('lab')], { portalUrl: 'http://portal.localhost:4180' })
    for (const host of ['portal.localhost', 'Portal.Localhost.', 'portal.localhost.:4180'])
      assert.equal(table.find({ host, target: '/' }).kind, 'portal', host)
  })

  it('leads nowhere before there are routes', () => {
    assert.deepEqual(createRouteTable([], {}).find({ host: 'h', target: '/' }), {
      kind: 'unknown',
      what: 'path',
    })
    const sites = { publicUrl: 'http://h' }
    assert.deepEqual(createRouteTable([], sites).find({ host: 'h', target: '/' }), {
      kind: 'unknown',
      what: 'path',
    })
    assert.deepEqual(createRouteTable([], sites).find({ host: 'other', target: '/' }), {
      kind: 'unknown',
      what: 'host',
    })
  })

  it('of an IPv6 address is separated from its port', () => {
    const table = createRouteTable([route('lab')], { publicUrl: 'http://[::1]:80' })
    assert.equal(table.find({ host: '[::1]:8080', target: '/' }).kind, 'template')
    assert.equal(table.find({ host: '[::2]:8080', target: '/' }).kind, 'unknown')
  })
})

function leads(table: RouteTable, asked: RouteQuery): string {
  const found = table.find(asked)
  return found.kind === 'template' ? `${found.route.template}${found.base}` : found.kind
}

describe('a host name below a wildcard', () => {
  const routes = [
    route('lab'),
    route('hex', ['*.Lab.test']),
    route('own', ['own.lab.test']),
    route('paths', ['*.paths.test'], { path: { prefix: '/p', strip: true } }),
  ]
  const sites = { publicUrl: 'https://lab.test', portalUrl: 'https://portal.lab.test' }
  const table = createRouteTable(routes, sites)
  for (const [host, expected] of [
    ['abc.lab.test', 'hex'],
    ['ABC.LAB.test:1', 'hex'],
    ['own.lab.test', 'own'],
    ['portal.lab.test', 'portal'],
    ['lab.test', 'lab'],
    ['a.b.lab.test', 'unknown'],
    ['.lab.test', 'unknown'],
    ['abclab.test', 'unknown'],
    ['abc.lab.test.', 'unknown'],
    ['*.lab.test', 'hex'],
    ['x.paths.test', 'choice'],
  ] as const)
    it(`${host} leads to ${expected}`, () => {
      assert.equal(leads(table, { host, target: '/' }), expected)
    })
})

describe('a path', () => {
  const path = (prefix: string) => ({ path: { prefix, strip: true } })
  const routes = [
    route('lab'),
    route('a', [], path('/lab')),
    route('b', [], path('/lab/deep')),
    route('c', ['hello.test'], path('/lab')),
    route('d', ['whole.test']),
    route('e', ['whole.test'], path('/e')),
  ]
  const sites = { publicUrl: 'https://lab.test', portalUrl: 'https://portal.test' }
  const sited = createRouteTable(routes, sites)
  const anywhere = createRouteTable(routes, {})
  for (const [host, target, expected] of [
    ['lab.test', '/lab', 'a/lab'],
    ['lab.test', '/lab/', 'a/lab'],
    ['lab.test', '/lab?x', 'a/lab'],
    ['lab.test', '/lab/x/../../y', 'a/lab'],
    ['lab.test', '/lab/deep', 'b/lab/deep'],
    ['lab.test', '/lab/deep/x', 'b/lab/deep'],
    ['lab.test', '/lab/deeper', 'a/lab'],
    ['lab.test', '/labs', 'lab'],
    ['lab.test', '/la', 'lab'],
    ['lab.test', '/Lab/', 'lab'],
    ['lab.test', '/%6cab/', 'lab'],
    ['lab.test', '/lab%2Fx', 'lab'],
    ['lab.test', '/lab;x', 'lab'],
    ['lab.test', '/x/../lab/', 'lab'],
    ['lab.test', '/?/lab/', 'lab'],
    ['lab.test', '/.berth/assets/x', 'lab'],
    ['hello.test', '/lab/x', 'c/lab'],
    ['hello.test', '/lab/deep', 'c/lab'],
    ['hello.test', '/', 'choice'],
    ['hello.test', '/.berth/assets/x', 'c'],
    ['hello.test', '/.berth/status', 'unknown'],
    ['whole.test', '/lab', 'd'],
    ['whole.test', '/e/', 'e/e'],
    ['portal.test', '/lab', 'portal'],
  ] as const)
    it(`${target} of ${host} leads to ${expected}`, () => {
      assert.equal(leads(sited, { host, target }), expected)
    })

  it('leads to its route on every host without routes if no public URL is set', () => {
    assert.equal(leads(anywhere, { host: 'any.test', target: '/lab/' }), 'a/lab')
    assert.equal(leads(anywhere, { host: undefined, target: '/lab/' }), 'a/lab')
    assert.equal(leads(anywhere, { host: 'whole.test', target: '/lab/' }), 'd')
    assert.equal(leads(sited, { host: 'any.test', target: '/lab/' }), 'unknown')
  })

  it('below a prefix keeps its rest byte for byte', () => {
    for (const [target, rest] of [
      ['/lab', '/'],
      ['/lab?x=%2F', '/?x=%2F'],
      ['/lab/', '/'],
      ['/lab/%2e%2E//x?/', '/%2e%2E//x?/'],
    ] as const)
      assert.equal(below(target, '/lab'), rest)
    assert.equal(below('/lab', ''), '/lab')
  })
})

describe('a port of a route', () => {
  const routes = [
    route('lab'),
    route('own', [], { listenPort: 8090 }),
    route('both', ['both.test'], { listenPort: 8091, path: { prefix: '/x', strip: false } }),
  ]
  const sites = { publicUrl: 'https://lab.test', portalUrl: 'https://portal.test' }
  const table = createRouteTable(routes, sites)
  for (const [port, host, target, expected] of [
    [8090, 'any', '/', 'own'],
    [8090, 'lab.test', '/', 'own'],
    [8090, undefined, '/', 'own'],
    [8090, 'portal.test', '/', 'portal'],
    [8091, 'any', '/x/y', 'both/x'],
    [8091, 'any', '/', 'choice'],
    [8080, 'both.test', '/x', 'both/x'],
    [8080, 'lab.test', '/', 'lab'],
    [8080, 'any', '/', 'unknown'],
  ] as const)
    it(`${port} with the host ${host} and ${target} leads to ${expected}`, () => {
      assert.equal(leads(table, { host, target, port }), expected)
    })

  it('is in the table while its route exists', () => {
    assert.deepEqual([...table.ports], [8090, 8091])
    assert.equal(table.isRoutePort(8090), true)
    assert.equal(table.isRoutePort(8080), false)
    assert.equal(table.isRoutePort(undefined), false)
  })
})

it('treats an Authorization as the gateway’s as soon as one route passes its ID token', () => {
  const of = (routes: Route[], host: string) => {
    const found = createRouteTable(routes, {}).find({ host, target: '/' })
    return found.kind === 'template' ? found.route.authorization : undefined
  }
  const id = route('id', ['id.test'], { passTokens: ['id'] })
  assert.equal(of([route('lab')], 'x'), 'application')
  assert.equal(of([route('lab'), id], 'x'), 'withheld')
  assert.equal(of([route('lab'), id], 'id.test'), 'id-token')
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
      assert.equal(isBackground(method, target, 0), expected)
    })

  it('are compared with the query as well if their pattern has one: an open session of socket.io, and not a new one', () => {
    const isOfSession = createIsBackground(['GET /socket.io/*?*sid=*', 'GET /x/{id}/?a=1'])
    for (const [target, expected] of [
      ['/socket.io/?EIO=4&transport=polling&sid=7f', true],
      ['/socket.io/?EIO=4&transport=polling', false],
      ['/socket.io/sid=7f', false],
      ['/x/7/?a=1', true],
      ['/x/7/', false],
    ] as const)
      assert.equal(isOfSession('GET', target, 0), expected, target)
  })

  it('have a body of no more bytes than their pattern allows, and one of known length', () => {
    const limited = createIsBackground([{ request: 'POST /', maxBytes: 60 }])
    assert.equal(limited('POST', '/', 60), true)
    assert.equal(limited('POST', '/?x', 0), true)
    for (const bytes of [61, Infinity]) assert.equal(limited('POST', '/', bytes), false)
  })

  it('are none without a pattern', () => {
    assert.equal(createIsBackground([])('GET', '/', 0), false)
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
      const kind = classify(
        { method, target, rawHeaders },
        { isBackground: createIsBackground(['GET /api/*']) },
      )
      const words = [kind.navigation ? 'page' : '', kind.start, kind.background ? 'background' : '']
      assert.equal(words.filter((word) => word !== '').join(' '), expected)
    })

  for (const [what, method, headers, expected] of [
    ['fetch', 'POST', mode('cors'), 'start'],
    ['background fetch', 'GET', mode('cors'), 'no background'],
    ['image', 'GET', mode('no-cors'), 'no background'],
    [
      'WebSocket, which a page opens again by itself',
      'POST',
      [...mode('websocket'), 'Upgrade', 'websocket'],
      'wake',
    ],
    ['WebSocket over plain HTTP', 'POST', [...origin, 'Upgrade', 'WebSocket'], 'wake'],
    [
      'event stream, which a page opens again by itself',
      'POST',
      [...mode('cors'), 'Accept', 'text/event-stream'],
      'wake',
    ],
    ['prefetch', 'POST', [...mode('cors'), 'Sec-Purpose', 'prefetch'], 'wake'],
  ] as const)
    it(`whose template lets requests start, and that is a ${what}, is: ${expected}`, () => {
      const rawHeaders = ['Host', 'lab.test:4180', ...headers]
      const rules = { isBackground: createIsBackground(['GET /api/*']), startsByRequest: true }
      const kind = classify({ method, target: '/api/x', rawHeaders }, rules)
      const words = [kind.start, kind.background ? 'background' : '']
      assert.equal(words.filter((word) => word !== '').join(' '), expected)
    })

  it('starts the workspace and is use if its page says that a person asked for it', () => {
    const rules = { isBackground: createIsBackground(['GET /api/*']) }
    const kindOf = (...headers: readonly string[]) =>
      classify(
        { method: 'GET', target: '/api/x', rawHeaders: [...mode('cors'), ...headers] },
        rules,
      )
    assert.deepEqual(kindOf('berth-start', 'True'), {
      navigation: false,
      byItself: false,
      background: false,
      start: 'start',
    })
    assert.equal(kindOf('Berth-Start', 'false').start, 'no')
    assert.equal(kindOf('Berth-Start', 'true', 'Sec-Purpose', 'prefetch').start, 'wake')
  })

  const chrome = [
    'User-Agent',
    'Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36',
  ]
  const safari = ['User-Agent', 'Mozilla/5.0 (Macintosh) Version/18.0 Safari/605.1.15']
  const sameOrigin = ['Sec-Fetch-Site', 'same-origin']
  for (const [what, headers, expected] of [
    ['reload by its page', [...chrome, ...mode('navigate'), ...sameOrigin], true],
    [
      'click in its page',
      [...chrome, ...mode('navigate'), ...sameOrigin, 'Sec-Fetch-User', '?1'],
      false,
    ],
    [
      'address that a person typed',
      [...chrome, ...mode('navigate'), 'Sec-Fetch-Site', 'none'],
      false,
    ],
    [
      'link of another site',
      [...chrome, ...mode('navigate'), 'Sec-Fetch-Site', 'cross-site'],
      false,
    ],
    [
      'reload in a browser that does not tell',
      [...safari, ...mode('navigate'), ...sameOrigin],
      false,
    ],
    [
      'reload through a service worker, which tells of no person',
      [...chrome, ...mode('navigate'), ...sameOrigin, 'Sec-Fetch-Dest', 'empty'],
      false,
    ],
    ['visit over plain HTTP', chrome, false],
    ['fetch', [...chrome, ...mode('cors'), ...sameOrigin], false],
  ] as const)
    it(`that is a ${what} was ${expected ? '' : 'not '}begun by the page itself`, () => {
      const rawHeaders = ['Host', 'lab.test', ...html, ...headers]
      const request = { method: 'GET', target: '/', rawHeaders }
      assert.equal(classify(request, { isBackground: () => false }).byItself, expected)
    })

  it('is a background request by the length of its body', () => {
    const rules = { isBackground: createIsBackground([{ request: 'POST /', maxBytes: 60 }]) }
    const isBackground = (...headers: readonly string[]) =>
      classify({ method: 'POST', target: '/', rawHeaders: headers }, rules).background
    assert.equal(isBackground('Content-Length', '60'), true)
    assert.equal(isBackground('content-length', '61'), false)
    assert.equal(isBackground('Transfer-Encoding', 'chunked'), false)
    assert.equal(isBackground(), true)
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
