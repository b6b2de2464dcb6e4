// Proof 11: unexpected behaviour of the engine (networks, names, volumes), and which container can reach which.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { arrive, hostnameOf } from '../clients/arrival.ts'
import { signIn } from '../clients/people.ts'
import { expectProblem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import {
  inspect,
  inspected,
  networksOf,
  volumesOf,
  type InspectedContainer,
} from '../engine/belongings.ts'
import { knockFromInside } from '../engine/knock.ts'
import { attempt, run } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'

const foreign = 'e2eforeign'

describe('proof 11: networks, names and volumes', () => {
  let berth: Deployment
  before(async () => {
    berth = await deploy({
      name: 'nets',
      directors: 2,
      settings: {
        IDP_PEOPLE: 'dora,emil,fred,gina,hugo',
        NETWORK_POOL: '10.215.0.0/24',
        RECONCILE_EVERY: '2s',
        NETWORK_SPARES: '1',
        // Short leases: the address of a removed workspace is reused only after one lease.
        CONTAINER_IDLE_STOP: '60s',
      },
    })
  })
  after(async () => {
    await berth[Symbol.asyncDispose]()
  })

  it('keeps a workspace from reaching other workspaces, directors, ops ports, the spawner and the engine', async () => {
    const [alice, bob] = await Promise.all([signIn(berth.site, 'alice'), signIn(berth.site, 'bob')])
    await Promise.all([arrive(alice), arrive(bob)])
    const [his, hers] = await Promise.all(
      ['bob', 'alice'].map((user) => inspected(berth.engine, berth.workspaceName(user))),
    )
    assert.ok(his && hers)
    const [network = '', other = ''] = [hers, his].map(
      ({ NetworkSettings }) => Object.keys(NetworkSettings.Networks)[0],
    )
    // The director that lets the person in is on the network first. The others follow.
    const directors = await eventually('every director is on both networks', 30_000, async () => {
      const all = await berth.services('director')
      const isThere = all.every(({ NetworkSettings }) =>
        [network, other].every((name) => NetworkSettings.Networks[name]?.IPAddress),
      )
      return isThere && all
    })
    const silent = [
      { host: addressesOf(his)[0] ?? '', port: 8080 },
      { host: berth.workspaceName('bob'), port: 8080 },
      { host: 'spawner', port: 8081 },
      { host: 'director', port: 8080 },
      { host: 'gateway', port: 4180 },
    ]
    for (const spawner of await berth.services('spawner'))
      silent.push(...addressesOf(spawner).map((host) => ({ host, port: 8081 })))
    const beside: { host: string; port: number }[] = []
    for (const director of directors) {
      const own = director.NetworkSettings.Networks[network]?.IPAddress ?? ''
      beside.push({ host: own, port: 8080 }, { host: own, port: 9090 })
      const others = addressesOf(director).filter((host) => host !== own)
      silent.push(...others.map((host) => ({ host, port: 8080 })))
    }

    for (const seen of await knockFromInside(berth.workspaceName('alice'), silent))
      assert.equal(seen.connected, false, `a connection was accepted: ${JSON.stringify(seen)}`)
    for (const seen of await knockFromInside(berth.workspaceName('alice'), beside)) {
      assert.equal(seen.bytes, 0, `an answer came: ${JSON.stringify(seen)}`)
      assert.notEqual(seen.how, 'timeout', `it is refused at once: ${JSON.stringify(seen)}`)
    }
  })

  it('runs a workspace without privileges, and with limits', async () => {
    const { HostConfig, Config } = await inspected(berth.engine, berth.workspaceName('alice'))
    assert.equal(HostConfig['Privileged'], false)
    assert.ok(
      (HostConfig['SecurityOpt'] as string[]).some((option) =>
        option.startsWith('no-new-privileges'),
      ),
    )
    assert.ok(HostConfig['CapDrop'], 'capabilities are dropped')
    assert.ok((HostConfig['PidsLimit'] as number) > 0)
    assert.ok((HostConfig['Memory'] as number) > 0)
    assert.equal(HostConfig['MemorySwap'], HostConfig['Memory'])
    assert.ok((HostConfig['NanoCpus'] as number) > 0)
    assert.deepEqual(HostConfig['PortBindings'] ?? {}, {})
    assert.equal(Config.User, '1000:1000')
    const written = await attempt('docker', [
      'exec',
      berth.workspaceName('alice'),
      'touch',
      '/home/hello/x',
    ])
    assert.equal(written.code, 0, 'the home is writable by its owner')
  })

  it('keeps the default route of directors on the front network, however many networks they get', async () => {
    const { IPAM } = (await networksOf(berth.engine, berth.instance)).find(
      ({ Name }) => Name === `${berth.instance}-front`,
    ) ?? { IPAM: { Config: [] } }
    const subnet = IPAM.Config?.[0]?.Subnet.split('.').slice(0, 2).join('.') ?? 'none'
    for (const { Id, NetworkSettings } of await berth.services('director')) {
      assert.ok(Object.keys(NetworkSettings.Networks).length >= 4)
      const routes = await run('docker', ['exec', Id, 'cat', '/proc/net/route'])
      const gateway = routes
        .split('\n')
        .map((line) => line.split('\t'))
        .find(([, destination]) => destination === '00000000')?.[2]
      const address = (gateway ?? '')
        .match(/../g)
        ?.toReversed()
        .map((byte) => Number.parseInt(byte, 16))
      assert.equal(
        address?.slice(0, 2).join('.'),
        subnet,
        `the default route is ${address?.join('.')}`,
      )
    }
  })

  it('does not cut a download while networks come and go', async () => {
    const alice = await signIn(berth.site, 'alice')
    const answer = await alice.ask('/bytes?n=30000000&rate=6000000')
    const reading = answer.bytes()
    const others = await Promise.all(['dora', 'emil'].map((login) => signIn(berth.site, login)))
    await Promise.all(others.map((person) => arrive(person)))
    assert.equal((await reading).length, 30_000_000)
  })

  it('hazard: starts a stopped workspace again after all services were recreated (removing a network bricks stopped containers)', async () => {
    const dora = await signIn(berth.site, 'dora')
    await arrive(dora)
    await (await dora.ask('/files/kept', { method: 'PUT', body: 'kept' })).text()
    const name = berth.workspaceName('dora')
    const before = await inspected(berth.engine, name)
    await berth.engine.post(`/containers/${name}/stop`, { t: 1 })
    await berth.compose(
      'up',
      '--detach',
      '--no-build',
      '--wait',
      '--force-recreate',
      '--scale',
      'director=2',
    )
    const again = await signIn(berth.site, 'dora')
    assert.equal(await (await again.ask('/files/kept')).text(), 'kept')
    assert.equal((await inspected(berth.engine, name)).Id, before.Id, 'the same container')
  })

  it('leaves no network behind when its workspace is gone', async () => {
    const name = berth.workspaceName('emil')
    const { NetworkSettings } = await inspected(berth.engine, name)
    const [network = ''] = Object.keys(NetworkSettings.Networks)
    await berth.engine.remove(`/containers/${name}`, { force: true })
    await eventually('its network is spare or gone', 60_000, async () => {
      const workspaces = (await networksOf(berth.engine, berth.instance)).filter(
        ({ Labels }) => Labels['berth.network'] !== undefined,
      )
      const used = await Promise.all(
        ['alice', 'bob', 'dora'].map(async (user) => {
          const { NetworkSettings: settings } = await inspected(
            berth.engine,
            berth.workspaceName(user),
          )
          return Object.keys(settings.Networks)
        }),
      )
      const spare = workspaces.filter(({ Name }) => !used.flat().includes(Name))
      return spare.length <= 1
    })
    assert.ok(network.startsWith(`${berth.instance}-ws`), network)
    assert.ok(network > `${berth.instance}-front`, 'it sorts after the front network')
  })

  it('skips addresses that another network on the engine has', async () => {
    const taken = await subnetsOf(berth)
    // The upper half of the pool is not used yet.
    assert.ok(
      taken.every((subnet) => Number(subnet.split(/[./]/)[3]) < 128),
      taken.join(),
    )
    const name = `${foreign}-${process.pid}`
    await run('docker', ['network', 'create', '--subnet', '10.215.0.128/25', name])
    try {
      await berth.compose('restart', 'spawner')
      await berth.reconfigure({})
      const fred = await signIn(berth.site, 'fred')
      assert.equal(await hostnameOf(fred), berth.workspaceName('fred'))
      const subnets = await subnetsOf(berth)
      assert.ok(
        subnets.every((subnet) => Number(subnet.split(/[./]/)[3]) < 128),
        subnets.join(),
      )
    } finally {
      await run('docker', ['network', 'rm', name])
    }
  })

  it('refuses a name that a foreign container has, and leaves that container unchanged', async () => {
    const name = berth.workspaceName('gina')
    await run('docker', ['run', '--detach', '--name', name, 'berth/hello'])
    try {
      const before = await inspected(berth.engine, name)
      const gina = await signIn(berth.site, 'gina')
      await expectProblem(await gina.ask('/whoami'), 409, 'name_taken')
      const page = await gina.navigate('/')
      assert.ok(page.status >= 400)
      assert.match(await page.text(), /data-phase|<h1/)
      const after = await inspected(berth.engine, name)
      assert.equal(after.Id, before.Id)
      assert.equal(after.State.Running, true)
    } finally {
      await run('docker', ['rm', '--force', name])
    }
  })

  it('refuses a volume that belongs to another instance, and leaves that volume unchanged', async () => {
    const volume = `${berth.instance}-hugo-home`
    await run('docker', ['volume', 'create', '--label', 'berth.instance=somebody-else', volume])
    try {
      const hugo = await signIn(berth.site, 'hugo')
      await (await hugo.press('start')).text()
      const answer = await hugo.ask('/whoami')
      assert.equal(answer.status, 409, await answer.text())
      assert.equal(
        (await inspect(berth.engine, berth.workspaceName('hugo')))?.State.Running ?? false,
        false,
      )
      const homes = await volumesOf(berth.engine, 'somebody-else')
      assert.ok(homes.some(({ Name }) => Name === volume))
    } finally {
      await run('docker', ['volume', 'rm', volume])
    }
  })
})

async function subnetsOf(berth: Deployment): Promise<string[]> {
  const networks = await networksOf(berth.engine, berth.instance)
  return networks
    .filter(({ Labels }) => Labels['berth.network'] !== undefined)
    .map(({ IPAM }) => IPAM.Config?.[0]?.Subnet ?? 'none')
}

function addressesOf(container: InspectedContainer): string[] {
  return Object.values(container.NetworkSettings.Networks).map(({ IPAddress }) => IPAddress)
}
