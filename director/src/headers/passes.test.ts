import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseUserName } from '@berth/shared/names'
import { createHeaderPasses } from './passes.ts'

const gate = {
  secret: undefined,
  identityHeader: 'Remote-User',
  subjectHeader: 'X-Forwarded-User',
  groupsHeader: 'Remote-Groups',
  emailHeader: 'X-Forwarded-Email',
}
const gatewayCookies = ['_oauth2_proxy*', 'mod_auth_openidc_*']
const passes = createHeaderPasses({ gate, gatewayCookies })
const context = { remoteAddress: '::ffff:10.0.0.2', proof: 'none' } as const
const set = ['X-Forwarded-For', '10.0.0.2', 'X-Forwarded-Proto', 'http']

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

  it('what stays keeps its order, case and bytes', () => {
    const raw = ['x-B', '1', 'Host', 'H:1', 'X-a', '\xe9 ', 'x-b', '', 'Content-Length', '5']
    assert.deepEqual(passes.toWorkspace(raw, context), [
      ...raw,
      'X-Forwarded-For',
      '10.0.0.2',
      'X-Forwarded-Host',
      'H:1',
      'X-Forwarded-Proto',
      'http',
    ])
  })

  it('headers named by Connection are dropped, but for those that make the message what it is', () => {
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

  it('the scheme is that of the public URL', () => {
    const https = createHeaderPasses({ gate, gatewayCookies, publicUrl: 'https://h' })
    assert.equal(https.toWorkspace([], context).at(-1), 'https')
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
        const answer = passes.toClient(headers.flat(), 'h')
        assert.deepEqual(passes.toClient(answer, 'h'), answer)
      }),
    )
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

  it('that are not the gateway’s all arrive, and none that is', () => {
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
      const kept = passes.toClient(['Set-Cookie', setCookie], 'Lab.test:4180')
      assert.deepEqual(kept, passed ? ['Set-Cookie', setCookie] : [])
    })
})

describe('on the way back', () => {
  it('hop-by-hop headers and what would speak for somebody else are dropped, the rest stays as it is', () => {
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
    assert.deepEqual(passes.toClient([...dropped, ...kept], 'h'), kept)
  })
})

describe('on the way to the spawner', () => {
  it('says who asks, percent-encoded, and nothing that the client said of that', () => {
    const name = parseUserName('müller, 1')
    assert.ok(name)
    const person = { name, subject: 'a:b', groups: ['x,y', 'ß'], email: 'a@b' }
    const raw = ['Authorization', 'Bearer x', 'Berth-Groups', 'admins', 'Accept', '*/*']
    assert.deepEqual(
      passes.toSpawner(raw, { ...context, person, template: 'lab', target: '/a?b' }),
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
        'Berth-Target',
        '%2Fa%3Fb',
      ],
    )
  })
})
