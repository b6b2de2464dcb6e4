import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '@berth/shared/secret'
import {
  parseSubnet,
  parseSubnetPool,
  type Subnet,
  type SubnetPool,
} from '@berth/shared/subnet-pool'
import type { AskedUrl, EngineFacts, KnownSecret, PoolFacts, RoomFacts } from './facts.ts'
import { judged, ok, type Finding } from './finding.ts'
import { judgeImage } from './images.ts'
import { knownSecrets } from './known-secrets.ts'
import {
  judgeClock,
  judgeDataFolder,
  judgeDisk,
  judgeEngine,
  judgeLimits,
  judgeMemory,
  judgeSocket,
  judgeStorage,
} from './machine.ts'
import { judgeNames, judgePool, judgePort } from './network.ts'
import { findingsJson, findingsText, isInOrder } from './report.ts'
import {
  discoveryUrl,
  judgeEnvironmentFile,
  judgeGateway,
  judgeProvider,
  judgeSecrets,
  judgeService,
} from './sign-in.ts'

const gib = 1024 ** 3

/** A verdict in one line: its status, and what it says and advises. */
const told = (finding: Finding | undefined): string =>
  finding === undefined
    ? 'nothing'
    : `${finding.status}: ${finding.says}${finding.remedy === undefined ? '' : ` -> ${finding.remedy}`}`

function expect(finding: Finding | undefined, wanted: RegExp): void {
  assert.match(told(finding), wanted)
  // Everything that is not in order comes with what to do.
  if (finding !== undefined) assert.equal(finding.remedy !== undefined, finding.status !== 'ok')
}

describe('the doctor judges the engine and its machine', () => {
  const socket = { kind: 'socket' as const, mode: 0o140660, uid: 0, gid: 998 }
  const unix = { dockerHost: 'unix:///var/run/docker.sock', uid: 1000, path: socket }
  it('tells why the engine does not answer', () => {
    expect(judgeSocket(unix), /^ok: the engine answers/)
    expect(
      judgeSocket({ ...unix, failure: 'connect EACCES /var/run/docker.sock' }),
      /^fault: .*user 0 and group 998 \(mode 660\), and this process is user 1000 -> .*group_add: \['998'\]/,
    )
    expect(
      judgeSocket({ ...unix, path: { ...socket, kind: 'absent' }, failure: 'connect ENOENT' }),
      /^fault: .*There is no such file -> Let DOCKER_SOCKET/,
    )
    expect(
      judgeSocket({ ...unix, path: { ...socket, kind: 'other' }, failure: 'connect ECONNREFUSED' }),
      /^fault: .*It is not a socket -> Let DOCKER_SOCKET/,
    )
    expect(
      judgeSocket({ ...unix, failure: 'connect ECONNREFUSED' }),
      /^fault: .* -> start the engine/,
    )
    const remote = { dockerHost: 'tcp://engine:2375', uid: 0, failure: 'connect ECONNREFUSED' }
    expect(judgeSocket(remote), /^fault: .* -> see whether DOCKER_HOST is right/)
  })

  const engine: EngineFacts = {
    product: 'Docker Engine',
    version: '26.1.5+dfsg1',
    apiVersion: '1.45',
    system: 'linux',
    storageDriver: 'overlay2',
    hasEntryTypes: true,
    memoryBytes: 24 * gib,
    countsSwap: true,
    aheadMs: 0,
    defaultPools: [],
  }
  it('wants an engine of Docker for Linux, not older than 25', () => {
    expect(judgeEngine(engine), /^ok: Docker Engine 26\.1\.5\+dfsg1, API 1\.45/)
    expect(judgeEngine({ ...engine, version: '24.0.9' }), /^fault: .*-> install Docker Engine 25/)
    expect(judgeEngine({ ...engine, system: 'windows' }), /^fault: .*-> use an engine for Linux/)
    expect(judgeEngine({ ...engine, product: 'Podman Engine' }), /^warning: Podman Engine/)
  })
  it('warns about a storage driver that copies, and refuses a file system without types', () => {
    expect(judgeStorage(engine), /^ok: storage driver overlay2/)
    expect(judgeStorage({ ...engine, storageDriver: 'vfs' }), /^warning: .*-> let the engine use/)
    expect(judgeStorage({ ...engine, hasEntryTypes: false }), /^fault: .*d_type/)
  })

  const room: RoomFacts = {
    what: 'the disk',
    freeBytes: 20 * gib,
    totalBytes: 100 * gib,
    freeFiles: 50,
    totalFiles: 100,
  }
  it('compares the free disk with the threshold, and the free files with all', () => {
    expect(judgeDisk(room, 5 * gib), /^ok: the disk: 20 GiB of 100 GiB free$/)
    expect(judgeDisk(room, 21 * gib), /^fault: .*less than 21 GiB \(--min-disk\) -> make room/)
    expect(judgeDisk({ ...room, freeFiles: 4 }, gib), /^fault: .*only 4 of 100 files/)
    expect(judgeDisk({ ...room, freeFiles: 0, totalFiles: 0 }, gib), /^ok/)
  })
  it('compares memory with what workspaces may use, one and all together', () => {
    const wanted = { largestBytes: 2 * gib, boundBytes: 16 * gib, workspaces: 100 }
    expect(judgeMemory(24 * gib, 20 * gib, wanted), /^ok: .*together may use 16 GiB/)
    expect(judgeMemory(24 * gib, 1 * gib, wanted), /^fault: .*one workspace may use 2\.0 GiB/)
    expect(judgeMemory(8 * gib, 8 * gib, wanted), /^fault: .*MAX_MEMORY is 16 GiB/)
    const unbound = { ...wanted, boundBytes: 0 }
    expect(judgeMemory(24 * gib, 20 * gib, unbound), /^warning: .*200 GiB -> set MAX_MEMORY/)
    const free = { ...unbound, largestBytes: 0 }
    expect(judgeMemory(24 * gib, 20 * gib, free), /^warning: .*any amount/)
    expect(judgeMemory(24 * gib, 20 * gib, { ...unbound, workspaces: 5 }), /^ok: .*10 GiB/)
  })
  it('names the limits that did not bind', () => {
    const bound = { memory: 'bound', pids: 'bound', cpus: 0.5, madeWithCpus: 0.5 } as const
    expect(judgeLimits(bound, true), /^ok/)
    expect(judgeLimits(bound, false), /^warning: .*swap/)
    expect(
      judgeLimits({ ...bound, memory: 'free', cpus: undefined }, true),
      /^fault: .*limit of memory and of processors -> let the kernel/,
    )
    expect(judgeLimits({ ...bound, pids: 'free' }, true), /^fault: .*limit of processes/)
  })
  it('lets clocks differ by half a minute', () => {
    expect(judgeClock('the engine', 400), /^ok: .*agrees/)
    expect(judgeClock('the engine', -29_000), /^ok: .*29 s behind/)
    expect(judgeClock('the engine', 31_000), /^fault: .*31 s ahead of .*-> set both clocks/)
  })
  it('wants to write its records', () => {
    expect(judgeDataFolder({ path: '/data' }), /^ok/)
    expect(judgeDataFolder({ path: '/data', failure: 'EROFS' }), /^fault: .*\/data: EROFS ->/)
  })
})

