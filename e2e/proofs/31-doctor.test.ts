// Proof 31: the doctor finds what is wrong with a deployment: each fault is really made, and leads to its line.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { composeEnvironment } from '../deployment/environment.ts'
import type { Settings } from '../deployment/templates.ts'
import { openAlteredEngine } from '../engine/altered-engine.ts'
import { networksOf, servicesOf } from '../engine/belongings.ts'
import { attempt, run } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { surroundings } from '../run/surroundings.ts'

interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warning' | 'fault'
  readonly says: string
  readonly remedy?: string
}

const templates = `
templates:
  missing: { image: berth/never-built, port: 8080, route: { hosts: [missing.localhost] } }
  absent: { image: 127.0.0.1:9/nobody/nothing, port: 8080, route: { hosts: [absent.localhost] } }
`

describe('proof 31: the doctor', () => {
  let berth: Deployment
  const overlapping = `proof31-${process.pid}`
  const outputs: string[] = []
  const takeDown = takenDownAtTheEnd(async () => {
    await attempt('docker', ['network', 'rm', '--force', overlapping])
    await berth?.[Symbol.asyncDispose]()
  })
  before(async () => {
    berth = await deploy({ name: 'doctor' })
  })
  after(takeDown)

  const asDoctor = (...options: string[]) => [
    'run',
    '--rm',
    '--no-TTY',
    ...options,
    'spawner',
    'doctor',
  ]

  async function examined(
    changes: Settings,
    { options = [], args = [] }: { options?: string[]; args?: string[] } = {},
  ): Promise<{ code: number; findings: readonly Finding[] }> {
    const all = [...asDoctor(...options), '--json', ...args]
    const { code, stdout, stderr } = await berth.tryCompose(changes, ...all)
    outputs.push(stdout, stderr)
    // Compose prints before it what it builds.
    const [json] = /^\{\n[^]*/m.exec(stdout) ?? []
    assert.ok(json, stdout + stderr)
    const { ok, findings } = JSON.parse(json) as { ok: boolean; findings: Finding[] }
    assert.equal(code, ok ? 0 : 1)
    return { code, findings }
  }
  const of = (findings: readonly Finding[], check: string) =>
    findings.filter((finding) => finding.check === check)
  const faultOf = (findings: readonly Finding[], check: string, says: RegExp): void => {
    const faults = of(findings, check).filter(({ status }) => status === 'fault')
    assert.ok(
      faults.some((fault) => says.test(fault.says) && (fault.remedy ?? '') !== ''),
      `${check} ${says.source}\n${JSON.stringify(findings, undefined, 2)}`,
    )
  }
  const nothingIsLeft = async (): Promise<void> => {
    assert.deepEqual(await servicesOf(berth.engine, berth.instance, 'doctor'), [])
    const networks = await networksOf(berth.engine, berth.instance)
    assert.deepEqual(
      networks.filter(({ Labels }) => Labels['berth.role'] === 'doctor'),
      [],
    )
  }

  it('finds a deployment in order, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await berth.tryCompose({}, ...asDoctor())
    outputs.push(stdout, stderr)
    assert.equal(code, 0, stdout + stderr)
    for (const line of [
      /^ok +settings +the settings are in order$/m,
      /^ok +socket +the engine answers/m,
      /^ok +engine +Docker Engine \d+/m,
      /^ok +disk +.* free$/m,
      /^ok +records +\/data can be written$/m,
      /^ok +limits +a container was held to its limits/m,
      /^ok +pool +NETWORK_POOL .* has room for \d+ workspaces$/m,
      /^ok +names +a container finds and reaches another one by its name$/m,
      /^ok +ports +\d+ is published by /m,
      /^ok +gateway +it answers/m,
      /^ok +provider +http:\/\/idp\.localhost:\d+ answers from the director$/m,
      /^ok +clock +the clock of the provider agrees/m,
      /^ok +secrets +GATEWAY_SECRET is set \(gateway, director\)$/m,
      /^ok +images +berth\/hello of the template /m,
    ])
      assert.match(stdout, line)
    assert.doesNotMatch(stdout, /^FAULT/m)
    await nothingIsLeft()
  })

  it('says the same to npm run doctor, which also looks at the environment file', async () => {
    await berth.compose('ps')
    const file = String(berth.settings['BERTH_ENV_FILE'])
    const env = { ...composeEnvironment(berth.engine), BERTH_ENV_FILE: file }
    const options = { env, cwd: surroundings.root, withinMs: 120_000 }
    const script = [join(surroundings.root, 'scripts/doctor.mjs')]
    const good = await attempt(process.execPath, script, options)
    outputs.push(good.stdout, good.stderr)
    assert.equal(good.code, 0, good.stdout + good.stderr)
    assert.match(good.stdout, /^ok +secrets +only its owner reads /m)
    await run('chmod', ['644', file])
    const open = await attempt(process.execPath, script, options)
    await run('chmod', ['600', file])
    assert.match(open.stdout, /^WARNING +secrets +others may read .* To do: chmod 600 /m)
  })

  it('finds an engine that this user may not use', async () => {
    const { findings } = await examined({}, { options: ['--user', '65534'] })
    faultOf(findings, 'socket', /EACCES.*this process is user 65534/)
    assert.deepEqual(of(findings, 'engine'), [])
  })

  it('finds a full disk, a pool that overlaps, a port that is taken and images that are not there', async () => {
    const pool = String(berth.settings['NETWORK_POOL'])
    const [, first] = /^(\d+\.\d+\.\d+)\.\d+\//.exec(pool) ?? []
    await run('docker', ['network', 'create', '--subnet', `${first}.128/25`, overlapping])
    await using server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await berth.writeTemplates(templates)
    const changes = {
      BERTH_PORT: String(port),
      TEMPLATES_FILE: '/etc/berth/templates.yml',
      MAX_WORKSPACES: '8',
      COMPOSE_PROFILES: 'edge',
      EDGE_HTTPS_PORT: String(port),
    }
    const { findings } = await examined(changes, { args: ['--min-disk', '900t'] })
    await run('docker', ['network', 'rm', overlapping])
    faultOf(findings, 'disk', /less than 900 TiB/)
    const pools = JSON.stringify(of(findings, 'pool'))
    assert.match(pools, new RegExp(`"(warning|fault)".*${overlapping} \\(${first}\\.128/25\\)`))
    faultOf(findings, 'ports', new RegExp(`^${port} is taken by another program`))
    const taken = of(findings, 'ports').flatMap(({ remedy = [] }) => remedy)
    assert.match(taken.join('\n'), /another port: BERTH_PORT=[^]*another port: EDGE_HTTPS_PORT=/)
    faultOf(findings, 'images', /berth\/never-built .*has not been built/)
    faultOf(findings, 'images', /127\.0\.0\.1:9\/nobody\/nothing .*cannot be reached/)
    await nothingIsLeft()
  })

  it('finds a pool that is the network of a route, and settings that are wrong', async () => {
    const routes = await run('docker', [
      'run',
      '--rm',
      '--network',
      'host',
      'berth/hello',
      'cat',
      '/proc/net/route',
    ])
    // The first network of this machine that is not of the engine, as a pool of /24 in it.
    const line = routes
      .split('\n')
      .find((one) => /^(?!br-|docker|lo)\S+\t(?!0{8})[0-9A-F]{8}\t/.test(one))
    const bytes =
      /^\S+\t(..)(..)(..)(..)/
        .exec(line ?? '')
        ?.slice(1)
        .reverse() ?? []
    assert.equal(bytes.length, 4, `this machine has no network: ${routes}`)
    const pool = `${bytes
      .slice(0, 3)
      .map((byte) => Number.parseInt(byte, 16))
      .join('.')}.0/24`
    const { findings } = await examined({ NETWORK_POOL: pool, MAX_STARTING: 'lots' })
    faultOf(findings, 'pool', /overlaps a network that this machine reaches/)
    faultOf(findings, 'settings', /MAX_STARTING "lots" must be/)
  })

  it('finds a provider that is not reached, is not the issuer, or has another time', async () => {
    const gone = 'http://idp.localhost:9999'
    const unreachable = await examined({ OAUTH2_PROXY_OIDC_ISSUER_URL: gone })
    faultOf(unreachable.findings, 'provider', /is not reached from the director: .*ECONNREFUSED/)
    const unknown = await examined({ OAUTH2_PROXY_OIDC_ISSUER_URL: 'http://nowhere.invalid' })
    faultOf(unknown.findings, 'provider', /ENOTFOUND/)
    const slash = `${String(berth.settings['OAUTH2_PROXY_OIDC_ISSUER_URL'])}/`
    const wrong = await examined({ OAUTH2_PROXY_OIDC_ISSUER_URL: slash })
    faultOf(wrong.findings, 'provider', /says that it is the issuer/)

    const [director] = await berth.services('director')
    const gateway = director?.NetworkSettings.Networks[`${berth.instance}-front`]?.Gateway ?? ''
    let issuer = ''
    await using provider = createServer((_, answer) => {
      const date = new Date(Date.now() - 600_000).toUTCString()
      answer.writeHead(200, { date, 'content-type': 'application/json' })
      answer.end(JSON.stringify({ issuer }))
    }).listen(0, gateway)
    await once(provider, 'listening')
    issuer = `http://${gateway}:${(provider.address() as AddressInfo).port}`
    const late = await examined({ OAUTH2_PROXY_OIDC_ISSUER_URL: issuer })
    faultOf(late.findings, 'clock', /^the clock of the provider is (599|60\d) s behind/)
    assert.equal(of(late.findings, 'provider')[0]?.status, 'ok')
  })

  it('finds an engine that is too old, keeps nobody to a limit, finds no names, and has another time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'proof31-'))
    const DOCKER_SOCKET = join(folder, 'docker.sock')
    const limits = ['Memory', 'MemorySwap', 'PidsLimit', 'NanoCpus']
    await using stack = new AsyncDisposableStack()
    const altered = await openAlteredEngine(DOCKER_SOCKET, berth.engine.socketPath, {
      answers: {
        '/version': (told) => ({ ...told, Version: '24.0.9' }),
        '/info': (told) => ({
          ...told,
          DriverStatus: [['Supports d_type', 'false']],
          SystemTime: new Date(Date.now() + 600_000).toISOString(),
        }),
      },
      creates({ HostConfig, ...body }) {
        const host = Object.entries(HostConfig as object).filter(([name]) => !limits.includes(name))
        // The container that asks for another one by its name has no network.
        const isAsking = JSON.stringify(body['Cmd']).includes('dns/promises')
        const network = isAsking ? { NetworkMode: 'none' } : {}
        return { ...body, HostConfig: { ...Object.fromEntries(host), ...network } }
      },
    })
    stack.use(altered)
    stack.defer(() => rm(folder, { recursive: true }))
    const { findings } = await examined({ DOCKER_SOCKET })
    faultOf(findings, 'engine', /Docker Engine 24\.0\.9/)
    faultOf(findings, 'storage', /on a file system without d_type/)
    faultOf(findings, 'clock', /^the clock of the engine is (599|60\d) s ahead/)
    faultOf(
      findings,
      'limits',
      /not held to its limit of memory and of processes and of processors/,
    )
    faultOf(findings, 'names', /did not find another one by its name/)
    await nothingIsLeft()
  })

  it('finds a socket that is none, records that cannot be written, too little memory, and weak secrets', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'proof31-'))
    const none = await examined({ DOCKER_SOCKET: folder })
    faultOf(none.findings, 'socket', /It is not a socket/)
    const changes = {
      MAX_MEMORY: '900t',
      CONTAINER_MEMORY: '800t',
    }
    // The root of the container is read-only.
    const options = ['--env', 'DATA_DIR=/etc']
    const { findings } = await examined(changes, { options })
    await rm(folder, { recursive: true })
    faultOf(findings, 'records', /nothing can be written to \/etc: EROFS/)
    faultOf(findings, 'memory', /and MAX_MEMORY is 900 TiB/)
    const withoutBound = await examined({ ...changes, MAX_MEMORY: '' })
    faultOf(withoutBound.findings, 'memory', /and one workspace may use 800 TiB/)
    const weak = await examined({ INTERNAL_SECRET: 'short' })
    faultOf(weak.findings, 'settings', /INTERNAL_SECRET/)
    faultOf(
      weak.findings,
      'secrets',
      /^INTERNAL_SECRET of spawner is another one than that of director/,
    )
  })

  it('finds a gateway that does not run, and a director with another secret', async () => {
    const other = { GATEWAY_SECRET: `${berth.gatewaySecret.slice(1)}x` }
    const up = ['up', '--detach', '--no-build', '--no-deps', '--wait', 'director']
    assert.equal((await berth.tryCompose(other, ...up)).code, 0)
    const differing = await examined({})
    faultOf(differing.findings, 'secrets', /^GATEWAY_SECRET of .* is another one than that of/)
    await berth.compose('stop', 'gateway')
    const { findings } = await examined({})
    faultOf(findings, 'gateway', /^it does not run/)
    faultOf(findings, 'services', /gateway.* does not run/)
    await berth.reconfigure({})
  })

  it('removes what it made when it is interrupted', async () => {
    await berth.compose('ps')
    const started = await berth.compose(...asDoctor('--detach'))
    const id = started.trim().split('\n').at(-1) ?? ''
    try {
      await eventually('the doctor has made something', 30_000, async () => {
        const made = await servicesOf(berth.engine, berth.instance, 'doctor')
        return made.length > 0
      })
      await run('docker', ['kill', '--signal', 'INT', id])
      const code = (await run('docker', ['wait', id])).trim()
      assert.equal(code, '130')
    } finally {
      await attempt('docker', ['rm', '--force', id])
    }
    await nothingIsLeft()
  })

  it('never says a secret', () => {
    const secrets = Object.entries(berth.settings).filter(([name]) => /SECRET/.test(name))
    assert.ok(secrets.length >= 4)
    for (const [name, value] of secrets)
      assert.equal(outputs.join('\n').includes(value), false, `${name} was printed`)
  })
})
