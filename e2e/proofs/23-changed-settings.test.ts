// Proof 23: what a changed setting does to what runs is what the table "Change settings" of docs/operations.md says. Each
// round changes the settings of several rows at once. A setting that no round changes is in `elsewhere`, with the reason.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { asTheGateway, type GatewayLike } from '../clients/as-the-gateway.ts'
import { expectProblem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import type { Settings } from '../deployment/templates.ts'
import { inspect, inspected, volumesOf, workspacesOf } from '../engine/belongings.ts'
import { watchEngine } from '../engine/history.ts'
import { eventually } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { surroundings } from '../run/surroundings.ts'

const templates = `
templates:
  quay: { image: berth/hello, port: 8080, prefix: PREFIX, route: { hosts: [quay.localhost] } }
`

/** By the start of the name. */
const elsewhere: Readonly<Record<string, string>> = {
  BERTH_PORT: 'where this proof itself reaches the gateway',
  BERTH_TAG: 'another version of Berth: an upgrade',
  CONTAINER_READY_PATH: 'only starts read it: the proof of failures',
  CONTAINER_STANDBY: 'for workspaces without a home alone: the proof of standbys',
  DATA_DIR: 'fixed by the compose file; the proof of recovery loses the records',
  DOCKER_SOCKET: 'fixed by the engine of this proof; DOCKER_HOST has the same effect',
  EDGE_: 'the edge is a service of its own: the proof of the edge',
  GATEWAY_IMAGE: 'another gateway: each proof runs with either of two',
  INSTANCE: 'a new deployment: each proof is one, beside the others',
  KEEP_HOMES: 'a day at least: the policy is tested with a clock of its own',
  LISTEN_PORT: 'fixed by the compose file',
  OPS_PORT: 'fixed by the compose file',
  API_PORT: 'fixed by the compose file',
  OAUTH2_PROXY_: 'further options of oauth2-proxy, which only the gateway reads',
  PUBLIC_URL: 'as CONTAINER_HOSTS',
  REGISTRY_CONFIG: 'only pulls read it',
  SPAWNER_: 'where directors find the spawner: the compose file names it',
  SSH_HOST_KEYS: 'fixed by the compose file',
  SSH_KEYS_FOLDER: 'a further mount of the director: the proof of SSH',
  TCP_: 'ports that another compose file publishes: the proof of TCP',
  TEMPLATES_FOLDER: 'the folder of this proof',
}

/** Nothing in workspaces; or requests and connections from then on. */
const harmless: Settings = {
  ADMIN_GROUP: 'chiefs',
  ADMIN_USERS: 'root',
  ADMIN_OPEN_AS: 'true',
  API_TOKEN: 'another token of this proof alone',
  CONNECTION_MAX_AGE: '12h',
  CONTAINER_DESCRIPTION: 'Other words',
  CONTAINER_OPEN: '/whoami',
  CONTAINER_PASS_IDENTITY: 'user',
  CONTAINER_PASS_TOKENS: 'access',
  CONTAINER_PULL: 'missing',
  CONTAINER_START_BY: 'request',
  CONTAINER_START_TIMEOUT: '50s',
  CONTAINER_TITLE: 'Another title',
  DIRECTORS: '2',
  EMAIL_HEADER: 'X-Forwarded-Mail',
  FRAME_ANCESTORS: 'https://intranet.example.com',
  GATEWAY_COOKIES: '_oauth2_proxy*,other',
  GATEWAY_SECRET: 'another-secret-of-the-gateway-of-this-proof',
  GROUPS_HEADER: 'X-Forwarded-Teams',
  GUESTS_PER_ADDRESS: '5',
  GUEST_COOKIE_AGE: '1d',
  GUEST_PROXY_FROM: '10.0.0.0/8',
  GUEST_SECRET: 'another-secret-of-the-guests-of-this-proof',
  GUEST_URL: 'http://try.localhost',
  HISTORY_KEEP: '0',
  INTERNAL_SECRET: 'another secret of the services of this proof',
  LOADING_PAGE_AFTER: '30s',
  LOG_LEVEL: 'debug',
  MAX_CONNECTIONS_PER_USER: '50',
  // A template that may not have its memory at all is refused at the start.
  MAX_MEMORY: '8g',
  MAX_QUEUE: '9',
  MAX_STARTING: '1',
  MAX_WEBSOCKETS_PER_USER: '20',
  MAX_WORKSPACES: '1',
  MAX_WORKSPACES_PER_USER: '1',
  NETWORK_SPARES: '1',
  OAUTH2_PROXY_COOKIE_SECRET: 'another-secret-of-32-characters.',
  PROXY_FROM: '192.0.2.0/24',
  RECONCILE_EVERY: '5s',
  REQUEST_WAIT_TIMEOUT: '2s',
  SIGN_OUT_URL: '/.berth/sign-out',
  SITE_TITLE: 'Another site',
  SSH_ENVIRONMENT: 'LANG',
  SSH_KEY_FORGES: 'https://github.com',
  SSH_PORT: '2222',
  SSH_SIGN_IN_AGE: '1d',
  SUPPORT_URL: 'mailto:help@example.com',
  WITH_USERS: 'false',
  WORKSPACE_TIMEOUT: '30m',
}

/** What a container is made from. */
const spec: Settings = {
  CONTAINER_IMAGE: 'berth/hello:latest',
  CONTAINER_COMMAND: 'node /opt/hello/src/main.ts',
  CONTAINER_CPUS: '0.5',
  CONTAINER_EGRESS: 'none',
  CONTAINER_ENV_HELLO_PORT: '8090',
  CONTAINER_HOME: '/home/other',
  CONTAINER_HOME_VOLUME: '{instance}-{user}-other',
  CONTAINER_INIT: 'false',
  CONTAINER_MEMORY: '128m',
  CONTAINER_PIDS: '77',
  CONTAINER_PORT: '8090',
  CONTAINER_STOP_SIGNAL: 'SIGINT',
  CONTAINER_STOP_TIMEOUT: '2s',
  CONTAINER_USER: '1:1',
  CONTAINER_VOLUMES: '{instance}-{user}-cache:/cache',
}

const without = (settings: Settings): Settings =>
  Object.fromEntries(Object.keys(settings).map((name) => [name, '']))

describe('proof 23: a changed setting loses nothing that runs', () => {
  let berth: Deployment
  const quay = `q${process.pid.toString(36)}`
  /** The containers that go on through all rounds, and how. */
  let going: ReadonlyMap<string, string>
  const changed = new Set<string>()
  const takeDown = takenDownAtTheEnd(async () => berth?.[Symbol.asyncDispose]())

  const nameOf = (user: string): string => `${berth.prefix}-${user}`
  const stateOf = async (name: string): Promise<string> => {
    const container = await inspect(berth.engine, name)
    return container === undefined ? 'gone' : `${container.Id} ${container.State.Status}`
  }

  before(async () => {
    berth = await deploy({
      name: 'changed',
      portal: true,
      templates: templates.replace('PREFIX', quay),
      settings: { API_TOKEN: 'a token of this proof alone', CONTAINER_STOP_TIMEOUT: '1s' },
    })
    for (const user of ['ann', 'bob', 'cid']) await served(await as(user))
    await served(await as('dora', 'quay.localhost'))
    await berth.engine.post(`/containers/${nameOf('bob')}/stop`, { t: 1 })
    await berth.engine.post(`/containers/${nameOf('cid')}/pause`)
    const names = [...['ann', 'bob', 'cid'].map(nameOf), `${quay}-dora`]
    going = new Map(
      await Promise.all(names.map(async (name) => [name, await stateOf(name)] as const)),
    )
    assert.deepEqual(
      [...going.values()].map((state) => state.split(' ')[1]),
      ['running', 'exited', 'paused', 'running'],
    )
  })
  after(takeDown)

  /** A person at one director, by the secret of now. */
  async function as(user: string, host = 'localhost', at = 0): Promise<GatewayLike> {
    const place = (await berth.directorPlaces())[at]
    assert.ok(place, `there is a director ${at}`)
    const gatewaySecret = berth.settings['GATEWAY_SECRET'] ?? ''
    return asTheGateway({ ...berth, gatewaySecret }, place, user, { host })
  }

  /** @returns the host name of the container that answers */
  async function served(person: GatewayLike, headers: Record<string, string> = {}) {
    const answer = await person.ask('/whoami', { headers })
    const text = await answer.text()
    assert.equal(answer.status, 200, `${person.user}: ${text}`)
    return (JSON.parse(text) as { hostname: string }).hostname
  }

  async function statusOf(person: GatewayLike) {
    const answer = await person.ask('/.berth/status')
    return answer.json<{ phase: string; outdated?: boolean; endsAt?: string }>()
  }

  /** As an administrator does: `.env`, then `docker compose up -d --wait`. */
  async function change(settings: Settings): Promise<void> {
    await berth.reconfigure(settings)
    for (const name of Object.keys(settings)) changed.add(name)
  }

  async function goesOn(...except: string[]): Promise<void> {
    for (const [name, state] of going)
      if (!except.includes(name)) assert.equal(await stateOf(name), state, name)
  }

  it('and touches no workspace, where it is about services, requests, pages and limits', async () => {
    await using history = await watchEngine(berth.engine)
    await change(harmless)
    await goesOn()
    assert.equal((await berth.directorPlaces()).length, 2)
    for (const at of [0, 1])
      assert.equal(await served(await as('ann', 'localhost', at)), nameOf('ann'))
    assert.deepEqual(
      await statusOf(await as('ann')).then(({ outdated }) => outdated ?? false),
      false,
    )
    const eve = await as('eve')
    const waits = await eve.ask('/whoami')
    assert.equal(waits.status, 503, await waits.text())
    assert.equal((await statusOf(eve)).phase, 'queued', 'new starts wait until there is room')
    const left = await eve.press('cancel')
    assert.ok(left.status < 400, `cancel is answered ${left.status}`)
    const touched = history.events.filter(
      ({ type, action, name }) =>
        type === 'container' && going.has(name) && !action.startsWith('exec_'),
    )
    assert.deepEqual(touched, [])
  })

  it('and keeps a container as it was made, until the next one is made from the new description', async () => {
    await change({
      ...spec,
      DIRECTORS: '1',
      EVICT_FROZEN: 'true',
      MAX_WORKSPACES: '3',
      MAX_MEMORY: '',
      REQUEST_WAIT_TIMEOUT: '',
    })
    await goesOn(nameOf('bob'), nameOf('cid'))
    const ann = await as('ann')
    assert.equal(await served(ann), nameOf('ann'), 'on the port that it was made with')
    assert.equal((await statusOf(ann)).outdated, true)

    const before = going.get(nameOf('bob'))?.split(' ')[0]
    assert.equal(await served(await as('bob')), nameOf('bob'))
    const next = await inspected(berth.engine, nameOf('bob'))
    assert.notEqual(next.Id, before)
    const { Memory, NanoCpus, PidsLimit, Init } = next.HostConfig
    assert.deepEqual([Memory, NanoCpus, PidsLimit, Init], [128 * 1024 ** 2, 5e8, 77, false])
    assert.deepEqual([next.Config.User, next.Config.StopSignal], ['1:1', 'SIGINT'])
    const volumes = (await volumesOf(berth.engine, berth.instance)).map(({ Name }) => Name)
    for (const volume of ['bob-home', 'bob-other', 'bob-cache'])
      assert.ok(volumes.includes(`${berth.instance}-${volume}`), volumes.join())
    assert.match(await stateOf(nameOf('cid')), /exited/, 'evicted, as EVICT_FROZEN says')
    going = new Map([...going].filter(([name]) => !/-(bob|cid)$/.test(name)))
  })

  it('and keeps the workspaces of people when several people share one from then on', async () => {
    await change({
      ...without(spec),
      CONTAINER_IMAGE: 'berth/hello',
      CONTAINER_PORT: '8080',
      CONTAINER_STOP_TIMEOUT: '1s',
      CONTAINER_USER: '1000:1000',
      CONTAINER_SEATS: '2',
      CONTAINER_SEATS_TOTAL: '4',
      CONTAINER_SEAT_IDLE: '10m',
      CONTAINER_SEAT_PERSISTS: 'true',
      EVICT_FROZEN: '',
      MAX_WORKSPACES: '',
      MAX_WORKSPACES_PER_USER: '',
      MAX_STARTING: '',
    })
    await goesOn()
    assert.equal(await served(await as('ann')), nameOf('ann'))
    const shared = await served(await as('fred'))
    assert.match(shared, /-shared--\d+$/)
    assert.equal(await served(await as('gus')), shared)
    going = new Map([...going, [shared, await stateOf(shared)]])
  })

  it('and ends nothing at once where it moves, closes or shortens', async () => {
    const portal = berth.siteAt('other-portal.localhost').origin
    await change({
      CONTAINER_ALLOWED_USERS: 'ann,hal',
      CONTAINER_ALLOWED_GROUPS: 'chiefs',
      CONTAINER_DRAIN_AFTER: '2s',
      CONTAINER_EXTENSION: '1h',
      CONTAINER_HOSTS: 'moved.localhost',
      CONTAINER_MAX_LIFETIME: '10m',
      PORTAL_URL: portal,
    })
    await goesOn()
    const ann = await as('ann', 'moved.localhost')
    assert.equal(await served(ann), nameOf('ann'))
    const { endsAt } = await statusOf(ann)
    assert.ok(Date.parse(endsAt ?? '') > Date.now(), `announced, and not over: ${endsAt}`)
    await expectProblem(await (await as('ann')).ask('/'), 404, 'template_unknown')
    await expectProblem(
      await (await as('ann', 'portal.localhost')).ask('/'),
      404,
      'template_unknown',
    )
    assert.equal((await (await as('ann', 'other-portal.localhost')).navigate('/')).status, 200)
    const fred = await as('fred', 'moved.localhost')
    await expectProblem(await fred.ask('/'), 403, 'template_forbidden')
    assert.ok(!going.has(await served(await as('hal', 'moved.localhost'))), 'no new people there')
    await goesOn()
  })

  it('and lets nobody in under another name or subject', async () => {
    await change({
      CONTAINER_ALLOWED_GROUPS: '',
      CONTAINER_ALLOWED_USERS: '',
      CONTAINER_DRAIN_AFTER: '',
      CONTAINER_EXTENSION: '',
      CONTAINER_HOSTS: '',
      CONTAINER_MAX_LIFETIME: '',
      CONTAINER_HOME: '/home/hello',
      CONTAINER_SCHEME: 'https',
      CONTAINER_SEATS: '',
      CONTAINER_SEATS_TOTAL: '',
      IDENTITY_HEADER: 'X-Forwarded-Nick',
      SUBJECT_HEADER: 'X-Forwarded-Uid',
      SUBJECT_REQUIRED: 'true',
    })
    const named = (nick: string, uid: string) => ({
      'x-forwarded-nick': nick,
      'x-forwarded-uid': uid,
    })
    await goesOn()
    const ann = await as('ann')
    const own = await served(ann, named('ann', 'u-ann'))
    assert.equal(own, nameOf('ann'), 'by the scheme that it was made with')
    const other = await ann.ask('/', { headers: named('ann', '7') })
    await expectProblem(other, 403, 'identity_reused')
    const renamed = await ann.ask('/', { headers: named('anna', 'u-ann') })
    await expectProblem(renamed, 403, 'identity_renamed')
    await goesOn()
  })

  it('and is refused where it would cut off what runs', async () => {
    const up = ['up', '--detach', '--no-build', '--no-deps', 'spawner']
    for (const [name, value, told] of [
      ['NETWORK_POOL', '10.250.0.0/24', /NETWORK_POOL is 10\.250\.0\.0\/24, but \d+ running/],
      ['DOCKER_HOST', 'unix:///run/nowhere.sock', /nowhere\.sock/],
      ['MAX_MEMORY', '100m', /CONTAINER_MEMORY must not be more than MAX_MEMORY/],
    ] as const) {
      const { code, stderr } = await berth.tryCompose({ [name]: value }, ...up)
      assert.equal(code, 0, stderr)
      await eventually(`the spawner tells of ${name}`, 30_000, async () =>
        told.test(await berth.logs('spawner')),
      )
      changed.add(name)
      await goesOn()
    }
  })

  it('and keeps what is no longer offered, until nobody uses it', async () => {
    await change({
      BINDS_ALLOWED: '/srv',
      CONTAINER_HOST_PREFIX: `x${quay}`,
      CONTAINER_SCHEME: '',
      IDENTITY_HEADER: '',
      IMAGES_ALLOWED: 'berth/lab',
      SUBJECT_HEADER: '',
      TEMPLATES_FILE: '',
    })
    const ann = await as('ann')
    assert.equal(await served(ann), `x${quay}-ann`)
    const page = await (await ann.navigate('/.berth/')).text()
    assert.ok(page.includes(nameOf('ann')), 'the page of the next one names the former one')
    await expectProblem(
      await (await as('dora', 'quay.localhost')).ask('/'),
      404,
      'template_unknown',
    )
    await goesOn()
  })

  it('and lets a new idle step fall due no earlier than that long after the restart; the home stays', async () => {
    await using history = await watchEngine(berth.engine)
    await change({
      BINDS_ALLOWED: '',
      CONTAINER_ACTIVITY_PATH: '/activity',
      CONTAINER_BACKGROUND_REQUESTS: 'GET /whoami',
      CONTAINER_BUSY_AT_MOST: '2s',
      CONTAINER_BUSY_CPU: '90',
      CONTAINER_CONNECTION_IDLE: '5s',
      CONTAINER_HOST_PREFIX: berth.prefix,
      CONTAINER_IDLE_FREEZE: '5s',
      CONTAINER_IDLE_STOP: '8s',
      CONTAINER_IDLE_REMOVE: '10s',
      IMAGES_ALLOWED: '',
    })
    const [spawner] = await berth.services('spawner')
    const restarted = Date.parse(spawner?.State.StartedAt ?? '')
    const ofAnn = (action: string) =>
      history.first(`${action} of the workspace of ann`, 90_000, (event) => {
        return event.action === action && event.name === nameOf('ann')
      })
    assert.ok((await ofAnn('pause')).at - restarted > 5_000)
    await ofAnn('destroy')
    const volumes = (await volumesOf(berth.engine, berth.instance)).map(({ Name }) => Name)
    assert.ok(volumes.includes(`${berth.instance}-ann-home`), volumes.join())
    // Its template is offered no more, so its idle step is the usual one.
    assert.equal(await stateOf(`${quay}-dora`), going.get(`${quay}-dora`))
    const all = await workspacesOf(berth.engine, berth.instance)
    assert.ok(all.length > 0)
  })

  it('for every setting of the table, but those that are proven elsewhere', async () => {
    const page = await readFile(join(surroundings.root, 'docs/operations.md'), 'utf8')
    const [, section = ''] = page.split('\n## Change settings\n')
    const [table = ''] = section.split('\n## ')
    const settings = table
      .split('\n')
      .filter((row) => row.startsWith('| '))
      .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\*?[A-Z][A-Z0-9_]*\*?)`/g)])
      .map(([, name = '']) => name)
    assert.ok(settings.length > 80, 'the table is found')
    const isProven = (name: string): boolean => {
      const begin = name.replace(/\*$/, '')
      if (Object.keys(elsewhere).some((known) => begin.startsWith(known))) return true
      return name.endsWith('*')
        ? [...changed].some((known) => known.startsWith(begin))
        : changed.has(name)
    }
    assert.deepEqual(
      settings.filter((name) => !isProven(name)),
      [],
    )
  })
})
