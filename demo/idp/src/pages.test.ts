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

test('the form has the fields login and password and posts to its own address', () => {
  const { html } = pages.signIn({ login: '', refused: false, returnHost: 'localhost:4180' })
  assert.match(html, /<form method="post" id="sign-in">/)
  assert.equal(html.match(/<input [^>]*name="login"/g)?.length, 1)
  assert.equal(html.match(/<input [^>]*name="password"/g)?.length, 1)
  assert.doesNotMatch(html, /role="alert"/)
})

test('it says that it is for development and who can sign in', () => {
  const { html } = pages.signIn({ login: '', refused: false, returnHost: 'x' })
  assert.match(html, /For development only/)
  for (const name of ['alice', 'bob', 'carol', 'admin']) assert.match(html, new RegExp(`>${name}<`))
})

test('a refused sign-in says so and keeps the name that was typed', () => {
  const { html } = pages.signIn({ login: 'alcie', refused: true, returnHost: 'x' })
  assert.match(html, /role="alert"/)
  assert.match(html, /value="alcie"/)
})

test('hazard: no name, host or message becomes markup', () => {
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

test('the policy admits the page’s own style and script by their hashes, and nothing else', () => {
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

test('hazard: browsers hold the redirect after the form to form-action, so the gateway is in it', () => {
  const { headers } = pages.signIn({ login: '', refused: false, returnHost: 'x' })
  const policy = headers['content-security-policy'] ?? ''
  assert.match(policy, /form-action 'self' http:\/\/localhost:4180;/)
})