describe('the doctor judges networks', () => {
  const pool = parseSubnetPool('10.213.0.0/24') as SubnetPool
  const subnet = (text: string): Subnet => parseSubnet(text) as Subnet
  const facts: PoolFacts = {
    pool,
    foreign: [],
    taken: 0,
    devices: ['br-1'],
    wanted: 8,
    routes: [],
    defaultPools: [],
  }
  const only = (more: Partial<PoolFacts>) => judgePool({ ...facts, ...more })[0]
  it('finds the networks and routes that overlap the pool, and a pool that is too small', () => {
    expect(only({}), /^ok: .*room for 16 workspaces$/)
    expect(only({ wanted: 17 }), /^fault: .*MAX_WORKSPACES and NETWORK_SPARES need 17/)
    expect(only({ wanted: undefined }), /^ok/)
    const foreign = [{ name: 'other', subnets: ['10.213.0.128/25'] }]
    expect(only({ foreign, taken: 8 }), /^warning: .*room for 8 .*other \(10\.213\.0\.128\/25\)/)
    expect(only({ foreign, taken: 9 }), /^fault: .*room for 7 /)
    const route = (text: string, device: string) => ({ subnet: subnet(text), device })
    expect(
      only({ routes: [route('10.0.0.0/8', 'tun0')] }),
      /^fault: .*10\.0\.0\.0\/8 by tun0 -> choose another NETWORK_POOL/,
    )
    expect(only({ routes: [route('10.213.0.0/28', 'br-1'), route('10.9.0.0/16', 'eth0')] }), /^ok/)
    expect(only({ defaultPools: ['10.213.0.0/16', '172.17.0.0/12'] }), /^warning: .*its own pool/)
  })
  it('tells a name that is not found from a container that is not reached', () => {
    const there = { name: 'a', expected: '10.0.0.2', resolved: '10.0.0.2', answered: true }
    expect(judgeNames({ ...there, error: undefined }), /^ok/)
    expect(
      judgeNames({ ...there, resolved: undefined, error: 'ENOTFOUND' }),
      /^fault: .*by its name a: ENOTFOUND -> .*127\.0\.0\.11/,
    )
    expect(
      judgeNames({ ...there, resolved: '9.9.9.9', error: undefined }),
      /^fault: .*leads to 9\.9\.9\.9, not/,
    )
    expect(
      judgeNames({ ...there, answered: false, error: 'timeout' }),
      /^fault: .*did not reach it: timeout -> let the firewall/,
    )
  })
  it('lets our own container have the port, and nobody else', () => {
    const wanted = { variable: 'BERTH_PORT', port: 4180 }
    const by = (isOurs: boolean) => [{ port: 4180, container: 'web', isOurs }]
    expect(judgePort(wanted, [], []), /^ok: 4180 is free/)
    expect(judgePort(wanted, [4180], by(true)), /^ok: 4180 is published by web/)
    expect(judgePort(wanted, [4180], by(false)), /^fault: .*the container web -> .*BERTH_PORT=5180/)
    expect(judgePort(wanted, [4180], []), /^fault: .*another program/)
  })
})

