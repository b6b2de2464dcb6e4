import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import {
  baseImage,
  createEngineUnderTest,
  nameOf,
  person,
  run,
  valueOf,
  wanted,
} from './fixture.ts'
import { networkName } from '../observe/ownership.ts'

describe('networks on a real engine', () => {
  const test = createEngineUnderTest('10.219.1.0/24')
  const { engine, docker, instance, signal } = test
  after(() => test[Symbol.asyncDispose]())

  const inspect = (index: number) => docker.getNetwork(networkName(instance, index)).inspect()

  it('have the subnet, the label and the name of their index', async () => {
    assert.equal(await engine.createNetwork(3, signal), 'created')
    const network = await inspect(3)
    assert.equal(network.IPAM?.Config?.[0]?.Subnet, '10.219.1.48/28')
    assert.equal(network.Labels?.['berth.network'], '3')
    assert.equal(network.Labels?.['berth.instance'], instance)
    assert.equal(network.Name, `${instance}-ws-00003`)
    assert.ok(`${instance}-front` < network.Name, 'the front network must sort first')
  })

  it('are created once if several calls ask for the same', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => engine.createNetwork(4, signal)))
    assert.deepEqual(answers, ['created', 'created', 'created'])
    const { networks } = await engine.takeInventory(signal)
    assert.equal(networks.filter(({ index }) => index === 4).length, 1)
  })

  it('are reported as taken if a foreign network has the subnet, in the inventory too', async () => {
    const Name = `${instance}-foreign`
    const IPAM = { Config: [{ Subnet: '10.219.1.96/27' }] }
    const foreign = await docker.createNetwork({ Name, IPAM })
    test.after(() => foreign.remove())
    const { foreignIndexes } = await engine.takeInventory(signal)
    assert.deepEqual([...foreignIndexes], [6, 7])
    assert.equal(await engine.createNetwork(6, signal), 'taken')
  })

  it('are reported as taken if a foreign network has the name, which stays as it is', async () => {
    const foreign = await docker.createNetwork({ Name: networkName(instance, 9) })
    test.after(() => foreign.remove())
    assert.equal(await engine.createNetwork(9, signal), 'taken')
    assert.equal((await engine.removeNetwork(9, signal)).ok, true)
    assert.equal((await inspect(9)).Name, networkName(instance, 9))
    const { networks } = await engine.takeInventory(signal)
    assert.ok(!networks.some(({ index }) => index === 9))
  })

  it('of a former pool make the inventory fail while a workspace runs on them, and are not changed', async () => {
    await using moved = createEngineUnderTest('10.219.1.0/24')
    const { id } = await moved.started('ann')
    using successor = createEngineUnderTest('10.219.20.0/24', moved.instance).engine
    await assert.rejects(successor.takeInventory(signal), (error: Error) => {
      assert.equal(error.name, 'SettingsConflict')
      assert.match(error.message, /NETWORK_POOL is 10\.219\.20\.0\/24, but 1 running/)
      assert.match(error.message, /-ann \(10\.219\.1\.0\/28\)/)
      return true
    })
    assert.equal((await docker.getContainer(id).inspect()).State.Running, true)
    valueOf(await moved.engine.stopContainer(id, { signal: 'SIGKILL', timeoutMs: 1_000 }, signal))
    const { containers } = await successor.takeInventory(signal)
    assert.equal(containers.length, 1)
  })

  it('are gone after their removal, also if it is called twice', async () => {
    await engine.createNetwork(5, signal)
    assert.equal((await engine.removeNetwork(5, signal)).ok, true)
    assert.equal((await engine.removeNetwork(5, signal)).ok, true)
    await assert.rejects(inspect(5), { statusCode: 404 })
  })

  it('release stopped containers before their removal, and these are created again on another network', async () => {
    const { id } = await test.started('alice')
    valueOf(await engine.stopContainer(id, { signal: '', timeoutMs: 1_000 }, signal))
    valueOf(await engine.removeNetwork(0, signal))
    const { NetworkSettings } = await docker.getContainer(id).inspect()
    assert.deepEqual(Object.keys(NetworkSettings.Networks), [])
    await engine.createNetwork(2, signal)
    const workspace = nameOf(test.prefix, 'alice')
    const order = { workspace, template: test.template(), owner: person('alice'), network: 2 }
    const { generation } = valueOf(await engine.createContainer(order, signal))
    assert.notEqual(generation, id)
    const { address } = valueOf(await engine.startContainer(generation, 2, signal))
    assert.match(address, /^10\.219\.1\.3[3-9]$/)
    assert.equal(await run(docker, generation, 'hostname'), workspace)
  })

  it('that were removed and created again let a stopped container start', async () => {
    const { id } = await test.started('bob')
    valueOf(await engine.stopContainer(id, { signal: '', timeoutMs: 1_000 }, signal))
    valueOf(await engine.removeNetwork(0, signal))
    await engine.createNetwork(0, signal)
    assert.match(valueOf(await engine.startContainer(id, 0, signal)).address, /^10\.219\.1\./)
  })

  it('that were removed by others and created again let a new container start', async () => {
    await engine.createNetwork(11, signal)
    const workspace = nameOf(test.prefix, 'carol')
    const order = { workspace, template: test.template(), owner: person('carol'), network: 11 }
    const { generation } = valueOf(await engine.createContainer(order, signal))
    // The engine removes the network, because its list of containers lacks those that do not run.
    await docker.getNetwork(networkName(instance, 11)).remove()
    await engine.createNetwork(11, signal)
    const started = valueOf(await engine.startContainer(generation, 11, signal))
    assert.match(started.address, /^10\.219\.1\.17[89]$/)
  })

  it('of a former pool stay until their workspace is gone, and are then replaced', async () => {
    await using former = createEngineUnderTest('10.219.1.0/24')
    await former.engine.createNetwork(12, signal)
    const workspace = nameOf(former.prefix, 'emma')
    const order = { workspace, template: former.template(), owner: person('emma'), network: 12 }
    const { generation } = valueOf(await former.engine.createContainer(order, signal))
    const moved = createEngineUnderTest('10.219.7.0/24', former.instance)
    test.after(async () => moved.engine[Symbol.dispose]())
    const { networks, containers } = await moved.engine.takeInventory(signal)
    assert.ok(!networks.some(({ index }) => index === 12))
    const found = containers.find((each) => each.workspace === workspace)
    assert.ok(found !== undefined && found.network === undefined)
    assert.equal(await moved.engine.createNetwork(12, signal), 'failed')
    valueOf(await moved.engine.removeContainer(generation, signal))
    assert.equal(await moved.engine.createNetwork(12, signal), 'created')
    assert.equal(
      (await docker.getNetwork(networkName(former.instance, 12)).inspect()).IPAM?.Config?.[0]
        ?.Subnet,
      '10.219.7.192/28',
    )
  })

  it('give the container its second name, for directors that cannot reach the spawner', async () => {
    const { id } = await test.started('dora')
    const info = await docker.getContainer(id).inspect()
    const networks = info.NetworkSettings.Networks as Record<string, { Aliases: string[] }>
    const { Aliases } = wanted(networks[networkName(instance, 0)])
    assert.ok(Aliases.some((alias) => /^owner-[a-z2-7]{32}$/.test(alias)))
  })

  it('without egress lead to the directors and nowhere else', async () => {
    assert.equal(await engine.createNetwork(13, signal, 'none'), 'created')
    assert.equal(await engine.createNetwork(13, signal, 'none'), 'created', 'asked twice')
    const network = await inspect(13)
    assert.equal(network.Internal, true)
    assert.equal(network.Labels?.['berth.egress'], 'none')
    const { networks } = await engine.takeInventory(signal)
    assert.equal(networks.find(({ index }) => index === 13)?.egress, 'none')

    const Labels = { 'berth.instance': instance, 'berth.role': 'director' }
    const Cmd = ['sleep', 'infinity']
    const director = await docker.createContainer({ Image: baseImage, Cmd, Labels })
    await director.start()
    assert.equal(await engine.attachDirector(13, director.id.slice(0, 12), signal), 'attached')

    const serve =
      "use IO::Socket::INET; $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die; while ($c = $s->accept) {{ print $c 'hello'; close $c }}"
    const workspace = nameOf(test.prefix, 'finn')
    const template = test.template({ command: ['perl', '-e', serve], egress: 'none' })
    const order = { workspace, template, owner: person('finn'), network: 13 }
    const { generation } = valueOf(await engine.createContainer(order, signal))
    const { address } = valueOf(await engine.startContainer(generation, 13, signal))

    // 1F90 is port 8080: the server listens.
    const listens = 'until grep -q :1F90 /proc/net/tcp; do sleep 0.02; done'
    await run(docker, generation, 'sh', '-c', listens)
    const reach = (from: string, host: string, port: number) =>
      run(
        docker,
        from,
        'timeout',
        '5',
        'bash',
        '-c',
        `exec 3<>/dev/tcp/${host}/${port} && { echo connected; head -c 5 <&3; }`,
      )
    assert.match(await reach(director.id, address, 8080), /hello$/)
    assert.match(await reach(director.id, workspace, 8080), /hello$/)

    const routes = await run(docker, generation, 'cat', '/proc/net/route')
    assert.ok(!/^\S+\s+00000000\s/m.test(routes), 'it has no default route')
    // A server on every address of the host, tried by the gateway of that network and by the default bridge.
    const listener = createServer((socket) => socket.on('error', () => undefined).end('host'))
    await new Promise<void>((resolve) => listener.listen(0, '0.0.0.0', resolve))
    test.after(async () => listener.close())
    const { port } = listener.address() as AddressInfo
    const bridge = await docker.getNetwork('bridge').inspect()
    const hosts = ['10.219.1.209', wanted(bridge.IPAM?.Config?.[0]?.Gateway)]
    for (const host of hosts)
      assert.doesNotMatch(await reach(generation, host, port), /connected/, host)
    assert.match(await reach(director.id, wanted(hosts[1]), port), /connected/)
    const outside = await run(docker, generation, 'getent', 'hosts', 'example.com')
    assert.equal(outside, '')
  })

  it('with another egress than wanted are replaced, unless a workspace is on them', async () => {
    assert.equal(await engine.createNetwork(14, signal), 'created')
    assert.equal(await engine.createNetwork(14, signal, 'none'), 'created')
    assert.equal((await inspect(14)).Internal, true)
    const workspace = nameOf(test.prefix, 'gwen')
    const order = { workspace, template: test.template(), owner: person('gwen'), network: 14 }
    valueOf(await engine.createContainer(order, signal))
    assert.equal(await engine.createNetwork(14, signal, 'internet'), 'failed')
    assert.equal((await inspect(14)).Internal, true)
  })
})
