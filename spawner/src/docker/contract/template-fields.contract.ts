// The effect of each field of a template on a real engine, observed inside the container if possible.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { labels } from '@berth/shared/labels'
import { sharedName } from '@berth/shared/names'
import { Secret } from '@berth/shared/secret'
import type { EngineResult } from '../../loop/engine.ts'
import { securityOption } from '../../templates/file-security.ts'
import type { TemplateSpec } from '../../templates/template.ts'
import {
  createEngineUnderTest,
  derivedImage,
  nameOf,
  person,
  run,
  valueOf,
  wanted,
} from './fixture.ts'

const mebibyte = 1024 ** 2

describe('fields of a template on a real engine', () => {
  const test = createEngineUnderTest('10.219.9.0/24')
  const { engine, docker, instance, signal, prefix } = test
  before(async () => assert.equal(await engine.createNetwork(0, signal), 'created'))
  // A network has room for thirteen containers.
  afterEach(async () => {
    const { containers } = await engine.takeInventory(signal)
    for (const { container } of containers)
      valueOf(await engine.removeContainer(container.generation, signal))
  })
  after(() => test[Symbol.asyncDispose]())

  const create = (name: string, spec: Partial<TemplateSpec>) => {
    const [workspace, owner] = [nameOf(prefix, name), person(name)]
    const order = { workspace, owner, template: test.template(spec), network: 0 }
    return engine.createContainer(order, signal)
  }
  const inspect = (id: string) => docker.getContainer(id).inspect()
  const failureOf = (outcome: EngineResult<unknown>) => {
    assert.ok(!outcome.ok)
    return outcome.failure
  }
  const status = (id: string) => run(docker, id, 'cat', '/proc/self/status')

  it('memory and swap: limited together, or swap without a limit', async () => {
    const memoryBytes = 32 * mebibyte
    const both = await test.started('ann', { memoryBytes, memorySwapBytes: 48 * mebibyte })
    const { HostConfig } = await inspect(both.id)
    assert.equal(HostConfig.Memory, memoryBytes)
    assert.equal(HostConfig.MemorySwap, 48 * mebibyte)
    const open = await test.started('abe', { memoryBytes, memorySwapBytes: 0 })
    assert.equal((await inspect(open.id)).HostConfig.MemorySwap, -1)
    const none = await test.started('ada', { memoryBytes: 0, memorySwapBytes: 0 })
    assert.equal((await inspect(none.id)).HostConfig.Memory, 0)
  })

  it('shared memory, processes and CPUs: limited', async () => {
    const { id } = await test.started('bea', { shmBytes: 8 * mebibyte, pids: 12, cpus: 0.5 })
    assert.match(await run(docker, id, 'df', '-k', '/dev/shm'), /\s8192\s/)
    const { HostConfig } = await inspect(id)
    assert.equal(HostConfig.PidsLimit, 12)
    assert.equal(HostConfig.NanoCpus, 5e8)
    const many = 'for i in $(seq 30); do sleep 5 & done; echo all'
    assert.match(await run(docker, id, 'sh', '-c', many), /fork|Resource temporarily unavailable/i)
  })

  it('secrets: files that only the user can read, and that the engine does not show', async () => {
    const secrets = [
      { name: 'token', target: '/run/secrets/token', value: new Secret('s3cret word\n') },
      { name: 'deep', target: '/etc/deep/er/key', value: new Secret('an0ther') },
    ]
    const { id } = await test.started('cat', { secrets, user: '1000:100' })
    assert.equal(await run(docker, id, 'cat', '/run/secrets/token'), 's3cret word')
    assert.equal(await run(docker, id, 'cat', '/etc/deep/er/key'), 'an0ther')
    const stat = await run(docker, id, 'stat', '-c', '%u:%g %a', '/run/secrets/token')
    assert.equal(stat, '1000:100 400')
    const folder = await run(docker, id, 'stat', '-c', '%u:%g %a', '/etc/deep', '/run')
    assert.equal(folder, '0:0 755\n0:0 755')
    const said = JSON.stringify(await inspect(id))
    for (const { value } of secrets) assert.ok(!said.includes(value.reveal().trim()))
    // The secrets remain after a stop and a start.
    valueOf(await engine.stopContainer(id, { signal: 'KILL', timeoutMs: 0 }, signal))
    valueOf(await engine.startContainer(id, 0, signal))
    assert.equal(await run(docker, id, 'cat', '/run/secrets/token'), 's3cret word')
  })

  it('secrets: a change changes the hash', () => {
    const spec = (text: string) => {
      const secrets = [{ name: 'token', target: '/run/secrets/token', value: new Secret(text) }]
      return engine.specOf(test.template({ secrets }), person('cat'))
    }
    assert.notEqual(spec('one'), spec('two'))
    assert.equal(spec('one'), spec('one'))
  })

  it('secrets: written by the next spawner if the first died after it created the container', async () => {
    const secrets = [{ name: 'token', target: '/run/secrets/token', value: new Secret('kept') }]
    const { generation } = valueOf(await create('dan', { secrets }))
    const successor = createEngineUnderTest('10.219.9.0/24', instance)
    test.after(async () => successor.engine[Symbol.dispose]())
    const early = await successor.engine.startContainer(generation, 0, signal)
    assert.match(failureOf(early).detail, /never set up/)
    const [workspace, owner] = [nameOf(prefix, 'dan'), person('dan')]
    const order = { workspace, owner, template: test.template({ secrets }), network: 0 }
    const again = valueOf(await successor.engine.createContainer(order, signal))
    assert.equal(again.generation, generation)
    valueOf(await successor.engine.startContainer(generation, 0, signal))
    assert.equal(await run(docker, generation, 'cat', '/run/secrets/token'), 'kept')
  })

  it('networks: joined before the start, and one that does not exist is named in the error', async () => {
    const Name = `${instance}-extra`
    const network = await docker.createNetwork({ Name })
    test.after(() => docker.getNetwork(Name).remove())
    const noting = 'ls /sys/class/net > /tmp/now; mv /tmp/now /tmp/at-start; sleep infinity'
    const command = ['sh', '-c', noting]
    const { id, address } = await test.started('eve', { networks: [Name], command })
    assert.match(address, /^10\.219\.9\./)
    const names = Object.keys((await inspect(id)).NetworkSettings.Networks)
    assert.deepEqual(names.sort(), [Name, `${instance}-ws-00000`])
    const reading = 'until test -e /tmp/at-start; do sleep 0.02; done; cat /tmp/at-start'
    assert.match(await run(docker, id, 'sh', '-c', reading), /eth0\neth1/)
    // The network is removed and created again while the container is stopped.
    valueOf(await engine.stopContainer(id, { signal: 'KILL', timeoutMs: 0 }, signal))
    await docker.getNetwork(network.id).remove()
    await docker.createNetwork({ Name })
    valueOf(await engine.startContainer(id, 0, signal))
    assert.ok((await inspect(id)).NetworkSettings.Networks[Name] !== undefined)
    valueOf(await engine.removeContainer(id, signal))

    const missing = failureOf(await create('eli', { networks: [`${instance}-nowhere`] }))
    assert.match(missing.detail, new RegExp(`network ${instance}-nowhere could not be joined`))
    const others = failureOf(await create('eli', { networks: [`${instance}-ws-00000`] }))
    assert.match(others.detail, /network of one workspace/)
    const { containers } = await engine.takeInventory(signal)
    assert.ok(!containers.some(({ workspace }) => workspace === nameOf(prefix, 'eli')))
  })

  it('hazard: networks: one that belongs to Berth is refused, by id or by name, of any instance', async () => {
    const Name = `${instance}-of-another`
    const Labels = { [labels.instance]: `${instance}-2` }
    const another = await docker.createNetwork({ Name, Labels })
    test.after(() => another.remove())
    assert.equal(await engine.createNetwork(1, signal), 'created')
    const ofWorkspace = docker.getNetwork(`${instance}-ws-00001`)
    test.after(() => ofWorkspace.remove())
    const { Id: id } = await ofWorkspace.inspect()
    for (const network of [id, id.slice(0, 12), Name]) {
      const { detail } = failureOf(await create('eli', { networks: [network] }))
      assert.match(detail, /could not be joined: it is one of Berth’s own/, network)
    }
  })

  it('init: without it, the command itself is process 1', async () => {
    const { id } = await test.started('fay', { init: false })
    assert.match(await run(docker, id, 'cat', '/proc/1/comm'), /^sleep$/)
    const usual = await test.started('flo')
    assert.doesNotMatch(await run(docker, usual.id, 'cat', '/proc/1/comm'), /^sleep$/)
  })

  it('capabilities: those that are kept and those that are added', async () => {
    const effective = async (id: string) => {
      const [, hex = ''] = /^CapEff:\s+([0-9a-f]+)$/m.exec(await status(id)) ?? []
      return BigInt(`0x${hex}`)
    }
    const [netAdmin, netRaw] = [1n << 12n, 1n << 13n]
    const plain = await effective((await test.started('gus', { user: '0' })).id)
    assert.equal(plain & (netAdmin | netRaw), 0n)
    const more = { user: '0', capAdd: ['NET_ADMIN', 'NET_RAW'] }
    const added = await effective((await test.started('guy', more)).id)
    assert.equal(added & (netAdmin | netRaw), netAdmin | netRaw)
  })

  it('security options: added to no-new-privileges, unless they set it themselves', async () => {
    const { id } = await test.started('hal', { securityOpt: ['seccomp=unconfined'] })
    assert.match(await status(id), /^NoNewPrivs:\s+1$/m)
    assert.match(await status(id), /^Seccomp:\s+0$/m)
    const open = await test.started('hob', { securityOpt: ['no-new-privileges:false'] })
    assert.match(await status(open.id), /^NoNewPrivs:\s+0$/m)
    assert.match(await status(open.id), /^Seccomp:\s+2$/m)
  })

  it('a seccomp profile: its content applies in the container', async () => {
    const denied = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }
    const own = JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [denied] })
    const { id } = await test.started('hui', { securityOpt: [`seccomp=${own}`] })
    const refused = /Operation not permitted/
    assert.match(await run(docker, id, 'mkdir', '/tmp/denied'), refused)
    const plain = await test.started('huw', {})
    assert.doesNotMatch(await run(docker, plain.id, 'mkdir', '/tmp/allowed'), refused)
  })

  it('runtimes and networks that the engine does not have are named before a start', async () => {
    const lacking = { runtime: 'nosuch', networks: ['bridge', `${instance}-nowhere`] }
    const templates = [{}, { runtime: 'runc' }, lacking].map((spec) => test.template(spec))
    const [runtime = '', network = '', ...others] = await engine.missing(templates, test.signal)
    assert.match(runtime, /^template c\w+: the engine has no runtime nosuch; it has .*runc/)
    assert.equal(network, `template ${prefix}: the engine has no network ${instance}-nowhere`)
    assert.deepEqual(others, [])
  })

  it('security options: the engine has those that the templates file accepts, and no others', async () => {
    const all =
      'apparmor=unconfined label=disable label=type:x no-new-privileges no-new-privileges=true'
    const accepted = [...all.split(' '), 'seccomp=builtin', 'seccomp=unconfined']
    for (const [index, option] of accepted.entries()) {
      assert.deepEqual(securityOption(option), { value: option })
      valueOf(await create(`ito${index}`, { securityOpt: [option] }))
    }
    for (const option of ['systempaths=unconfined', 'no-new-privileges=yes', 'seccom=unconfined']) {
      assert.ok('complaint' in securityOption(option), option)
      assert.match(
        failureOf(await create('its', { securityOpt: [option] })).cause ?? '',
        /security-opt/,
      )
    }
  })

  it('runtime: the one that is named, and one that the engine does not have is named in the error', async () => {
    const { id } = await test.started('ida', { runtime: 'runc' })
    assert.equal((await inspect(id)).HostConfig.Runtime, 'runc')
    const failure = failureOf(await create('ivy', { runtime: 'nosuch' }))
    assert.equal(failure.code, 'start_failed')
    assert.match(failure.cause ?? '', /nosuch/)
  })

  it('binds: a folder of the host, read-only if set, and never created', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-bind-'))
    test.after(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'a'), 'from the host')
    const bind = (target: string, readOnly: boolean, source = folder) =>
      ({ kind: 'bind', source, target, readOnly }) as const
    const volumes = [bind('/ro', true), bind('/rw', false)]
    const { id } = await test.started('jan', { volumes })
    assert.equal(await run(docker, id, 'cat', '/ro/a'), 'from the host')
    assert.match(await run(docker, id, 'sh', '-c', 'echo x > /ro/b'), /Read-only file system/)
    assert.equal(await run(docker, id, 'sh', '-c', 'echo x > /rw/b; cat /ro/b'), 'x')
    const missing = await create('joe', { volumes: [bind('/x', false, `${folder}/none`)] })
    assert.match(failureOf(missing).cause ?? '', /none/)
  })

  it('shared volumes: one for each id, and every user may write to it', async () => {
    const volumes = [
      { kind: 'shared', source: 'pool', target: '/srv/pool', readOnly: false } as const,
    ]
    const first = await test.started('kim', { volumes, user: '1000' })
    const second = await test.started('kit', { volumes, user: '1001' })
    assert.equal(await run(docker, first.id, 'stat', '-c', '%u:%g %a', '/srv/pool'), '0:0 1777')
    await run(docker, first.id, 'sh', '-c', 'echo hello > /srv/pool/a')
    const there = 'cat /srv/pool/a; echo mine > /srv/pool/b && echo wrote; rm -f /srv/pool/a'
    const told = await run(docker, second.id, 'sh', '-c', there)
    assert.match(told, /^hello\nwrote\nrm: .*not permitted/)
    const { Labels } = await docker.getVolume(`${instance}-shared-pool`).inspect()
    const name = `${instance}-shared-pool`
    assert.deepEqual(Labels, { 'berth.instance': instance, 'berth.volume': name })
  })

  it('home: that of a shared workspace is writable for its user', async () => {
    const home = { path: '/home/all', volume: '{instance}-all' }
    const template = test.template({ home, user: '1000' })
    const workspace = sharedName(prefix, 5)
    const order = { workspace, kind: 'shared', owner: undefined, template, network: 0 } as const
    const { generation } = valueOf(await engine.createContainer(order, signal))
    valueOf(await engine.startContainer(generation, 0, signal))
    assert.equal(await run(docker, generation, 'stat', '-c', '%u', '/home/all'), '1000')
  })

  it('home: one that is named after a person is not created for a workspace without an owner', async () => {
    const home = { path: '/home/me', volume: '{instance}-{user}-home' }
    const template = test.template({ home })
    const workspace = sharedName(prefix, 6)
    const order = { workspace, kind: 'shared', owner: undefined, template, network: 0 } as const
    const failure = failureOf(await engine.createContainer(order, signal))
    assert.match(failure.detail, /named after one person/)
    const { Volumes } = await docker.listVolumes({
      filters: { label: [`berth.instance=${instance}`] },
    })
    assert.ok(!Volumes.some(({ Name }) => Name === `${instance}--home`))
  })

  it('stop signal and grace time: stored in the container, so that docker stop uses them too', async () => {
    const { id } = await test.started('leo', { stopSignal: 'SIGINT', stopTimeoutMs: 3_000 })
    const { Config } = await inspect(id)
    const { StopSignal, StopTimeout } = Config as { StopSignal?: string; StopTimeout?: number }
    assert.deepEqual({ StopSignal, StopTimeout }, { StopSignal: 'SIGINT', StopTimeout: 3 })
  })

  it('entrypoint: given the command, or none at all', async () => {
    const echoing = { entrypoint: ['sh', '-c', 'echo "$0 $*" > /tmp/told; sleep 1000'] }
    const { id } = await test.started('ned', { ...echoing, command: ['{username}', 'two words'] })
    const reading = 'until test -s /tmp/told; do sleep 0.02; done; cat /tmp/told'
    assert.equal(await run(docker, id, 'sh', '-c', reading), 'ned two words')
    const image = await derivedImage(test, 'ENTRYPOINT ["false"]')
    const none = await test.started('nat', { image, entrypoint: [], command: ['sleep', '1000'] })
    const { Config } = await inspect(none.id)
    assert.deepEqual(wanted(Config.Cmd), ['sleep', '1000'])
    assert.equal((await inspect(none.id)).State.Running, true)
  })

  it('devices: usable as far as they are permitted', async () => {
    const device = (target: string, permissions: string) => ({
      source: '/dev/null',
      target,
      permissions,
    })
    const devices = [device('/dev/nought', 'rwm'), device('/dev/read', 'r')]
    const { id } = await test.started('olga', { devices })
    const told =
      'echo x > /dev/nought && echo wrote; test -c /dev/read && echo there; cat /dev/read && echo read'
    assert.equal(await run(docker, id, 'sh', '-c', told), 'wrote\nthere\nread')
    const Devices: unknown = (await inspect(id)).HostConfig.Devices
    assert.deepEqual(
      (Devices as { CgroupPermissions: string }[]).map((each) => each.CgroupPermissions),
      ['rwm', 'r'],
    )
    const gone = { source: '/dev/berth-none', target: '/dev/x', permissions: 'r' }
    const missing = valueOf(await create('otto', { devices: [gone] }))
    const failure = failureOf(await engine.startContainer(missing.generation, 0, signal))
    assert.match(failure.cause ?? '', /berth-none/)
  })

  it('GPUs and devices by name: asked for, and an engine without them is named in the error', async () => {
    const gpu = {
      driver: '',
      count: 2,
      ids: [],
      capabilities: ['gpu', 'utility'],
      options: { a: 'b' },
    }
    const { generation } = valueOf(await create('pam', { gpus: [gpu] }))
    const { DeviceRequests } = (await inspect(generation)).HostConfig
    assert.deepEqual(DeviceRequests, [
      {
        Driver: '',
        Count: 2,
        DeviceIDs: null,
        Capabilities: [['gpu', 'utility']],
        Options: { a: 'b' },
      },
    ])
    const failure = failureOf(await engine.startContainer(generation, 0, signal))
    assert.match(failure.cause ?? '', /device driver/)
    const named = { source: 'vendor.com/thing=one', target: '', permissions: '' }
    const cdi = valueOf(await create('pit', { devices: [named] }))
    const requests = (await inspect(cdi.generation)).HostConfig.DeviceRequests as {
      Driver: string
      DeviceIDs: string[]
    }[]
    assert.deepEqual(
      [requests[0]?.Driver, requests[0]?.DeviceIDs],
      ['cdi', ['vendor.com/thing=one']],
    )
    assert.equal((await engine.startContainer(cdi.generation, 0, signal)).ok, false)
  })

  it('folders in memory: with size and mode, writable for the user', async () => {
    const tmpfs = [
      { target: '/scratch', options: 'size=8m,mode=1777' },
      { target: '/opt/plain', options: '' },
    ]
    const { id } = await test.started('quin', { tmpfs, user: '1000:1000' })
    assert.match(await run(docker, id, 'df', '-k', '-t', 'tmpfs', '/scratch'), /\s8192\s/)
    const told = 'echo x > /scratch/a && echo x > /opt/plain/a && stat -c %a /scratch'
    assert.equal(await run(docker, id, 'sh', '-c', told), '1777')
  })

  it('limits of processes: soft and hard', async () => {
    const ulimits = [
      { name: 'nofile', soft: 111, hard: 222 },
      { name: 'core', soft: 0, hard: -1 },
    ]
    const { id } = await test.started('ray', { ulimits })
    const told = await run(
      docker,
      id,
      'bash',
      '-c',
      'ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Hc',
    )
    assert.equal(told, '111\n222\n0\nunlimited')
  })

  it('further hosts: names that the container resolves', async () => {
    const extraHosts = ['db:10.9.8.7', 'six:fd00::1', 'up:host-gateway']
    const { id } = await test.started('sue', { extraHosts })
    const told = await run(docker, id, 'cat', '/etc/hosts')
    assert.match(told, /^10\.9\.8\.7\s+db$/m)
    assert.match(told, /^fd00::1\s+six$/m)
    assert.match(told, /^\d+\.\d+\.\d+\.\d+\s+up$/m)
  })

  it('log: the driver and its options, and a driver that the engine does not have is named in the error', async () => {
    const logging = { driver: 'local', options: { 'max-size': '1m' } }
    const { id } = await test.started('tim', { logging })
    const { LogConfig } = (await inspect(id)).HostConfig
    assert.deepEqual(LogConfig, { Type: 'local', Config: { 'max-size': '1m' } })
    const unknown = await create('tom', { logging: { driver: 'nosuch', options: {} } })
    assert.match(failureOf(unknown).cause ?? '', /nosuch/)
  })

  it('environment and command: placeholders are filled in', async () => {
    const spec = { environment: { WHO: '{username}' }, command: ['sleep', '1000'] }
    const { id } = await test.started('max', spec)
    assert.equal(await run(docker, id, 'sh', '-c', 'echo $WHO'), 'max')
    assert.deepEqual(wanted((await inspect(id)).Config.Cmd), ['sleep', '1000'])
  })
})
