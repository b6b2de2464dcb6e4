import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePrefix, parseUserName, standbyName, workspaceName } from '@berth/shared/names'
import type { Template, TemplateSpec } from '../../templates/template.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { containerOptions, mountsOf, specHash, specParts } from './container-options.ts'

const prefix = parsePrefix('lab')
const name = parseUserName('müller')
assert.ok(prefix !== undefined && name !== undefined)
const owner = { name, subject: 'u-1', groups: ['staff'], email: 'm@example.com' }

function template(spec: Partial<TemplateSpec> = {}): Template {
  return testTemplate('lab', {
    spec: {
      image: 'berth/lab',
      port: 8888,
      command: ['run', '--for={user}'],
      environment: { B: '{{}}', A: '{username}' },
      home: { path: '/home/{user}', volume: '{instance}-{user}-home' },
      volumes: [{ kind: 'volume', source: 'data', target: '/data', readOnly: true }],
      user: '1000',
      memoryBytes: 2 ** 30,
      memorySwapBytes: 2 ** 30,
      cpus: 0.5,
      pids: 100,
      stopSignal: 'SIGINT',
      stopTimeoutMs: 1_500,
      ...spec,
    },
    policy: { startTimeoutMs: 60_000 },
  })
}

const options = (spec?: Partial<TemplateSpec>, image = { imageUser: '', hasHealthcheck: false }) =>
  containerOptions({
    instance: 'berth',
    workspace: workspaceName(prefix, name),
    template: template(spec),
    kind: 'private',
    owner,
    network: 'berth-ws-00001',
    createdAt: 0,
    ...image,
  })

describe('the options of a container', () => {
  it('have their placeholders filled in, and the workspace’s name as host name', () => {
    const made = options()
    const user = made.Hostname?.replace('lab-', '') ?? ''
    assert.match(user, /^mu-ller--[a-z2-7]{10}$/)
    assert.deepEqual(made.Cmd, ['run', `--for=${user}`])
    assert.deepEqual(made.Env, ['A=müller', 'B={}'])
    assert.deepEqual(
      made.HostConfig?.Mounts?.map(({ Source, Target, ReadOnly }) => [Source, Target, ReadOnly]),
      [
        [`berth-${user}-home`, `/home/${user}`, false],
        ['data', '/data', true],
      ],
    )
  })

  it('are hardened', () => {
    const { HostConfig, Healthcheck } = options()
    assert.deepEqual(HostConfig?.SecurityOpt, ['no-new-privileges'])
    assert.deepEqual(HostConfig.CapDrop, ['ALL'])
    assert.equal(HostConfig.Init, true)
    assert.equal(HostConfig.Memory, 2 ** 30)
    assert.equal(HostConfig.MemorySwap, HostConfig.Memory, 'no swap beside the memory')
    assert.equal(HostConfig.NanoCpus, 5e8)
    assert.equal(HostConfig.PidsLimit, 100)
    assert.equal(HostConfig.NetworkMode, 'berth-ws-00001')
    assert.equal(HostConfig.PortBindings, undefined)
    assert.equal(HostConfig.Privileged, undefined)
    assert.equal(HostConfig.Binds, undefined)
    assert.equal(HostConfig.LogConfig?.Type, 'json-file')
    assert.equal(Healthcheck, undefined)
  })

  it('leave root the capabilities to change users, and none to make devices or raw packets', () => {
    for (const [user, imageUser] of [
      ['', ''],
      ['root', 'jovyan'],
      ['0:0', ''],
      ['', '0'],
    ] as const) {
      const made = options({ user }, { imageUser, hasHealthcheck: false })
      const dropped = made.HostConfig?.CapDrop as string[]
      assert.ok(!dropped.includes('ALL'))
      for (const capability of ['NET_RAW', 'MKNOD', 'AUDIT_WRITE'])
        assert.ok(dropped.includes(capability))
    }
    assert.deepEqual(
      options({ user: '' }, { imageUser: 'jovyan', hasHealthcheck: false }).HostConfig?.CapDrop,
      ['ALL'],
    )
  })

  it('run the health check of an image four times a second during the start', () => {
    const { Healthcheck } = options({}, { imageUser: '', hasHealthcheck: true })
    assert.deepEqual(Healthcheck, { StartPeriod: 60e9, StartInterval: 250e6 })
  })

  it('run the health check of the template, or none', () => {
    const image = { imageUser: '', hasHealthcheck: true }
    const test = ['CMD', 'true']
    const own = { test, intervalMs: 30_000, timeoutMs: 1, retries: 2, startPeriodMs: 5_000 }
    const { Healthcheck } = options({ healthcheck: own }, { ...image, hasHealthcheck: false })
    const times = {
      Interval: 30e9,
      Timeout: 1e6,
      Retries: 2,
      StartPeriod: 5e9,
      StartInterval: 250e6,
    }
    assert.deepEqual(Healthcheck, { Test: test, ...times })
    const none = options({ healthcheck: { test: ['NONE'] } }, image)
    assert.deepEqual(none.Healthcheck, { Test: ['NONE'] })
    const slower = options({ healthcheck: { startIntervalMs: 5_000 } }, image)
    assert.deepEqual(slower.Healthcheck, { StartPeriod: 60e9, StartInterval: 5e9 })
  })

  it('have another hash with another health check, and the same without one', () => {
    const hashOf = (spec: Partial<TemplateSpec>) => specHash(template(spec), owner, 'berth')
    assert.notEqual(hashOf({ healthcheck: { test: ['NONE'] } }), hashOf({}))
    assert.equal(hashOf({ scheme: 'https' }), hashOf({}))
  })

  it('have labels with the owner, the template and the hash', () => {
    const { Labels } = options()
    assert.deepEqual(Labels, {
      'berth.instance': 'berth',
      'berth.workspace': workspaceName(prefix, name),
      'berth.kind': 'private',
      'berth.template': 'lab',
      'berth.user': 'müller',
      'berth.subject': 'u-1',
      'berth.email': 'm@example.com',
      'berth.port': '8888',
      'berth.scheme': 'http',
      'berth.spec': specHash(template(), owner, 'berth'),
      'berth.parts': specParts(template(), owner, 'berth'),
      'berth.created': '1970-01-01T00:00:00.000Z',
    })
  })

  it('name no person in labels and aliases if there is no owner', () => {
    const workspace = standbyName(prefix, 7)
    const ownerless = containerOptions({
      instance: 'berth',
      workspace,
      template: template(),
      kind: 'standby',
      owner: undefined,
      network: 'berth-ws-00001',
      createdAt: 0,
      imageUser: '',
      hasHealthcheck: false,
    })
    assert.deepEqual(ownerless.Labels, {
      'berth.instance': 'berth',
      'berth.workspace': workspace,
      'berth.kind': 'standby',
      'berth.template': 'lab',
      'berth.port': '8888',
      'berth.scheme': 'http',
      'berth.spec': specHash(template(), undefined, 'berth'),
      'berth.parts': specParts(template(), undefined, 'berth'),
      'berth.created': '1970-01-01T00:00:00.000Z',
    })
    assert.equal(ownerless.Hostname, workspace)
    assert.deepEqual(ownerless.NetworkingConfig?.EndpointsConfig, {
      'berth-ws-00001': { Aliases: [] },
    })
  })

  it('omit limits that are off', () => {
    const { HostConfig } = options({ memoryBytes: 0, cpus: 0, pids: 0 })
    assert.ok(!('Memory' in (HostConfig ?? {})) && !('NanoCpus' in (HostConfig ?? {})))
  })
})