describe('the doctor judges the sign-in', () => {
  const issuer = 'https://id.example.com/realms/a'
  const answer: AskedUrl = {
    url: discoveryUrl(issuer),
    status: 200,
    date: 'Tue, 01 Jan 2030 10:00:00 GMT',
    issuer,
    sentAt: Date.UTC(2030, 0, 1, 10, 0, 0),
    receivedAt: Date.UTC(2030, 0, 1, 10, 0, 1),
  }
  const provider = (more: Partial<AskedUrl>, hasDiscovery = true) =>
    judgeProvider(issuer, { from: 'director', answers: [{ ...answer, ...more }] }, hasDiscovery)
  it('asks for the discovery document, and compares the issuer and the clock', () => {
    assert.deepEqual(
      provider({}).map(({ status }) => status),
      ['ok', 'ok'],
    )
    expect(provider({ status: 404 })[0], /^fault: .*status 404 -> .*has to be the issuer/)
    expect(provider({ issuer: `${issuer}/` })[0], /^fault: .*it is the issuer .*a\/ -> write/)
    expect(provider({ issuer: undefined })[0], /^fault: .*not a discovery document/)
    expect(provider({ date: 'Tue, 01 Jan 2030 09:50:00 GMT' })[1], /^fault: .*600 s behind/)
    expect(provider({ date: undefined })[1], /^nothing/)
    // A slow answer, made shortly before it arrived.
    const slow = { date: 'Tue, 01 Jan 2030 10:00:04 GMT', receivedAt: answer.sentAt + 5_000 }
    expect(provider(slow)[1], /^ok: .*agrees/)
    expect(provider({ ...slow, date: 'Tue, 01 Jan 2030 10:00:09 GMT' })[1], /^ok: .* 7 s ahead/)
    const bare = { url: issuer, issuer: undefined, status: 404 }
    expect(provider(bare, false)[0], /^ok/)
  })
  it('says why the provider is not reached, and from where', () => {
    const failing = (code: string) =>
      provider({ status: undefined, error: { code, message: `broken ${code}` } })[0]
    expect(failing('ENOTFOUND'), /^fault: .*from the director: broken ENOTFOUND -> .*DNS/)
    expect(failing('SELF_SIGNED_CERT_IN_CHAIN'), /^fault: .*-> give gateway and director/)
    expect(failing('ECONNREFUSED'), /^fault: .*-> see whether the provider runs/)
    expect(judgeProvider(issuer, { from: 'spawner', answers: [] }, true)[0], /^fault: .*no answer/)
  })

  const service = (role: string, running = true) => ({
    role,
    name: `berth-${role}-1`,
    running,
    health: running ? 'healthy' : undefined,
    environment: {},
  })
  it('wants the gateway to answer as soon as a service runs', () => {
    const url = 'http://gateway:4180/'
    const asked = (status: number | undefined) => ({ answers: [{ ...answer, url, status }] })
    const both = [service('gateway'), service('director')]
    expect(judgeGateway([], asked(undefined), url), /^ok: not asked/)
    expect(judgeGateway(both, asked(302), url), /^ok/)
    expect(judgeGateway(both, asked(502), url), /^fault: .*502 -> read docker compose logs/)
    expect(judgeGateway([service('director')], asked(undefined), url), /^fault: it does not run/)
    expect(judgeService(service('director')), /^ok/)
    expect(judgeService(service('director', false)), /^fault: .*does not run/)
    expect(judgeService({ ...service('director'), health: 'unhealthy' }), /^fault: .*is unhealthy/)
  })

  const strong = 'k3jH29fhQwPz7Lm4'.repeat(2)
  const known = (
    where: string,
    text: string | undefined,
    name = 'GATEWAY_SECRET',
  ): KnownSecret => ({
    name,
    where,
    secret: text === undefined ? undefined : new Secret(text),
    inFile: false,
  })
  it('judges secrets by length and kind, compares services, and never tells one', () => {
    const cases: readonly [readonly KnownSecret[], RegExp][] = [
      [[known('gateway', strong), known('director', strong)], /^ok: .*\(gateway, director\)/],
      // Under two names, as with Apache.
      [[known('gateway', strong), known('gateway', strong)], /^ok: .*\(gateway\)/],
      [[known('gateway', strong), known('director', `${strong}x`)], /^fault: .*gateway is another/],
      [[known('director', undefined)], /^fault: GATEWAY_SECRET is not set/],
      [[{ ...known('director', undefined), inFile: true }], /^ok: .*from a file/],
      [[known('director', 'short-k3jH')], /^fault: .*has 10 characters/],
      [[known('director', 'abababababababababab')], /^fault: .*repeats/],
      [[known('director', `change-me-${strong}`)], /^fault: .*a word for trying out/],
      [[known('spawner', undefined, 'API_TOKEN')], /^ok: .*need not be/],
      [[known('gateway', strong, 'OAUTH2_PROXY_COOKIE_SECRET')], /^ok/],
      [[known('gateway', `${strong}abc`, 'OAUTH2_PROXY_COOKIE_SECRET')], /^fault: .*16, 24 or 32/],
      [[known('gateway', 'tiny', 'OAUTH2_PROXY_CLIENT_SECRET')], /^ok/],
    ]
    for (const [all, wanted] of cases) {
      const [finding] = judgeSecrets(all)
      expect(finding, wanted)
      const text = findingsText(judgeSecrets(all)) + findingsJson(judgeSecrets(all))
      for (const { secret } of all)
        if (secret !== undefined) assert.equal(text.includes(secret.reveal()), false, text)
    }
  })
  it('takes the secrets of what runs, and of the environment file what no service tells', () => {
    const environment = { OAUTH2_PROXY_BASIC_AUTH_PASSWORD: strong, PATH: '/bin' }
    const services = [
      { ...service('gateway'), environment },
      { ...service('director', false), environment: { GATEWAY_SECRET: 'old' } },
    ]
    const host = { secrets: { GATEWAY_SECRET: 'file', OAUTH2_PROXY_COOKIE_SECRET: 'cookie' } }
    const all = knownSecrets({ INTERNAL_SECRET: strong, GATEWAY_SECRET: '' }, services, host)
    assert.deepEqual(
      all.map(({ name, where, secret }) => [name, where, secret?.reveal()]),
      [
        ['INTERNAL_SECRET', 'spawner', strong],
        ['GATEWAY_SECRET', 'gateway', strong],
        ['OAUTH2_PROXY_COOKIE_SECRET', 'the environment file', 'cookie'],
        ['OAUTH2_PROXY_CLIENT_SECRET', 'the environment file', undefined],
        ['API_TOKEN', 'the environment file', undefined],
      ],
    )
  })
  it('warns if others may read the environment file', () => {
    assert.deepEqual(judgeEnvironmentFile(undefined), [])
    expect(judgeEnvironmentFile({ path: '.env', mode: 0o600 })[0], /^ok/)
    expect(judgeEnvironmentFile({ path: '.env', mode: 0o644 })[0], /^warning: .*-> chmod 600 \.env/)
  })
})

