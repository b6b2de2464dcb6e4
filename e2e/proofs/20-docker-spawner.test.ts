// Proof 20: the clients of Docker Spawner, as in its README, still work: form posts by curl, and text answers.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { curl, type CurlAnswer } from '../clients/curl.ts'
import { send } from '../clients/http.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { helloTemplate } from '../deployment/templates.ts'
import { workspacesOf } from '../engine/belongings.ts'
import { isOfWorkspace, watchEngine } from '../engine/history.ts'

const token = 'a token of the tests, long enough'
const hexShape = /^[0-9a-f]{32}$/

describe('proof 20: the interface of Docker Spawner', () => {
  let berth: Deployment
  before(async () => {
    // As in Docker Spawner: nothing outlives its container.
    const settings = { CONTAINER_HOME: '', API_TOKEN: token, MAX_WORKSPACES: '3' }
    berth = await deploy({ name: 'spawn', template: helloTemplate, settings })
  })
  after(() => berth[Symbol.asyncDispose]())

  async function apiPlace(): Promise<{ host: string; port: number }> {
    const place = await berth.apiPlace()
    assert.ok('host' in place)
    return place
  }
  async function apiOrigin(): Promise<string> {
    const { host, port } = await apiPlace()
    return `http://${host}:${port}`
  }
  async function api(path: string): Promise<string> {
    return `${await apiOrigin()}${path}`
  }
  const call = async (path: string, ...options: string[]): Promise<CurlAnswer> =>
    curl('--header', `Authorization: Bearer ${token}`, ...options, await api(path))
  const spawn = (image: string, user: string) =>
    call('/spawn', '--data', `container_id=${image}`, '--data', `user_id=${user}`)
  const stop = (hex: string) => call('/stop', '--data', `container_hex=${hex}`)
  const running = async (): Promise<number> => {
    const listed = await workspacesOf(berth.engine, berth.instance)
    return listed.filter(({ State }) => State === 'running').length
  }

  /** The answer for a signed-in person at the sub-domain named by a container's hex. */
  async function visit(hex: string, user: string): Promise<{ status: number; body: string }> {
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    const { hostname } = new URL(berth.site.origin)
    const visitor = asTheGateway(berth, place, user, { host: `${hex}.${hostname}` })
    const answer = await visitor.ask('/whoami')
    return { status: answer.status, body: await answer.text() }
  }

  it('spawns, tells, routes and stops', async () => {
    const spawned = await spawn('berth/hello', 'alice')
    assert.equal(spawned.status, 200, spawned.body)
    assert.match(spawned.body, hexShape)

    const told = await call('/get_container_hex?user_id=alice')
    assert.deepEqual(told, { status: 200, body: `${spawned.body}:berth/hello` })
    const posted = await call('/get_container_hex', '--data', 'user_id=alice')
    assert.deepEqual(posted, told)

    const own = await visit(spawned.body, 'alice')
    assert.equal(own.status, 200, own.body)
    assert.match(own.body, new RegExp(berth.workspaceName('alice')))
    const others = await visit(spawned.body, 'bob')
    assert.equal(others.status, 403, others.body)

    const stopped = await stop(spawned.body)
    assert.deepEqual(stopped, { status: 200, body: 'successfully removed docker' })
    assert.equal((await workspacesOf(berth.engine, berth.instance)).length, 0)
    assert.equal((await stop(spawned.body)).status, 400)
    assert.equal((await call('/get_container_hex?user_id=alice')).status, 404)
  })

  it('gives one person one container, and no more containers than there are places', async () => {
    const [first, second] = await Promise.all([
      spawn('berth/hello', 'alice'),
      spawn('berth/hello', 'alice'),
    ])
    assert.equal(first.status, 200, first.body)
    assert.deepEqual(second, first)
    const others = await Promise.all(
      ['bob', 'carol', 'dora', 'emil'].map((user) => spawn('berth/hello', user)),
    )
    const refused = others.filter(({ status }) => status !== 200)
    assert.deepEqual(refused, Array(2).fill(maxReached))
    assert.equal(await running(), 3)
    const bodies = [first, ...others].filter(({ status }) => status === 200).map((a) => a.body)
    assert.equal(new Set(bodies).size, 3)

    await berth.compose('restart', 'spawner')
    await berth.reconfigure({}, 'spawner')
    const told = await call('/get_container_hex?user_id=alice')
    assert.equal(told.body, `${first.body}:berth/hello`, 'a restart changes no hex')
    for (const hex of bodies) assert.equal((await stop(hex)).status, 200)
    assert.equal(await running(), 0)
  })

  it('reports errors in the words of Docker Spawner', async () => {
    const missing = (field: string) => ({
      status: 400,
      body: `Bad request: field '${field}' is required`,
    })
    assert.deepEqual(await call('/spawn', '--data', 'user_id=alice'), missing('container_id'))
    assert.deepEqual(await call('/spawn', '--data', 'container_id=berth/hello'), missing('user_id'))
    assert.deepEqual(await call('/stop', '--data', ''), missing('container_hex'))
    assert.equal((await spawn('debian:bookworm-slim', 'alice')).status, 400)
    assert.equal((await stop('0'.repeat(32))).status, 400)
    assert.equal((await call('/get_container_hex?user_id=nobody')).status, 404)
    const bare = await curl('--data', 'container_id=berth/hello', await api('/spawn'))
    assert.equal(bare.status, 401)
  })

  it('answers 1,000 malformed requests with a 4xx each and starts nothing', async () => {
    await using history = await watchEngine(berth.engine)
    const [place, origin] = [await apiPlace(), await apiOrigin()]
    const random = generator(4)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
    const ask = async (n: number): Promise<void> => {
      const target = pick(malformed.paths)
      const body = pick(malformed.bodies)
      const answer = await send({
        url: new URL(target, origin),
        place,
        target,
        method: pick(malformed.methods),
        headers: {
          authorization: pick(malformed.authorizations),
          'content-type': pick(malformed.types),
          'content-length': String(Buffer.byteLength(body)),
        },
        body,
      })
      const text = await answer.text()
      assert.ok(
        answer.status >= 400 && answer.status < 500,
        `${n}: ${target} ${body.slice(0, 60)} was answered ${answer.status} ${text.slice(0, 200)}`,
      )
    }
    for (let n = 0; n < 1_000; n += 20)
      await Promise.all(Array.from({ length: 20 }, (_, more) => ask(n + more)))
    // Spare networks are created at any time.
    const ours = isOfWorkspace(berth)
    const started = history.events.filter((event) => ours(event) && event.action === 'create')
    assert.deepEqual(started, [])
  })

  it('gives containers without an owner, if so configured, to everybody who is signed in', async () => {
    await berth.reconfigure({ WITH_USERS: 'false' }, 'spawner')
    const spawned = await call('/spawn', '--data', 'container_id=berth/hello')
    assert.equal(spawned.status, 200, spawned.body)
    for (const user of ['alice', 'bob']) {
      const answer = await visit(spawned.body, user)
      assert.equal(answer.status, 200, answer.body)
    }
    assert.equal(await running(), 1)
    assert.equal((await stop(spawned.body)).status, 200)
    assert.equal(await running(), 0)
  })

  it('does not listen without a token', async () => {
    await berth.reconfigure({ API_TOKEN: '' }, 'spawner')
    const [place, url] = [await apiPlace(), new URL('/spawn', await apiOrigin())]
    await assert.rejects(send({ url, place, method: 'POST' }), /ECONNREFUSED/)
  })
})

const maxReached = { status: 409, body: 'Error: max available containers reached!' }

/** Each value is wrong by itself, so every combination is a malformed request. */
const malformed = {
  methods: ['POST', 'PUT', 'DELETE', 'PATCH'],
  paths: ['/spawn', '/stop', '/api/v1/workspaces', '/api/v1/workspaces/%00', '/spawn?user_id=x'],
  types: ['application/x-www-form-urlencoded', 'application/json', 'text/plain', 'a/b; c'],
  authorizations: [`Bearer ${token}`, 'Bearer wrong', 'Basic YTpi', `bearer  ${token}`],
  bodies: [
    '',
    '{',
    '[]',
    '{"template":7}',
    '{"template":"nothing","user":""}',
    'container_id=',
    'container_id=%00&user_id=%ff',
    'container_id=berth/hello&user_id=',
    'container_id=berth/hello&user_id=a%0d%0ab',
    `user_id=${'x'.repeat(300)}&container_id=berth/hello`,
    'container_hex=..%2f..',
    'x'.repeat(70_000),
  ],
} as const

/** The same numbers for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
