import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '@berth/shared/secret'
import { createTestLoop, startTestLoop, userOf } from '../../loop/testing/test-loop.ts'
import { createHexOf } from './container-hex.ts'
import { hexRoutes } from '../api/from-settings.ts'
import { workspaceRoutes } from './workspace-routes.ts'

const hexOf = createHexOf(new Secret('a secret of the tests'))

describe('the routes by hex', () => {
  it('lead to one workspace only, by a label before the public host', async () => {
    await using loop = await startTestLoop()
    loop.workspaces.requestStart(userOf('ann'), 'lab')
    const [route, ...rest] = workspaceRoutes(loop.workspaces.state(), hexOf, 'berth.test')
    assert.deepEqual(rest, [])
    assert.equal(route?.workspace, 'lab-ann')
    assert.match(String(route?.hosts), /^[0-9a-f]{32}\.berth\.test$/)
  })

  it('hazard: are limited in number and length to what a director accepts at once', async () => {
    await using loop = await startTestLoop()
    loop.workspaces.requestStart(userOf('ann'), 'lab')
    const { workspaces, config } = loop.workspaces.state()
    const [[name, ann] = []] = workspaces
    const lab = config.templates.get('lab')
    assert.ok(name && ann && lab)
    const many = new Map(
      Array.from({ length: 6_000 }, (_, at) => `${name}-${at}` as typeof name).map((other) => [
        other,
        { ...ann, name: other },
      ]),
    )
    const told = (backgroundRequests: readonly string[]) => {
      const templates = new Map([['lab', { ...lab, backgroundRequests }]])
      const state = { workspaces: many, config: { ...config, templates } }
      return workspaceRoutes(state, hexOf, 'berth.test')
    }
    assert.equal(told(['GET /api/*']).length, 5_000)
    const long = told(
      Array.from({ length: 100 }, (_, at) => `GET /a/path/of/the/application/${at}/*`),
    )
    assert.ok(long.length > 500, `${long.length} routes`)
    const { length } = JSON.stringify(long)
    assert.ok(length < 3 * 1024 ** 2 && length > 2 * 1024 ** 2, `${length} bytes`)
  })

  it('do not exist without a token, or without a public URL', async () => {
    await using loop = createTestLoop()
    const token = new Secret('t')
    const rest = { WITH_USERS: true, PORTAL_URL: undefined } as const
    const none = { ...rest, API_TOKEN: undefined, PUBLIC_URL: 'http://a' }
    assert.equal(hexRoutes(none, hexOf), undefined)
    assert.equal(hexRoutes({ ...rest, API_TOKEN: token, PUBLIC_URL: undefined }, hexOf), undefined)
    const all = hexRoutes({ ...rest, API_TOKEN: token, PUBLIC_URL: 'http://a.test:1' }, hexOf)
    assert.deepEqual(all?.(loop.workspaces.state()), [])
  })
})

describe('a hex', () => {
  it('is the same after a restart, and differs for another name or another secret', () => {
    const name = 'lab-ann' as Parameters<typeof hexOf>[0]
    const again = createHexOf(new Secret('a secret of the tests'))
    assert.equal(again(name), hexOf(name))
    assert.notEqual(createHexOf(new Secret('another'))(name), hexOf(name))
    assert.notEqual(hexOf('lab-bob' as typeof name), hexOf(name))
  })
})
