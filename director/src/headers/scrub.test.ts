import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseUserName } from '@berth/shared/names'
import type { GatewayProof } from '../identity/gateway.ts'
import { createHeaderScrub, type PassedHeaders } from './scrub.ts'

const gateway = {
  secret: undefined,
  identityHeader: 'Remote-User',
  subjectHeader: 'X-Forwarded-User',
  groupsHeader: 'Remote-Groups',
  emailHeader: 'X-Forwarded-Email',
  subjectRequired: true,
}
const gatewayCookies = ['_oauth2_proxy*', 'mod_auth_openidc_*']
const passes = createHeaderScrub({ gateway, gatewayCookies })
const route: PassedHeaders = { passIdentity: [], passTokens: [], authorization: 'application' }
const requestId = 'request-1'
const context = { remoteAddress: '::ffff:10.0.0.2', proof: 'none', requestId, route } as const
const answerTo = (host: string) => ({ host, path: undefined, target: '/' })
const set = [
  ...['X-Forwarded-For', '10.0.0.2', 'X-Forwarded-Proto', 'http'],
  ...['X-Request-Id', 'request-1'],
]

describe('on the way to a workspace', () => {
  for (const [name, value] of [
    ['Connection', 'keep-alive'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Connection', 'keep-alive'],
    ['Proxy-Authorization', 'Basic x'],
    ['TE', 'trailers'],
    ['Trailer', 'X-T'],
    ['Transfer-Encoding', 'chunked'],
    ['Upgrade', 'websocket'],
    ['HTTP2-Settings', 'x'],
    ['Expect', '100-continue'],
    ['Forwarded', 'for=1.2.3.4'],
    ['X-Forwarded-For', '1.2.3.4'],
    ['x-forwarded-anything', 'x'],
    ['X-Real-IP', '1.2.3.4'],
    ['GAP-Auth', 'x'],
    ['X-Auth-Request-User', 'x'],
    ['X-Auth-Request-Access-Token', 'x'],
    ['X-Forwarded-Access-Token', 'x'],
    ['X-Forwarded-Prefix', '/lab'],
    ['Berth-Ends-At', 'x'],
    ['X-Request-Id', 'of the client'],
    ['Berth-Base', '/lab'],
    ['Berth-Workspace', 'lab-bob'],
    ['Berth-Gateway-Secret', 'x'],
    ['Berth-User', 'eve'],
    ['REMOTE-USER', 'eve'],
    ['Remote-Groups', 'admins'],
    ['access_token', 'x'],
    ['Content_Length', '5'],
    ['Cookie', '_oauth2_proxy=x'],
  ] as const)
    it(`${name}: ${value} is dropped`, () => {
      assert.deepEqual(passes.toWorkspace([name, value], context), set)
    })

  it('the headers that stay keep their order, case and bytes', () => {
    const raw = ['x-B', '1', 'Host', 'H:1', 'X-a', '\xe9 ', 'x-b', '', 'Content-Length', '5']
    assert.deepEqual(passes.toWorkspace(raw, context), [
      ...raw,
      'X-Forwarded-For',
      '10.0.0.2',
      'X-Forwarded-Host',
      'H:1',
      'X-Forwarded-Proto',
      'http',
      'X-Request-Id',
      'request-1',
    ])
  })

  it('headers named by Connection are dropped, except those that define the message', () => {
    const raw = [
      'X-Hop',
      '1',
      'Connection',
      'close, x-HOP,,',
      'connection',
      'Content-Length ,Host',
      'X',
      '2',
    ]
    const kept = passes.toWorkspace([...raw, 'Content-Length', '5', 'Host', 'h'], context)
    assert.deepEqual(kept.slice(0, 6), ['X', '2', 'Content-Length', '5', 'Host', 'h'])
  })

  it("an application's own Authorization passes, the gateway's Basic does not", () => {
    const raw = ['Authorization', 'Bearer mine']
    assert.deepEqual(passes.toWorkspace(raw, { ...context, proof: 'header' }), [...raw, ...set])
    assert.deepEqual(passes.toWorkspace(raw, { ...context, proof: 'basic' }), set)
  })

  it('the application gets the stripped prefix of the route, and the end of the lifetime', () => {
    const path = { prefix: '/lab', strip: true }
    const forged = ['X-Forwarded-Prefix', '/evil', 'Berth-Ends-At', '1999']
    const endsAt = '2026-01-01T00:00:00Z'
    assert.deepEqual(
      passes.toWorkspace(forged, { ...context, route: { ...route, path }, endsAt }),
      [...set, 'X-Forwarded-Prefix', '/lab', 'Berth-Ends-At', endsAt],
    )
    const kept = { ...route, path: { ...path, strip: false } }
    assert.deepEqual(passes.toWorkspace(forged, { ...context, route: kept }), set)
  })

  it('a proven gateway’s X-Forwarded-For reaches it, with the gateway’s own address after it', () => {
    const raw = ['X-Forwarded-For', '203.0.113.7, 10.9.9.9', 'x-forwarded-for', '10.8.8.8']
    for (const proof of ['header', 'basic'] as const)
      assert.deepEqual(passes.toWorkspace(raw, { ...context, proof }), [
        'X-Forwarded-For',
        '203.0.113.7, 10.9.9.9, 10.8.8.8, 10.0.0.2',
        ...set.slice(2),
      ])
    assert.deepEqual(passes.toWorkspace(raw, context), set)
    const empty = ['X-Forwarded-For', ' ,']
    assert.deepEqual(passes.toWorkspace(empty, { ...context, proof: 'header' }), set)
  })

  it('Host and X-Forwarded-Host are those that the browser has', () => {
    const raw = ['hOST', 'berth.test', 'A', '1']
    assert.deepEqual(passes.toWorkspace(raw, { ...context, host: 'berth.test:8443' }), [
      'hOST',
      'berth.test:8443',
      'A',
      '1',
      ...set.slice(0, 2),
      'X-Forwarded-Host',
      'berth.test:8443',
      ...set.slice(2),
    ])
  })

  it('the forwarded scheme is that of the public URL', () => {
    const https = createHeaderScrub({ gateway, gatewayCookies, publicUrl: 'https://h' })
    assert.equal(https.toWorkspace([], context).at(-3), 'https')
  })

  it('a second scrub changes nothing more', () => {
    const name = fc.oneof(
      fc.constantFrom('Connection', 'Cookie', 'Host', 'X-Forwarded-For', 'TE', 'x_y', 'Accept'),
      fc.stringMatching(/^[A-Za-z-]{1,12}$/),
    )
    const value = fc.oneof(
      fc.constantFrom('close, x-a', '_oauth2_proxy=1; a=b', 'h'),
      fc.stringMatching(/^[ -~]{0,20}$/),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (headers) => {
        const once = passes.toWorkspace(headers.flat(), context)
        assert.deepEqual(sorted(passes.toWorkspace(once, context)), sorted(once))
        const answer = passes.toClient(headers.flat(), answerTo('h'))
        assert.deepEqual(passes.toClient(answer, answerTo('h')), answer)
      }),
    )
  })
})