describe('the doctor judges images, and reports', () => {
  it('tells an image that must be built from one that must be pulled', () => {
    const image = (name: string, state: Parameters<typeof judgeImage>[0]['state']) =>
      judgeImage({ template: 'lab', image: name, state })
    expect(image('a/b', 'present'), /^ok/)
    expect(image('a/b', 'pullable'), /^ok: .*first start/)
    expect(image('berth/b', { failure: 'not built' }), /^fault: .*-> build it/)
    expect(image('a/b', { failure: 'no access' }), /^fault: .*-> try docker pull a\/b/)
  })
  it('counts a fact that could not be gathered as a fault', () => {
    const [finding] = judged('names', { failure: 'took too long' }, () => ok('names', 'fine'))
    expect(finding, /^fault: could not be checked: took too long/)
  })
  it('writes one line for each finding, and fails for faults alone', () => {
    const all: readonly Finding[] = [
      ok('engine', 'fine'),
      { check: 'disk', status: 'warning', says: 'small.\nvery', remedy: 'grow' },
    ]
    assert.equal(isInOrder(all), true)
    assert.equal(
      findingsText(all),
      'ok       engine  fine\nWARNING  disk    small. very. To do: grow\n0 fault(s), 1 warning(s)\n',
    )
    const failing = [...all, { ...all[1], status: 'fault' } as Finding]
    assert.equal(isInOrder(failing), false)
    assert.equal((JSON.parse(findingsJson(failing)) as { ok: boolean }).ok, false)
    assert.match(findingsText(all.slice(0, 1)), /everything is in order\n$/)
  })
})
