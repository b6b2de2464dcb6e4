import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import type { Problem } from '@berth/shared/problems'
import { createRefusals } from './refusals.ts'

async function answer(problem: Problem, asPage: boolean, portalUrl?: string) {
  const refusals = createRefusals('https://portal.test', undefined, portalUrl)
  const server = http.createServer((_req, res) => void refusals.toResponse(res, problem, asPage))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/`)
  const body = await response.text()
  server.close()
  return { status: response.status, headers: response.headers, body }
}

const refusals = createRefusals('https://portal.test')

describe('a refusal', () => {
  it('is problem+json with its code, its status and the address that explains it', async () => {
    const { status, headers, body } = await answer(refusals.problem('queue_full', 'Full.'), false)
    assert.equal(status, 503)
    assert.equal(headers.get('content-type'), 'application/problem+json')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.deepEqual(JSON.parse(body), {
      type: 'https://portal.test/problems/queue_full',
      code: 'queue_full',
      title: 'The queue is full',
      status: 503,
      detail: 'Full.',
    })
  })

  it('shows untrusted text as text, never as markup (CVE-2024-35225)', async () => {
    const problem = refusals.problem('bad_request', `<script>alert("x")</script>&'`)
    const { headers, body } = await answer(problem, true)
    assert.match(body, /&lt;script&gt;alert\(&quot;x&quot;\)&lt;\/script&gt;&amp;&#39;/)
    assert.doesNotMatch(body, /<script/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
  })

  it('allows its page its own style and no other resource', async () => {
    const { headers, body } = await answer(refusals.problem('identity_missing', 'Sign in.'), true)
    const style = /<style>([^]*)<\/style>/.exec(body)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    assert.equal(
      headers.get('content-security-policy'),
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
  })

  it('links its page to the portal, if there is one', async () => {
    const problem = refusals.problem('template_unknown', 'Nothing is here.')
    assert.doesNotMatch((await answer(problem, true)).body, /All workspaces/)
    const { body } = await answer(problem, true, 'https://portal.test')
    assert.match(body, /<a href="https:\/\/portal\.test\/">All workspaces<\/a>/)
  })

  it('of a method names those that are served (RFC 9110, 15.5.6)', async () => {
    const { status, headers } = await answer(refusals.problem('method_refused', 'No.'), false)
    assert.equal(status, 405)
    assert.equal(headers.get('allow'), 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
  })

  it('reloads its page only for a temporary problem', async () => {
    const passing = await answer(refusals.problem('spawner_unreachable', 'Gone.'), true)
    assert.equal(passing.headers.get('refresh'), '5')
    assert.equal(passing.headers.get('retry-after'), '5')
    const lasting = await answer(refusals.problem('identity_invalid', 'No.'), true)
    assert.equal(lasting.headers.get('refresh'), null)
  })
})