describe('a page of an application', () => {
  const page = ['Content-Type', 'text/html; charset=utf-8', 'Last-Modified', 'yesterday']

  it('is revalidated before a browser shows it from its cache, unless its headers say otherwise', () => {
    assert.deepEqual(passes.toClient(page, answerTo('h')), [...page, 'Cache-Control', 'no-cache'])
  })

  it('keeps its own caching headers, and other answers stay unchanged', () => {
    for (const answer of [
      [...page, 'cache-control', 'max-age=60'],
      [...page, 'Expires', '0'],
      ['Content-Type', 'text/css'],
      ['Content-Type', 'application/json'],
      ['X-Trailer', 'text/html'],
    ])
      assert.deepEqual(passes.toClient(answer, answerTo('h')), answer)
  })
})

describe('hazard: the identity headers that an application trusts', () => {
  const who = [
    ['remote-user', 'm\xc3\xbcller'],
    ['X-Forwarded-User', 'u-1'],
    ['Remote-Groups', ' staff,admins'],
    ['X-Forwarded-Email', 'a@b'],
  ] as const
  const fields = ['user', 'subject', 'groups', 'email'] as const

  it('are exactly those that its route passes on, unchanged', () => {
    for (const [index, field] of fields.entries()) {
      const passing = { ...route, passIdentity: [field] }
      const kept = passes.toWorkspace(who.flat(), { ...context, route: passing })
      assert.deepEqual(kept, [...(who[index] ?? []), ...set])
    }
  })

  it('arrive also when a client names them in Connection', () => {
    const passing = { ...route, passIdentity: fields }
    const raw = [
      ...who.flat(),
      'Connection',
      'Remote-User, X-Forwarded-User, X-Gone',
      'X-Gone',
      '1',
    ]
    const kept = passes.toWorkspace(raw, { ...context, route: passing })
    assert.deepEqual(kept, [...who.flat(), ...set])
  })

  it('arrive without any header that only looks like one', () => {
    const passing = { ...route, passIdentity: fields, passTokens: ['access', 'id'] as const }
    const forged = [
      ['Remote_User', 'eve'],
      ['X_Forwarded_Access_Token', 'x'],
      ['X-Forwarded-Preferred-Username', 'eve'],
      ['X-Auth-Request-User', 'eve'],
      ['X-Auth-Request-Access-Token', 'x'],
      ['GAP-Auth', 'eve'],
      ['Forwarded', 'for=eve'],
    ]
    assert.deepEqual(passes.toWorkspace(forged.flat(), { ...context, route: passing }), set)
  })

  it('include the access token only if its route passes it on, and only once', () => {
    const passing: PassedHeaders = { ...route, passTokens: ['access'] }
    const token = ['X-Forwarded-Access-Token', 'abc']
    const raw = ['Connection', 'x-forwarded-access-token', ...token]
    const kept = (raw: string[], of = passing) => passes.toWorkspace(raw, { ...context, route: of })
    assert.deepEqual(kept(raw), [...token, ...set])
    assert.deepEqual(kept([...raw, ...token]), set)
    assert.deepEqual(kept(raw, route), set)
  })

  it('include the ID token only if its route passes it on, and no Authorization if another route does', () => {
    const bearer = ['Authorization', 'Bearer abc.def.ghi']
    const mine: PassedHeaders = { ...route, passTokens: ['id'], authorization: 'id-token' }
    const others: PassedHeaders = { ...route, authorization: 'withheld' }
    const kept = (raw: string[], of: PassedHeaders, proof: GatewayProof = 'header') =>
      passes.toWorkspace(raw, { ...context, route: of, proof })
    assert.deepEqual(kept(bearer, mine), [...bearer, ...set])
    assert.deepEqual(kept(bearer, mine, 'basic'), set)
    assert.deepEqual(kept([...bearer, ...bearer], mine), set)
    assert.deepEqual(kept(['Authorization', 'Basic dTpw'], mine), set)
    assert.deepEqual(kept(bearer, others), set)
    assert.deepEqual(kept(bearer, route), [...bearer, ...set])
  })
})

