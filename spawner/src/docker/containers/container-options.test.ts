import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePrefix, parseUserName, standbyName, workspaceName } from '@berth/shared/names'
import type { Template, TemplateSpec } from '../../templates/template.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { containerOptions, mountsOf, specHash } from './container-options.ts'

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

describe('what a container is made of', () => {
  it('has its texts filled in, and its name for a host name', () => {
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

  it('is hardened', () => {
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

  it('keeps root what it takes to change users, and nothing that makes devices or raw packets', () => {
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

  it('asks an image that knows its health for it four times a second while it starts', () => {
    const { Healthcheck } = options({}, { imageUser: '', hasHealthcheck: true })
    assert.deepEqual(Healthcheck, { StartPeriod: 60e9, StartInterval: 250e6 })
  })

  it('says on its labels whose it is, made from what', () => {
    const { Labels } = options()
    assert.deepEqual(Labels, {
      'berth.instance': 'berth',
      'berth.workspace': workspaceName(prefix, name),
      'berth.kind': 'private',
      'berth.template': 'lab',
      'berth.user': 'müller',
      'berth.subject': 'u-1',
      'berth.email': 'm@example.com',
      'berth.spec': specHash(template(), owner, 'berth'),
      'berth.created': '1970-01-01T00:00:00.000Z',
    })
  })

  it('is nobody’s where it has no owner: no person in its labels, no name that leads to one alone', () => {
    const workspace = standbyName(prefix, 7)
    const nobodys = containerOptions({
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
    assert.deepEqual(nobodys.Labels, {
      'berth.instance': 'berth',
      'berth.workspace': workspace,
      'berth.kind': 'standby',
      'berth.template': 'lab',
      'berth.spec': specHash(template(), undefined, 'berth'),
      'berth.created': '1970-01-01T00:00:00.000Z',
    })
    assert.equal(nobodys.Hostname, workspace)
    assert.deepEqual(nobodys.NetworkingConfig?.EndpointsConfig, {
      'berth-ws-00001': { Aliases: [] },
    })
  })

  it('leaves limits out that are off', () => {
    const { HostConfig } = options({ memoryBytes: 0, cpus: 0, pids: 0 })
    assert.ok(!('Memory' in (HostConfig ?? {})) && !('NanoCpus' in (HostConfig ?? {})))
  })
})

describe('a variable named __proto__', () => {
  const environment = Object.fromEntries([['__proto__', '{username}']])

  it('is set in the container', () => {
    assert.deepEqual(options({ environment }).Env, ['__proto__=müller'])
  })

  it('changes the hash of what a container is made of', () => {
    const hash = (of: TemplateSpec['environment']) =>
      specHash(template({ environment: of }), owner, 'berth')
    assert.notEqual(hash(environment), hash({}))
  })
})

describe('the hash of what a container is made of', () => {
  const hash = (spec?: Partial<TemplateSpec>, of = owner) => specHash(template(spec), of, 'berth')

  it('stays the same for the same, also in another order', () => {
    assert.equal(hash(), hash({ environment: { A: '{username}', B: '{{}}' } }))
    assert.equal(hash(), hash({}, { ...owner, groups: [], subject: 'u-2' }))
  })

  it('changes with anything that the container would be made of', () => {
    const others = [
      hash({ image: 'berth/lab:2' }),
      hash({ command: [] }),
      hash({ environment: {} }),
      hash({ user: '1001' }),
      hash({ memoryBytes: 2 ** 31 }),
      hash({ volumes: [] }),
      hash({ stopSignal: '' }),
    ]
    assert.equal(new Set([hash(), ...others]).size, others.length + 1)
  })

  it('is the same without an owner and with one where nothing names the owner', () => {
    const plain = testTemplate('lab', { spec: { command: ['run'] } })
    assert.equal(specHash(plain, owner, 'berth'), specHash(plain, undefined, 'berth'))
  })

  it('does not change with what is not in the container', () => {
    assert.equal(hash(), hash({ readyPath: '/ready', pull: 'always' }))
  })
})

describe('mounts', () => {
  it('are personal where their name has the user in it', () => {
    const mounts = mountsOf(template(), owner, 'berth')
    assert.deepEqual(
      mounts.map(({ personal }) => personal),
      [true, false],
    )
  })

  it('hazard: without an owner a folder of each person’s is the folder of all of them', () => {
    const bind = { kind: 'bind', source: '/srv/{user}', target: '/data', readOnly: false } as const
    const [mount] = mountsOf(testTemplate('lab', { spec: { volumes: [bind] } }), undefined, 'berth')
    assert.equal(mount?.source, '/srv/')
    assert.equal(mount.named, true)
  })
})
