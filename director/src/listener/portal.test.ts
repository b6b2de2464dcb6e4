import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { labRoute, startTestBed } from '../testing/test-bed.ts'

const portalUrl = 'http://portal.test:4180'
const host = 'portal.test:4180'

async function start() {
  const bed = await startTestBed({
    config: { PORTAL_URL: portalUrl, PUBLIC_URL: 'http://berth.test:4180' },
  })
  bed.spawner.pass = (request, response) => void response.end(request.url)
  await bed.introduce([
    { ...labRoute, hosts: ['lab.test'] },
    { ...labRoute, template: 'kept', path: { prefix: '/kept', strip: false } },
  ])
  return bed
}

describe('the portal’s host', () => {
  it('passes each request to the spawner, under a prefix that only it has, with the person', async () => {
    await using bed = await start()
    const path = '/api/v1/workspaces/lab-alice/stop?x=%2F'
    const answer = await bed.request({
      path,
      method: 'POST',
      body: 'token=t',
      headers: { host, origin: portalUrl, 'berth-user': 'mallory', authorization: 'Bearer x' },
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.body, `/internal/v1/portal${path}`)
    const [passed] = bed.spawner.passed
    assert.equal(passed?.body, 'token=t')
    assert.equal(passed.headers['berth-user'], 'alice')
    assert.equal(passed.headers['berth-template'], undefined)
    assert.equal(passed.headers['origin'], portalUrl)
    assert.equal(passed.headers['x-forwarded-host'], host)
  })

  it('tells of the groups that templates or the spawner name, and of no others', async () => {
    await using bed = await start()
    const groups = async () => {
      await bed.request({ path: '/', headers: { host, 'x-forwarded-groups': 'staff,admins,x' } })
      return bed.spawner.passed.at(-1)?.headers['berth-groups']
    }
    const named = [{ ...labRoute, groups: ['staff'] }]
    await bed.introduce(named)
    assert.equal(await groups(), 'staff')
    await bed.introduce(named, ['admins'])
    assert.equal(await groups(), 'staff,admins')
    await bed.introduce([], ['admins'])
    assert.equal(await groups(), 'admins')
  })

  it('hazard: a path that climbs out of the prefix: arrives below the prefix byte for byte', async () => {
    await using bed = await start()
    for (const path of ['/../seats', '/%2e%2e/seats', '/internal/v1/seats', '/.berth/start']) {
      const { body } = await bed.request({ path, method: 'POST', headers: { host } })
      assert.equal(body, `/internal/v1/portal${path}`)
    }
    assert.deepEqual(bed.spawner.asked, [])
  })

  it('serves no WebSocket', async () => {
    await using bed = await start()
    const socket = new WebSocket(`ws://127.0.0.1:${bed.director.port}/`, {
      headers: {
        host,
        'x-forwarded-preferred-username': 'alice',
        'x-forwarded-user': 'u-alice',
        origin: portalUrl,
      },
    })
    const [error] = (await once(socket, 'error')) as [Error]
    assert.match(error.message, /400/)
    assert.deepEqual(bed.spawner.passed, [])
  })

  it('says that the spawner cannot be reached if it cannot', async () => {
    await using bed = await start()
    await bed.spawner.kill()
    const answer = await bed.request({ headers: { host }, navigation: true })
    assert.equal(answer.status, 503)
    assert.match(answer.body, /spawner_unreachable/)
  })
})

describe('the root of a host that no template has', () => {
  it('leads a navigation to the portal', async () => {
    await using bed = await start()
    for (const path of ['/', '/?from=mail']) {
      const answer = await bed.request({ path, navigation: true })
      assert.equal(answer.status, 307)
      assert.equal(answer.headers.location, `${portalUrl}/`)
    }
    assert.deepEqual(bed.spawner.passed, [])
  })

  it('leads nothing else there, and no unknown host', async () => {
    await using bed = await start()
    const statuses = await Promise.all([
      bed.request({}),
      bed.request({ path: '/else', navigation: true }),
      bed.request({ navigation: true, headers: { host: 'unknown.test' } }),
    ])
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [404, 404, 404],
    )
  })

  it('is not offered without a portal', async () => {
    await using bed = await startTestBed({ config: { PUBLIC_URL: 'http://berth.test:4180' } })
    await bed.introduce([{ ...labRoute, hosts: ['lab.test'] }])
    assert.equal((await bed.request({ navigation: true })).status, 404)
  })
})