function sorted(flat: readonly string[]): string[] {
  const lines: string[] = []
  for (let i = 0; i < flat.length; i += 2) lines.push(`${flat[i]}: ${flat[i + 1]}`)
  return [...new Set(lines)].sort()
}

describe('cookies', () => {
  for (const [before, after] of [
    ['a=1; b=2', 'a=1; b=2'],
    [' a=1 ;b="x;y" ; ', ' a=1 ;b="x;y" ; '],
    ['_oauth2_proxy=x; a=1', 'a=1'],
    ['a=1; _oauth2_proxy=x', 'a=1'],
    ['a=1;_oauth2_proxy_0=x; b=2;_oauth2_proxy_csrf=y;c', 'a=1; b=2;c'],
    ['a=1; mod_auth_openidc_state_x=y', 'a=1'],
    ['a=_oauth2_proxy=1', 'a=_oauth2_proxy=1'],
    ['x_oauth2_proxy=1', 'x_oauth2_proxy=1'],
    ['_OAUTH2_PROXY=1', '_OAUTH2_PROXY=1'],
    ['=_oauth2_proxy=1; a=1', 'a=1'],
    ['\t_oauth2_proxy =1; a=1', 'a=1'],
    ['_oauth2_proxy', undefined],
    ['_oauth2_proxy=1; _oauth2_proxy_1=2;', undefined],
  ] as const)
    it(`"${before}" reach a workspace as ${JSON.stringify(after)}`, () => {
      const kept = passes.toWorkspace(['cookie', before], context)
      assert.deepEqual(kept, after === undefined ? set : ['cookie', after, ...set])
    })

  it('arrive all, except the gateway’s', () => {
    const pair = fc.tuple(
      fc.oneof(
        fc.stringMatching(/^[a-z]{1,5}$/),
        fc.constantFrom('_oauth2_proxy', '_oauth2_proxy_1'),
      ),
      fc.stringMatching(/^[!-:<-~]{0,8}$/),
    )
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 8 }), (cookies) => {
        const text = (list: typeof cookies) =>
          list.map(([name, value]) => `${name}=${value}`).join('; ')
        const own = cookies.filter(([name]) => !name.startsWith('_oauth2_proxy'))
        const kept = passes.toWorkspace(['Cookie', text(cookies)], context).slice(0, -set.length)
        const expected = cookies.length > 0 && own.length === 0 ? [] : ['Cookie', text(own)]
        if (cookies.length > 0) assert.deepEqual(kept, expected)
      }),
    )
  })

  for (const [setCookie, passed] of [
    ['a=1', true],
    ['a=1; Path=/; HttpOnly', true],
    ['a=1; Domain=lab.test', true],
    ['a=1; domain=.LAB.test', true],
    ['a=1; Domain=', true],
    ['a=1; Domain=test', false],
    ['a=1; DOMAIN = .test', false],
    ['a=1; Domain=lab.test; Domain=test', false],
    ['a=1; Domain=x.lab.test', false],
    ['a=1; Domain=evil', false],
    ['_oauth2_proxy=x', false],
    ['_oauth2_proxy', false],
    ['=_oauth2_proxy=x', false],
    [' = _oauth2_proxy_1 = x; Path=/', false],
    ['a="x; _oauth2_proxy=1', true],
  ] as const)
    it(`a workspace ${passed ? 'may' : 'may not'} set "${setCookie}"`, () => {
      const kept = passes.toClient(['Set-Cookie', setCookie], answerTo('Lab.test:4180'))
      assert.deepEqual(kept, passed ? ['Set-Cookie', setCookie] : [])
    })
})

