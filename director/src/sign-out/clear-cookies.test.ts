import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createProblem } from '@berth/shared/problems'
import { labRoute, startTestBed, type TestBed } from '../testing/test-bed.ts'

const long = 'x'.repeat(70_000)
const addressOf = (to: string): string => `/.berth/clear-cookies?to=${encodeURIComponent(to)}`
const post = (bed: TestBed, to: string, names = '', headers: Record<string, string> = {}) =>
  bed.request({
    method: 'POST',
    path: addressOf(to),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ names }).toString(),
  })

describe('too many cookies', () => {
  it('are answered with a page that removes them, which leads back to the same address', async () => {
    await using bed = await startTestBed()
    const cookie = `big=${long}; _oauth2_proxy=mine; other=1`
    const refused = await bed.request({ path: '/lab?a=1', navigation: true, headers: { cookie } })
    assert.equal(refused.status, 431)
    assert.match(refused.body, /cookies/)
    assert.match(String(refused.headers['content-security-policy']), /form-action http: https:;/)
    const [, action] = /<form method="post" action="([^"]*)">/.exec(refused.body) ?? []
    const fields = Object.fromEntries(
      [...refused.body.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
        name ?? '',
        value ?? '',
      ]),
    )
    assert.equal(action, addressOf('/lab?a=1'))
    assert.deepEqual(fields, { names: 'big _oauth2_proxy other' })

    const cleared = await post(bed, '/lab?a=1', fields['names'], { cookie })
    assert.equal(cleared.status, 303)
    assert.equal(cleared.headers.location, '/lab?a=1')
    const set = cleared.headers['set-cookie'] ?? []
    for (const begin of ['big=; Path=/; Max-Age=0', 'other=; Path=/lab; Max-Age=0'])
      assert.ok(
        set.some((line) => line.startsWith(begin)),
        begin,
      )
    assert.ok(!set.some((line) => line.startsWith('_oauth2_proxy')), 'the person stays signed in')
    assert.deepEqual(bed.spawner.asked, [])
  })

  it('may have names that are no token, on the path of the page alone', async () => {
    await using bed = await startTestBed()
    const odd = ['a b', 'user@x', 'th/eme:dark', 'caf\xc3\xa9', '{"k"}', '%41', 'x,y']
    const cookie = [...odd.map((name) => `${name}=1`), `big=${long}`].join('; ')
    const path = '/lab'
    const refused = await bed.request({ path, navigation: true, headers: { cookie } })
    const names = /name="names" value="([^"]*)"/.exec(refused.body)?.[1] ?? ''
    // A browser sends the cookies of /lab to no other path, so the form alone names them.
    const cleared = await post(bed, path, names.replaceAll('&amp;', '&'))
    const set = (cleared.headers['set-cookie'] ?? []).map((line) => line.split('=; Path=')[0])
    for (const name of odd) assert.ok(set.includes(name), name)
  })

  it('are answered with 431 to other clients', async () => {
    await using bed = await startTestBed()
    const answer = await bed.request({ headers: { cookie: `a=${long}` } })
    assert.equal(answer.status, 431)
    assert.match(answer.body, /"code":"headers_too_long"/)
  })

  it('are removed as far as an answer has room', async () => {
    await using bed = await startTestBed()
    const names = Array.from({ length: 3_000 }, (_, at) => `n${at}`)
    const cleared = await post(bed, '/a/b/c', names.join(' '))
    const bytes = (cleared.headers['set-cookie'] ?? []).join('').length
    assert.ok(bytes > 50_000 && bytes < 200_000, `${bytes}`)
  })

  for (const to of ['//evil.example/', '/\\evil.example/', '/\r\nx: y', 'https://evil.example/'])
    it(`a form that leads to ${JSON.stringify(to)} leads to the front page`, async () => {
      await using bed = await startTestBed()
      const answer = await post(bed, to)
      assert.equal(answer.status, 303)
      assert.equal(answer.headers.location, '/')
    })

  for (const [name, request] of [
    ['the address of the form, as a gateway asks for it after a sign-in', {}],
    ['a form of another site', { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } }],
  ] as const)
    it(`${name} leads back to the page with the button, and removes nothing`, async () => {
      await using bed = await startTestBed()
      const headers = { cookie: `big=${long}`, 'sec-fetch-site': 'cross-site' }
      const answer = await bed.request({ path: addressOf('/lab?a=1'), headers, ...request })
      assert.equal(answer.status, 303)
      assert.equal(answer.headers.location, '/lab?a=1')
      assert.equal(answer.headers['set-cookie'], undefined)
    })

  it('at an address that is too long for a gateway to keep are removed at the front page', async () => {
    await using bed = await startTestBed()
    const path = `/lab?a=${'x'.repeat(3_000)}`
    const refused = await bed.request({ path, navigation: true, headers: { cookie: `b=${long}` } })
    assert.ok(refused.body.includes(`action="${addressOf('/')}"`), refused.body)
  })

  it('a form may not name what is no name of a cookie', async () => {
    await using bed = await startTestBed()
    const answer = await post(bed, '/', 'a;Domain=x b=c a%3Bb %0d%0aX:y %E4%B8%AD% %zz ok')
    assert.deepEqual(
      answer.headers['set-cookie']
        ?.map((line) => line.split('=', 1)[0])
        .filter((name) => name !== 'ok'),
      [],
    )
  })
})

describe('many groups', () => {
  it('of which it is not known whether a template names them reach the spawner as far as it takes them', async () => {
    await using bed = await startTestBed()
    bed.spawner.pass = (_request, response) => void response.end('a page')
    bed.spawner.seats = async () => createProblem(undefined, 'workspace_stopped', 'It is stopped.')
    const many = Array.from({ length: 1_500 }, (_, at) => `department-${at}`)
    const groups = ['x'.repeat(2_000), ...many].join(',')
    const answer = await bed.request({ headers: { 'x-forwarded-groups': groups } })
    assert.match(answer.body, /workspace_stopped/)
    assert.deepEqual(bed.spawner.asked[0]?.user.groups, many.slice(0, 1_000))
  })

  it('reach the spawner only as far as a template names them', async () => {
    await using bed = await startTestBed()
    await bed.introduce([{ ...labRoute, groups: ['staff', 'students'] }])
    bed.spawner.seats = async () => 500
    const many = Array.from({ length: 5_000 }, (_, at) => `department-${at}`)
    const groups = [...many, 'staff'].join(',')
    assert.ok(groups.length > 64 * 1024)
    await bed.request({ headers: { 'x-forwarded-groups': groups } })
    assert.deepEqual(
      bed.spawner.asked.map(({ user }) => user.groups),
      [['staff']],
    )
  })
})
