import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { structured } from './structured.ts'

/** As `oauth2-proxy --convert-config-to-alpha` prints it. */
const converted = (authorization = basic) => `
injectRequestHeaders:
${authorization}    - name: X-Forwarded-User
      preserveRequestValue: false
      values:
        - claimSource:
            claim: user
providers:
    - clientID: berth
      clientSecret: pa$5wo$rd
      id: oidc=berth
upstreamConfig:
    proxyRawPath: false
    upstreams:
        - id: /
          timeout: 1h10m0s
          uri: http://director:8080
`
const basic = `    - name: Authorization
      preserveRequestValue: false
      values:
        - claimSource:
            claim: user
            prefix: 'Basic '
            basicAuthPassword:
                value:
                    - 103
`
const bearer = `    - name: Authorization
      preserveRequestValue: false
      values:
        - claimSource:
            claim: id_token
            prefix: 'Bearer '
`
interface Read {
  readonly injectRequestHeaders: readonly { readonly name: string }[]
  readonly providers: readonly { readonly clientSecret: string }[]
}
const read = (text: string): Read => parse(text) as Read
const names = (text: string): string[] => read(text).injectRequestHeaders.map(({ name }) => name)

describe('the structured configuration of oauth2-proxy', () => {
  it('passes paths as they came, and keeps everything else that the variables say', () => {
    const before = parse(converted()) as Record<string, unknown>
    const after = parse(structured(converted(), {})) as Record<string, unknown>
    assert.deepEqual(after['upstreamConfig'], {
      ...(before['upstreamConfig'] as object),
      proxyRawPath: true,
    })
    assert.deepEqual(after['providers'], before['providers'])
    assert.deepEqual(Object.keys(after), Object.keys(before))
  })

  it('proves the gateway by a header of its own, so that Authorization is the application’s', () => {
    const text = structured(converted(), { OAUTH2_PROXY_BASIC_AUTH_PASSWORD: 's' })
    assert.deepEqual(names(text), [
      ...['X-Forwarded-User', 'X-Forwarded-For', 'X-Request-Id'],
      'Berth-Gateway-Secret',
    ])
    assert.deepEqual(read(text).injectRequestHeaders.at(-1), {
      name: 'Berth-Gateway-Secret',
      preserveRequestValue: false,
      values: [{ secretSource: { fromEnv: 'OAUTH2_PROXY_BASIC_AUTH_PASSWORD' } }],
    })
  })

  it('keeps the person’s token in Authorization where the variables ask for it', () => {
    const text = structured(converted(bearer), { OAUTH2_PROXY_BASIC_AUTH_PASSWORD: 's' })
    assert.ok(names(text).includes('Authorization'))
    assert.ok(names(text).includes('Berth-Gateway-Secret'))
  })

  it('hazard: a client that sends the secret’s header: it is removed also where there is no secret', () => {
    const text = structured(converted(''), {})
    const own = read(text).injectRequestHeaders.at(-1)
    assert.deepEqual(own, { name: 'Berth-Gateway-Secret', preserveRequestValue: false, values: [] })
  })

  it('believes X-Forwarded-For and X-Request-Id only of a proxy in front that the variables name', () => {
    for (const [value, believed] of [
      [undefined, false],
      ['', false],
      ['false', false],
      ['true', true],
      ['1', true],
    ] as const) {
      const env = value === undefined ? {} : { OAUTH2_PROXY_REVERSE_PROXY: value }
      for (const name of ['X-Forwarded-For', 'X-Request-Id'])
        assert.equal(!names(structured(converted(), env)).includes(name), believed, name)
    }
  })

  it('hazard: a secret with a $ is read as the name of a variable: there is none in the text', () => {
    const text = structured(converted(), {})
    assert.ok(!text.includes('$'))
    assert.equal(read(text).providers[0]?.clientSecret, 'pa$5wo$rd')
  })

  for (const [what, text] of [
    ['no headers', 'upstreamConfig: { proxyRawPath: false }'],
    ['no upstreams', 'injectRequestHeaders: []'],
    ['no such option', 'injectRequestHeaders: []\nupstreamConfig: {}'],
    ['a text', 'hello'],
    ['no YAML', '{'],
  ] as const)
    it(`is refused where a newer version prints ${what}`, () => {
      assert.throws(() => structured(text, {}))
    })
})
