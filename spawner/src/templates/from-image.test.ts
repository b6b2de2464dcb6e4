import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { templateFromImage } from './from-image.ts'
import { basePath, type Template } from './template.ts'

type Labels = Readonly<Record<string, string>>
const hour = 3_600_000

function read(labels: Labels, reference = 'registry.example.com/team/My_App:1', host?: string) {
  return templateFromImage({ reference, id: 'sha256:1', labels }, host)
}

function templateOf(labels: Labels, reference?: string, host?: string): Template {
  const result = read(labels, reference, host)
  assert.ok(result !== undefined)
  assert.deepEqual('complaints' in result ? result.complaints : [], [])
  assert.ok('template' in result)
  return result.template
}

function complaintsOf(labels: Labels): string {
  const result = read(labels)
  return result !== undefined && 'complaints' in result ? result.complaints.join('\n') : ''
}

const web = { 'orca.kind': 'web' }

describe('an image’s label', () => {
  /** The label of Orca, the field of the template, the default, a text, and the value of that text. */
  const table: readonly [
    label: string,
    of: (t: Template) => unknown,
    byDefault: unknown,
    text: string,
    overridden: unknown,
  ][] = [
    ['kind', (t) => t.kind, 'web', 'web', 'web'],
    ['name', (t) => [t.name, t.title], ['myapp', 'My_App'], 'Lab 2', ['lab2', 'Lab 2']],
    ['port', (t) => t.spec.port, 80, '8888', 8888],
    ['timeout.session', (t) => t.policy.drainAfterMs, 24 * hour, '2h', 2 * hour],
    ['timeout.inactive', (t) => t.policy.seatIdleMs, hour / 4, '5m', hour / 12],
    ['timeout.inactive', (t) => t.policy.idleStopMs, hour / 4, '5m', hour / 12],
    ['users.total', (t) => t.policy.seatsTotal, 0, '20', 20],
    ['users.concurrent', (t) => t.policy.seats, 0, '10', 10],
    ['container.stopsignal', (t) => t.spec.stopSignal, '', 'SIGINT', 'SIGINT'],
    [
      'container.persistBetweenReconnects',
      (t) => t.policy.persistBetweenReconnects,
      true,
      'false',
      false,
    ],
  ]
  for (const [label, of, byDefault, text, overridden] of table)
    it(`${label} is ${JSON.stringify(byDefault)} unless the label of Orca or of Berth is set; the label of Berth wins`, () => {
      assert.deepEqual(of(templateOf(web)), byDefault)
      assert.deepEqual(of(templateOf({ ...web, [`orca.${label}`]: text })), overridden)
      assert.deepEqual(of(templateOf({ [`berth.image.${label}`]: text })), overridden)
      const both = { ...web, [`orca.${label}`]: 'nonsense?', [`berth.image.${label}`]: text }
      assert.deepEqual(of(templateOf(both)), overridden)
    })

  for (const label of ['timeout.session', 'timeout.inactive', 'users.total', 'users.concurrent'])
    it(`${label} accepts -1 as no limit`, () => {
      const { policy } = templateOf({ [`orca.${label}`]: '-1' })
      const value = {
        'timeout.session': policy.drainAfterMs,
        'timeout.inactive': policy.seatIdleMs + policy.idleStopMs + policy.idleRemoveMs,
        'users.total': policy.seatsTotal,
        'users.concurrent': policy.seats,
      }
      assert.equal(value[label as keyof typeof value], 0)
    })

  it('kind ssh has the defaults of Orca for it, no address, and nothing that has to listen', () => {
    const template = templateOf({ 'orca.kind': 'ssh' })
    const { kind, ssh, spec, policy, route } = template
    assert.deepEqual(
      { kind, ssh, scheme: spec.scheme, seats: policy.seats, route },
      {
        kind: 'ssh',
        ssh: { method: 'attach', shell: '/bin/sh', user: '' },
        scheme: 'none',
        seats: 1,
        route: { hosts: [] },
      },
    )
    assert.equal(policy.persistBetweenReconnects, false)
    const persists = { 'orca.kind': 'ssh', 'orca.container.persistBetweenReconnects': 'true' }
    assert.equal(templateOf(persists).policy.persistBetweenReconnects, true)
  })

  it('kind tcp is refused: no label says who connects', () => {
    assert.match(
      complaintsOf({ 'orca.kind': 'tcp' }),
      /is of kind tcp, and its labels cannot say who connects/,
    )
  })

  for (const method of ['attach', 'exec'])
    it(`connection.method ${method} says how people sign in, also to a website`, () => {
      for (const kind of ['web', 'ssh']) {
        const labels = { 'orca.kind': kind, 'orca.connection.method': method }
        assert.deepEqual(templateOf(labels).ssh, { method, shell: '/bin/sh', user: '' })
      }
      assert.equal(templateOf(web).ssh, undefined)
    })

  it('connection.method connect needs a user, and goes to the port of the image', () => {
    const labels = { 'orca.kind': 'ssh', 'orca.connection.method': 'connect' }
    assert.match(complaintsOf(labels), /needs the label berth\.image\.ssh\.user/)
    const named = { ...labels, 'berth.image.ssh.user': 'dev' }
    for (const [given, port] of [
      [{}, 22],
      [{ 'orca.port': '2200' }, 2200],
    ] as const) {
      const { ssh, spec } = templateOf({ ...named, ...given })
      assert.deepEqual(ssh, { method: 'connect', user: 'dev', port })
      assert.deepEqual([spec.port, spec.scheme], [port, 'tcp'])
    }
    const web = templateOf({ ...named, 'orca.kind': 'web', 'berth.image.ssh.port': '2222' })
    assert.deepEqual([web.ssh, web.spec.port], [{ method: 'connect', user: 'dev', port: 2222 }, 80])
  })

  it('users.concurrent of an image of the kind ssh alone sets no limit on the people in total', () => {
    const { policy } = templateOf({ 'orca.kind': 'ssh', 'orca.users.concurrent': '2' })
    assert.deepEqual([policy.seats, policy.seatsTotal], [2, 0])
  })

  it('users.total has no effect with one person at a time: each person has a private workspace', () => {
    const { policy, passIdentity } = templateOf({
      'orca.users.concurrent': '1',
      'orca.users.total': '5',
    })
    assert.deepEqual([policy.seats, policy.seatsTotal, passIdentity], [1, 0, []])
  })

  const ours: readonly [label: string, text: string, of: (t: Template) => unknown, is: unknown][] =
    [
      ['command', 'serve "a b"', (t) => t.spec.command, ['serve', 'a b']],
      [
        'home',
        '/home/me',
        (t) => t.spec.home,
        { path: '/home/me', volume: '{instance}-{user}-home' },
      ],
      ['ready.path', '/up', (t) => t.spec.readyPath, '/up'],
      ['memory', '512m', (t) => [t.spec.memoryBytes, t.spec.memorySwapBytes], [2 ** 29, 2 ** 29]],
      ['cpus', '0.5', (t) => t.spec.cpus, 0.5],
      ['base_path', '/lab/', basePath, '/lab/'],
      ['open', '/vnc.html', (t) => t.open, '/vnc.html'],
      ['title', 'The lab', (t) => t.title, 'The lab'],
      ['description', 'Notebooks', (t) => t.description, 'Notebooks'],
      ['icon', 'https://x.org/i.png', (t) => t.icon, 'https://x.org/i.png'],
    ]
  for (const [label, text, of, is] of ours)
    it(`${label} is a label of Berth only`, () => {
      assert.deepEqual(of(templateOf({ ...web, [`berth.image.${label}`]: text })), is)
      assert.notDeepEqual(of(templateOf({ ...web, [`orca.${label}`]: text })), is)
    })

  it('with an invalid value is reported, together with all others', () => {
    const complaints = complaintsOf({
      'orca.kind': 'smtp',
      'orca.port': '0',
      'berth.image.memory': 'much',
      'orca.timeout.session': 'long',
    })
    for (const name of ['orca.kind', 'orca.port', 'berth.image.memory', 'orca.timeout.session'])
      assert.match(complaints, new RegExp(`label ${name} `))
  })

  it('hazard: is refused if its value is so large or so small that the engine would treat it as no limit', () => {
    for (const [label, text] of [
      ['memory', '9'.repeat(400)],
      ['memory', '9999999999t'],
      ['cpus', '0.0000000001'],
    ] as const)
      assert.match(
        complaintsOf({ 'orca.kind': 'web', [`berth.image.${label}`]: text }),
        new RegExp(`label berth.image.${label} `),
      )
  })

  it('is required: an image without labels is not a template', () => {
    assert.equal(read({ maintainer: 'x', 'org.orca.kind': 'web' }), undefined)
  })

  it('cannot set a name that is not a valid prefix', () => {
    assert.match(
      complaintsOf({ 'orca.name': '42' }),
      /has no name from which a prefix could be made/,
    )
  })

  it('does not weaken the hardening', () => {
    const wily = { ...web, 'berth.image.cap_add': 'ALL', 'berth.image.volumes': '/:/host' }
    const { spec, weakened } = templateOf(wily)
    assert.deepEqual([spec.capAdd, spec.volumes, weakened, spec.init], [[], [], [], true])
  })
})

describe('the route of a template from an image', () => {
  it('is a host below the host of PUBLIC_URL', () => {
    assert.deepEqual(templateOf(web, 'team/board:4', 'berth.example.com').route, {
      hosts: ['board.berth.example.com'],
    })
  })

  it('is a path that the director strips if there is no PUBLIC_URL', () => {
    assert.deepEqual(templateOf(web, 'board').route, {
      hosts: [],
      path: { prefix: '/board', strip: true },
    })
  })

  it('is the path of the label base_path if the image has this label', () => {
    const { route } = templateOf({ 'berth.image.base_path': '/b' }, 'board', 'berth.example.com')
    assert.deepEqual(route, { hosts: [], path: { prefix: '/b', strip: false } })
  })
})