describe('on the way back', () => {
  it('hop-by-hop headers and those that act beyond the workspace are dropped, the rest stays unchanged', () => {
    const kept = ['X-b', '1', 'STRICT-Transport-Security', 'x', 'x-B', '\xe9', 'Trailer', 'X-T']
    const dropped = [
      ['Connection', 'X-Hop'],
      ['X-Hop', '1'],
      ['Keep-Alive', 'x'],
      ['Transfer-Encoding', 'chunked'],
      ['Upgrade', 'h2c'],
      ['Proxy-Authenticate', 'Basic'],
      ['Alt-Svc', 'h3=":1"'],
      ['X-Accel-Redirect', '/etc'],
      ['X-Sendfile', '/etc'],
      ['Berth-Phase', 'failed'],
      ['Set-Cookie2', 'x'],
    ].flat()
    assert.deepEqual(passes.toClient([...dropped, ...kept], answerTo('h')), kept)
  })

  for (const [value, seen] of [
    ['"cache", "cookies"', '"cache"'],
    [' "COOKIES" ,"storage","executionContexts"', '"storage", "executionContexts"'],
    ['"*"', '"cache", "storage", "executionContexts"'],
    ['"cookies"', undefined],
    ['"cookies', '"cookies'],
    ['"storage"', '"storage"'],
  ] as const)
    it(`hazard: ${value} of a workspace signs nobody out`, () => {
      const kept = seen === undefined ? [] : ['Clear-Site-Data', seen]
      assert.deepEqual(passes.toClient(['clear-site-DATA', value], answerTo('h')), kept)
    })
})

describe('on the way to the spawner', () => {
  it('the person is named, percent-encoded, and the client’s own headers of that kind are dropped', () => {
    const name = parseUserName('müller, 1')
    assert.ok(name)
    const person = { name, subject: 'a:b', groups: ['x,y', 'ß'], email: 'a@b' }
    const raw = ['Authorization', 'Bearer x', 'Berth-Groups', 'admins', 'Accept', '*/*']
    assert.deepEqual(
      passes.toSpawner(raw, {
        ...context,
        person,
        template: 'lab',
        workspace: 'lab-x',
        base: '/lab',
        target: '/a?b',
      }),
      [
        'Accept',
        '*/*',
        ...set,
        'Berth-User',
        'm%C3%BCller%2C%201',
        'Berth-Subject',
        'a%3Ab',
        'Berth-Groups',
        'x%2Cy,%C3%9F',
        'Berth-Email',
        'a%40b',
        'Berth-Template',
        'lab',
        'Berth-Workspace',
        'lab-x',
        'Berth-Base',
        '%2Flab',
        'Berth-Target',
        '%2Fa%3Fb',
      ],
    )
  })
})
