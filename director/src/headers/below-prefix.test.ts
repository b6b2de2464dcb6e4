import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { putBelowPrefix, type StrippedPlace } from './below-prefix.ts'

const place: StrippedPlace = { prefix: '/desk', host: 'Berth.test:4180', target: '/a/b?c' }
const mapped = (name: string, value: string, where: StrippedPlace = place): string | undefined =>
  putBelowPrefix([name, value], where)[1]

describe('behind a stripped prefix, a reference in an answer', () => {
  for (const [reference, seen] of [
    ['/', '/desk/'],
    ['/login?next=/x#y', '/desk/login?next=/x#y'],
    ['/desktop', '/desk/desktop'],
    ['/\xe9%2F', '/desk/\xe9%2F'],
    ['http://berth.test:4180/x', 'http://berth.test:4180/desk/x'],
    ['https://BERTH.test:4180', 'https://BERTH.test:4180/desk/'],
    ['https://berth.test:4180?q', 'https://berth.test:4180/desk/?q'],
    ['//berth.test:4180/x', '//berth.test:4180/desk/x'],
    // A browser resolves dots, and would leave the prefix.
    ['/../x', '/desk/x'],
    ['/a/%2e%2E/../x', '/desk/x'],
    ['/desk/../x', '/desk/x'],
    ['../../x', '/desk/x'],
    ['..\\..\\..\\x', '/desk/x'],
    ['\\x', '/desk/x'],
  ] as const)
    it(`${reference} is put below it`, () => assert.equal(mapped('Location', reference), seen))

  for (const reference of [
    '',
    'x',
    './x',
    '../x',
    '?q',
    '#top',
    '/desk',
    '/desk/x',
    '/desk?x',
    'https://berth.test:4180/desk/x',
    'https://other.test/x',
    'https://berth.test:9/x',
    'https://me@berth.test:4180/x',
    '//other.test/x',
    '/\\other.test/x',
    'mailto:x@y',
    'data:text/html,/x',
  ])
    it(`${reference === '' ? 'an empty one' : reference} stays`, () =>
      assert.equal(mapped('Location', reference), reference))

  it('to the own host stays own where one side leaves out the default port', () => {
    const where = { ...place, host: 'berth.test' }
    assert.equal(
      mapped('Location', 'https://berth.test:443/x', where),
      'https://berth.test:443/desk/x',
    )
    assert.equal(mapped('Location', '/x', { ...place, host: undefined }), '/desk/x')
  })

  it('never leads a browser to a path beside the prefix, whatever a workspace writes', () => {
    const part = fc.constantFrom('/', '\\', '..', '.', '%2e', 'a', 'desk', '?', '#', ' ', '\t', ':')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const outer = `http://berth.test:4180${place.prefix}${place.target}`
        const location = mapped('Location', parts.join('').trim()) ?? ''
        if (!URL.canParse(location, outer)) return
        const { host, pathname } = new URL(location, outer)
        if (host === 'berth.test:4180') assert.match(pathname, /^\/desk(\/|$)/)
      }),
    )
  })

  for (const [name, value, seen] of [
    ['Content-Location', '/x.json', '/desk/x.json'],
    ['Service-Worker-Allowed', '/', '/desk/'],
    ['SourceMap', '/a.js.map', '/desk/a.js.map'],
    ['Refresh', '5', '5'],
    ['Refresh', '5; url=/x', '5; url=/desk/x'],
    ['Refresh', "0;URL = '/x'", "0;URL = '/desk/x'"],
    ['Refresh', '0, /x', '0, /desk/x'],
    ['Refresh', '1.5 "/x"', '1.5 "/desk/x"'],
    ['Refresh', '0; url=https://other.test/', '0; url=https://other.test/'],
    [
      'Link',
      '</a.css>; rel=preload; title="</b>", <c.js>; rel=x,</d>;rel=next',
      '</desk/a.css>; rel=preload; title="</b>", <c.js>; rel=x,</desk/d>;rel=next',
    ],
    ['ETag', '"/x"', '"/x"'],
  ] as const)
    it(`of ${name}: ${value} is read as that header writes it`, () =>
      assert.equal(mapped(name, value), seen))
})

describe('behind a stripped prefix, a cookie', () => {
  for (const [cookie, seen] of [
    ['a=1; Path=/; HttpOnly', 'a=1; Path=/desk; HttpOnly'],
    ['a=1; path = /x ;Secure', 'a=1; path =/desk/x;Secure'],
    ['a=1; Path=/desk/x', 'a=1; Path=/desk/x'],
    ['a=1; Path=/desktop', 'a=1; Path=/desk/desktop'],
    ['a=/; Path=/a; Path=/b', 'a=/; Path=/desk/a; Path=/desk/b'],
    ['a=/', 'a=/'],
    ['a=1; Path', 'a=1; Path'],
    ['a=1; Path=x', 'a=1; Path=x'],
    // A browser refuses this one with any other path.
    ['__Host-a=1; Path=/; Secure', '__Host-a=1; Path=/; Secure'],
    ['__Secure-a=1; Path=/; Secure', '__Secure-a=1; Path=/desk; Secure'],
  ] as const)
    it(`${cookie} is set for the paths of the template`, () =>
      assert.equal(mapped('Set-Cookie', cookie), seen))
})

describe('hazard: a header that takes long to read holds up every person', () => {
  for (const [name, value] of [
    ['Link', '<'.repeat(60_000)],
    ['Link', `"${'\\"'.repeat(30_000)}`],
    ['Set-Cookie', `a=1; Path=/${' '.repeat(60_000)}x`],
    ['Set-Cookie', `a=1;${' '.repeat(60_000)}=x`],
    ['Set-Cookie', `a=1; x${' '.repeat(60_000)}=x`],
    ['Refresh', `0${' '.repeat(60_000)}`],
    ['Refresh', `${'1'.repeat(60_000)}x`],
    ['Location', `/${'/..'.repeat(20_000)}`],
    ['Location', `${'\t'.repeat(60_000)}x`],
  ] as const)
    it(`${name} with ${JSON.stringify(value.slice(0, 14))}… is read at once`, () => {
      const before = performance.now()
      mapped(name, value)
      assert.ok(performance.now() - before < 200)
    })
})
