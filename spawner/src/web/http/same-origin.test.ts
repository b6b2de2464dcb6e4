import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSameOrigin } from './same-origin.ts'

interface Row {
  readonly origin?: string
  readonly site?: string
  readonly host?: string
  readonly publicUrl?: string
}

const ask = ({ origin, site, host, publicUrl }: Row): boolean =>
  isSameOrigin({ origin, fetchSite: site, forwardedHost: host, publicUrl })

const publicUrl = 'https://berth.example'

describe('a state-changing request', () => {
  for (const [name, row] of [
    ['comes from the public URL', { origin: 'https://berth.example', publicUrl }],
    [
      'has a Sec-Fetch-Site of same-origin, too',
      { origin: 'https://berth.example', site: 'same-origin', publicUrl },
    ],
    [
      'comes from the host that it goes to',
      { origin: 'http://localhost:4180', host: 'localhost:4180' },
    ],
    [
      'comes over TLS that ends before the director',
      { origin: 'https://lab.example', host: 'lab.example' },
    ],
    [
      'names the default port in its host',
      { origin: 'https://lab.example', host: 'lab.example:443' },
    ],
    [
      'comes from another host of the same site, to which it goes',
      { origin: 'https://hello.berth.example', host: 'hello.berth.example', publicUrl },
    ],
    [
      'has the host in other letter cases',
      { origin: 'http://localhost:4180', host: 'LOCALHOST:4180' },
    ],
  ] as const)
    it(`is accepted when it ${name}`, () => assert.equal(ask(row), true))

  for (const [name, row] of [
    ['has no Origin', { host: 'localhost:4180' }],
    ['has an opaque Origin', { origin: 'null', host: 'null' }],
    ['comes from another host', { origin: 'http://evil.example', host: 'localhost:4180' }],
    ['comes from another port', { origin: 'http://localhost:8888', host: 'localhost:4180' }],
    ['comes from a host below the public one', { origin: 'https://evil.berth.example', publicUrl }],
    [
      'comes from a host that begins with the public one',
      { origin: 'https://berth.example.evil', publicUrl },
    ],
    [
      'comes from one host of the site and goes to another',
      { origin: 'https://hello.berth.example', host: 'berth.example', publicUrl },
    ],
    ['comes from the public host over plain HTTP', { origin: 'http://berth.example', publicUrl }],
    [
      'comes from and goes to a host outside the public site',
      { origin: 'http://lab.test', host: 'lab.test', publicUrl },
    ],
    [
      'has a Sec-Fetch-Site of cross-site',
      { origin: 'https://berth.example', site: 'cross-site', publicUrl },
    ],
    [
      'has a Sec-Fetch-Site of same-site',
      { origin: 'https://berth.example', site: 'same-site', publicUrl },
    ],
    [
      'has a Sec-Fetch-Site of none, which no POST of a page has',
      { origin: 'https://berth.example', site: 'none', publicUrl },
    ],
    ['has an Origin with a path', { origin: 'https://berth.example/x', publicUrl }],
    ['has an Origin with a user', { origin: 'https://a@berth.example', publicUrl }],
    ['has an Origin of another scheme', { origin: 'file://localhost', host: 'localhost' }],
    ['has no host', { origin: 'http://localhost:4180' }],
    ['has an empty host', { origin: 'http://localhost:4180', host: '' }],
    [
      'has a host with a user before it',
      { origin: 'http://evil.example', host: 'localhost@evil.example' },
    ],
    ['has a host with a path', { origin: 'http://evil.example', host: 'evil.example/x' }],
  ] as const)
    it(`is refused when it ${name}`, () => assert.equal(ask(row), false))
})