describe('a variable named __proto__', () => {
  const environment = Object.fromEntries([['__proto__', '{username}']])

  it('is set in the container', () => {
    assert.deepEqual(options({ environment }).Env, ['__proto__=müller'])
  })

  it('changes the hash of the options', () => {
    const hash = (of: TemplateSpec['environment']) =>
      specHash(template({ environment: of }), owner, 'berth')
    assert.notEqual(hash(environment), hash({}))
  })
})

describe('the hash of the options of a container', () => {
  const hash = (spec?: Partial<TemplateSpec>, of = owner) => specHash(template(spec), of, 'berth')

  it('is the same for equal options, also in another order', () => {
    assert.equal(hash(), hash({ environment: { A: '{username}', B: '{{}}' } }))
    assert.equal(hash(), hash({}, { ...owner, groups: [], subject: 'u-2' }))
  })

  it('changes with every option that the container is created with', () => {
    const others = [
      hash({ image: 'berth/lab:2' }),
      hash({ command: [] }),
      hash({ environment: {} }),
      hash({ user: '1001' }),
      hash({ memoryBytes: 2 ** 31 }),
      hash({ volumes: [] }),
      hash({ stopSignal: '' }),
      hash({ entrypoint: [] }),
      hash({ entrypoint: ['tini'] }),
      hash({ devices: [{ source: '/dev/a', target: '/dev/a', permissions: 'r' }] }),
      hash({ gpus: [{ driver: '', count: -1, ids: [], capabilities: ['gpu'], options: {} }] }),
      hash({ tmpfs: [{ target: '/tmp', options: '' }] }),
      hash({ ulimits: [{ name: 'nofile', soft: 1, hard: 2 }] }),
      hash({ extraHosts: ['db:10.0.0.1'] }),
      hash({ logging: { driver: 'local', options: {} } }),
    ]
    assert.equal(new Set([hash(), ...others]).size, others.length + 1)
  })

  it('is the same with and without an owner if no option names the owner', () => {
    const plain = testTemplate('lab', { spec: { command: ['run'] } })
    assert.equal(specHash(plain, owner, 'berth'), specHash(plain, undefined, 'berth'))
  })

  it('is that of earlier versions, so that no running workspace counts as outdated', () => {
    const plain = testTemplate('lab', { spec: { command: ['run'] } })
    assert.equal(specHash(plain, owner, 'berth'), '3db59ae92f1f62ea403c087c664c1010')
  })

  it('does not change with fields that do not end up in the container', () => {
    assert.equal(hash(), hash({ readyPath: '/ready', pull: 'always' }))
  })
})

describe('the mounts of a container', () => {
  it('are personal if the name of the volume contains the user', () => {
    const mounts = mountsOf(template(), owner, 'berth')
    assert.deepEqual(
      mounts.map(({ personal }) => personal),
      [true, false],
    )
  })

  it('hazard: are marked if the source names a person, because without an owner it is the folder of all people', () => {
    const bind = { kind: 'bind', source: '/srv/{user}', target: '/data', readOnly: false } as const
    const [mount] = mountsOf(testTemplate('lab', { spec: { volumes: [bind] } }), undefined, 'berth')
    assert.equal(mount?.source, '/srv/')
    assert.equal(mount.namesPerson, true)
  })
})
