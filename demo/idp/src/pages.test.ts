import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { createPages } from './pages.ts'
import { demoPeople, parsePeople } from './people.ts'

const pages = createPages({
  people: [...demoPeople, ...(parsePeople('<img src=x>,"quoted" & co') ?? [])],
  formOrigins: ['http://localhost:4180'],
  startUrl: 'http://localhost:4180',
})

test('has a form with login and password that posts to its own address', () => {
  const { html } = pages.signIn({ login: '', refused: false, returnHost: 'localhost:4180' })
  assert.match(html, /<form method="post" id="sign-in">/)
  assert.equal(html.match(/<input [^>]*name="login"/g)?.length, 1)
  assert.equal(html.match(/<input [^>]*name="password"/g)?.length, 1)
  assert.doesNotMatch(html, /role="alert"/)
})

test('says that it is for development, and who can sign in', () => {
  const { html } = pages.signIn({ login: '', refused: false, returnHost: 'x' })
  assert.match(html, /For development only/)
  for (const name of ['alice', 'bob', 'carol', 'admin']) assert.match(html, new RegExp(`>${name}<`))
})

test('reports a refused sign-in, and keeps the entered name', () => {
  const { html } = pages.signIn({ login: 'alcie', refused: true, returnHost: 'x' })
  assert.match(html, /role="alert"/)
  assert.match(html, /value="alcie"/)
})

test('hazard: escapes names, hosts and messages', () => {
  const evil = '"><script>alert(1)</script>'
  const shown = [
    pages.signIn({ login: evil, refused: true, returnHost: evil }).html,
    pages.message({ title: evil, text: evil, detail: evil }).html,
  ]
  for (const html of shown) {
    assert.doesNotMatch(html, /<script>alert/)
    assert.doesNotMatch(html, /<img src/)
    assert.doesNotMatch(html, /data-login=""quoted/)
  }
})

test('allows only the page’s own style and script, by their hashes', () => {
  const { html, headers } = pages.signIn({ login: '', refused: false, returnHost: 'x' })
  const policy = headers['content-security-policy'] ?? ''
  for (const tag of ['style', 'script']) {
    const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)?.[1] ?? ''
    const hash = createHash('sha256').update(text).digest('base64')
    assert.ok(policy.includes(`${tag}-src 'sha256-${hash}'`), tag)
  }
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
})

test('hazard: lists the gateway in form-action, which browsers also apply to the redirect after the form', () => {
  const { headers } = pages.signIn({ login: '', refused: false, returnHost: 'x' })
  const policy = headers['content-security-policy'] ?? ''
  assert.match(policy, /form-action 'self' http:\/\/localhost:4180;/)
})
