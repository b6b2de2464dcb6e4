// Proof 44: hostile clients of SSH. The memory of the director stays bound, and people are served by HTTP meanwhile. And:
// what a killed client, director or spawner leaves behind.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import ssh2, { type Client } from 'ssh2'
import { asTheGateway, type GatewayLike } from '../clients/as-the-gateway.ts'
import type { Place } from '../clients/place.ts'
import {
  ended,
  mutatePackets,
  openSession,
  protocolOf,
  sent,
  signedIn,
  stopReading,
} from '../clients/ssh-library.ts'
import { createSshClient, readableFolder, type SshClient } from '../clients/ssh.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { killProcess, restarted } from '../deployment/kill.ts'
import { inspected } from '../engine/belongings.ts'
import { peakMemoryBytes } from '../engine/peak-memory.ts'
import { attempt, run } from '../run/command.ts'
import { eventually, letPass, within } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

const mostMemory = 400 * 1024 ** 2
const wholeWindow = 2 ** 32 - 1

describe('proof 44: hostile clients of SSH', () => {
  let berth: Deployment
  let director: Place
  let host = ''
  let ssh: SshClient
  let privateKey: Buffer
  let keys: string
  let here: string
  const prefix = `lab${process.pid.toString(36)}`
  const workspaceOf = (user: string) => `${prefix}-${user}`

  const templates = `
templates:
  lab:
    prefix: ${prefix}
    image: berth/hello
    port: 8080
    user: '1000:1000'
    mem_limit: 512m
    allow: { groups: [staff] }
    route: { hosts: [lab.localhost] }
    ssh: { method: exec, shell: /bin/bash }
`

  const takeDown = takenDownAtTheEnd(async () => {
    await ssh?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
    for (const folder of [keys, here]) await rm(folder, { recursive: true, force: true })
  })
  before(async () => {
    keys = await readableFolder()
    here = await mkdtemp(join(tmpdir(), 'berth-ssh-hostile-'))
    berth = await deploy({
      name: 'sshhostile',
      templates,
      portal: true,
      moreComposeFiles: ['e2e/compose/ssh.yml'],
      settings: {
        SSH_PORT: '2222',
        SSH_KEYS_FOLDER: '/etc/berth/ssh-keys',
        KEYS_OF_PROOF: keys,
      },
    })
    await findDirector()
    for (const user of ['ann', 'bea', 'cid']) {
      await writeFile(join(keys, user), `${ssh.publicKey}\n`, { mode: 0o644 })
      assert.equal((await as(user).ask('/')).status, 200)
    }
  })
  after(takeDown)

  /** After it was killed, it may have another address. */
  async function findDirector(): Promise<void> {
    const [place] = await berth.directorPlaces()
    assert.ok(place && 'host' in place)
    director = place
    host = place.host
    const known = ssh
    ssh = await createSshClient(host, 2222)
    await known?.[Symbol.asyncDispose]()
    privateKey = await readFile(ssh.privateKey)
    for (const user of known === undefined ? [] : ['ann', 'bea', 'cid'])
      await writeFile(join(keys, user), `${ssh.publicKey}\n`, { mode: 0o644 })
  }

  const as = (user: string, groups = 'staff'): GatewayLike =>
    asTheGateway(berth, director, user, { host: 'lab.localhost', groups })
  const library = (username = 'ann'): Promise<Client> => signedIn({ host, username, privateKey })
  async function memory(): Promise<number> {
    const [service] = await berth.services('director')
    return peakMemoryBytes(berth.engine, service?.Id ?? '')
  }

  /** By a process of its own: the hostile clients keep this one busy. @returns how many milliseconds it took */
  async function askedByAnother(): Promise<number> {
    const { host: name } = new URL(berth.siteAt('lab.localhost').origin)
    const headers = {
      host: name,
      'berth-gateway-secret': berth.gatewaySecret,
      'x-forwarded-preferred-username': 'bea',
      'x-forwarded-user': 'u-bea',
      'x-forwarded-groups': 'staff',
    }
    const said = await run('curl', [
      ...['--silent', '--output', '/dev/null', '--max-time', '30'],
      ...['--write-out', '%{http_code} %{time_total}'],
      ...Object.entries(headers).flatMap(([header, value]) => ['--header', `${header}: ${value}`]),
      `http://${host}:${'port' in director ? director.port : 0}/`,
    ])
    const [status, seconds] = said.split(' ')
    assert.equal(status, '200')
    return Number(seconds) * 1_000
  }

  /** A person is served by HTTP while a client is hostile, and the director keeps little. */
  async function isServedDuring(test: TestContext, attack: () => Promise<unknown>): Promise<void> {
    const took: number[] = []
    let isOver = false
    const person = (async () => {
      while (!isOver) {
        took.push(await askedByAnother())
        await letPass(50)
      }
    })()
    try {
      await attack()
    } finally {
      isOver = true
      await person
    }
    took.sort((one, other) => one - other)
    const at = (share: number) => Math.round(took[Math.floor((took.length - 1) * share)] ?? 0)
    const bytes = await memory()
    const megabytes = Math.round(bytes / 1024 ** 2)
    test.diagnostic(
      `${took.length} requests: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms; at most ${megabytes} MiB so far`,
    )
    assert.ok(at(0.95) < 2_000, `95 % of the requests took ${at(0.95)} ms`)
    assert.ok(bytes < mostMemory, `the director had ${megabytes} MiB`)
  }
  async function isWell(): Promise<void> {
    const { code, stdout, stderr } = await ssh.run('ann', 'echo well')
    assert.deepEqual([code, stdout.toString()], [0, 'well\n'], stderr)
  }

  /** A connection that is refused is closed at once. */
  async function opened(): Promise<Socket> {
    const socket = connect({ host, port: 2222 })
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.on('error', () => resolve()).on('connect', () => resolve())
    await within(20_000, 'the port answers', promise)
    return socket
  }

  it('10,000 connections that are silent, say half a banner, or anything else', async (test) => {
    const said = [
      '',
      'SSH-2.0-half',
      'SSH-2.0-probe\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      `SSH-2.0-${'x'.repeat(70_000)}`,
      Buffer.concat([Buffer.from('SSH-2.0-probe\r\n'), Buffer.alloc(4, 0xff), randomBytes(9_000)]),
    ]
    await isServedDuring(test, async () => {
      for (let batch = 0; batch < 20; batch += 1) {
        const sockets = await Promise.all(Array.from({ length: 500 }, opened))
        for (const [at, socket] of sockets.entries()) socket.write(said[at % said.length] ?? '')
        await letPass(200)
        for (const socket of sockets) socket.destroy()
      }
    })
    await isWell()
  })

  it('1,000 wrong keys, and the question without an answer', async (test) => {
    const wrong = Array.from(
      { length: 6 },
      () => ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private,
    )
    /** @returns how many were tried */
    async function tries(): Promise<number> {
      const client = new ssh2.Client()
      let tried = 0
      client.on('error', () => undefined)
      client.connect({
        host,
        port: 2222,
        username: 'ann',
        readyTimeout: 60_000,
        authHandler: (_left, _partial, next) => {
          const key = wrong[tried]
          if (key === undefined) return next(false as never)
          tried += 1
          next({ type: 'publickey', username: 'ann', key })
        },
      })
      await ended(client)
      return tried
    }
    async function asks(): Promise<void> {
      const client = new ssh2.Client()
      client.on('error', () => undefined)
      client.connect({ host, port: 2222, username: 'ann', tryKeyboard: true, readyTimeout: 60_000 })
      await Promise.race([once(client, 'keyboard-interactive'), ended(client)]).catch(
        () => undefined,
      )
      client.destroy()
    }
    let tried = 0
    await isServedDuring(test, async () => {
      while (tried < 1_000)
        for (const count of await Promise.all(Array.from({ length: 32 }, tries))) tried += count
      for (let round = 0; round < 4; round += 1) await Promise.all(Array.from({ length: 32 }, asks))
    })
    await isWell()
  })

  it('windows of 4 GiB that are never read', async (test) => {
    await isServedDuring(test, async () => {
      const clients = await Promise.all(Array.from({ length: 4 }, () => library()))
      for (const client of clients) {
        for (let each = 0; each < 4; each += 1) {
          const { id } = await openSession(client, { window: wholeWindow })
          protocolOf(client).exec(id, 'cat /dev/zero', false)
        }
        stopReading(client)
      }
      await letPass(5_000)
      for (const client of clients) client.destroy()
    })
    await isWell()
  })

  it('an exchange of keys that does not end while output comes', async (test) => {
    await isServedDuring(test, async () => {
      const client = await library()
      const { id } = await openSession(client, { window: wholeWindow })
      protocolOf(client).exec(id, 'cat /dev/zero', false)
      protocolOf(client).rekey()
      stopReading(client)
      await letPass(5_000)
      client.destroy()
      const other = await library()
      const end = ended(other)
      other.on('handshake', () => setImmediate(() => protocolOf(other).rekey()))
      protocolOf(other).rekey()
      await within(30_000, 'its connection ends', end)
    })
    await isWell()
  })

  it('floods of channels', async (test) => {
    await isServedDuring(test, async () => {
      const client = await library()
      const protocol = protocolOf(client)
      for (let at = 0; at < 20_000; at += 1) {
        protocol.session(at, wholeWindow, 32_768)
        if (at % 50 === 0) await sent(client)
      }
      client.destroy()
      const forwarder = await library()
      const refused = Array.from(
        { length: 2_000 },
        () =>
          new Promise((resolve) =>
            forwarder.forwardOut('127.0.0.1', 1, 'spawner', 8081, (error) => resolve(error)),
          ),
      )
      for (const error of await within(60_000, 'all are refused', Promise.all(refused)))
        assert.ok(error instanceof Error)
      forwarder.destroy()
    })
    await isWell()
  })

  it('floods of requests without a reply, and of single bytes', async (test) => {
    await isServedDuring(test, async () => {
      const other = await library()
      const { id } = await openSession(other)
      protocolOf(other).pty(id, 24, 80, 0, 0, 'xterm', null, false)
      protocolOf(other).exec(id, 'trap "" INT; sleep 60', false)
      for (let at = 0; at < 15_000; at += 1) {
        protocolOf(other).env(id, `LC_${at}`, 'x'.repeat(1_000), false)
        protocolOf(other).windowChange(id, at % 500, 80, 0, 0)
        protocolOf(other).signal(id, 'INT')
        protocolOf(other).channelData(id, Buffer.from('x'))
        if (at % 20 === 0) await sent(other)
      }
      await isWell()
      other.destroy()
    })
    const left = await processesOf('ann')
    assert.ok(left.split('\n').length < 60, left)
  })

  it('real traffic with changed bytes, before keys are exchanged and after', async (test) => {
    const random = seeded(44)
    const recorded = await record()
    assert.ok(recorded.length > 500)
    await isServedDuring(test, async () => {
      for (let round = 0; round < 25; round += 1)
        await Promise.all(
          Array.from({ length: 16 }, async () => {
            const bytes = Buffer.from(recorded)
            for (let change = 0; change <= random(6); change += 1)
              bytes[random(bytes.length)] = random(256)
            const socket = await opened()
            socket.resume()
            socket.end(bytes.subarray(0, 1 + random(bytes.length)))
            const closed = new Promise((resolve) => void socket.once('close', resolve))
            await Promise.race([closed, letPass(2_000)])
            socket.destroy()
          }),
        )
      for (let round = 0; round < 8; round += 1)
        await Promise.all(
          Array.from({ length: 8 }, async () => {
            const client = new ssh2.Client()
            client.on('error', () => undefined)
            client.on('ready', () => {
              mutatePackets(client, random)
              client.exec('cat', (error, channel) => {
                if (error === undefined) channel.write('here')
              })
              client.sftp(() => undefined)
              client.forwardOut('127.0.0.1', 1, 'localhost', 8080, () => undefined)
              client.forwardIn('localhost', 0, () => undefined)
              client.shell(() => undefined)
            })
            client.connect({ host, port: 2222, username: 'ann', privateKey, readyTimeout: 60_000 })
            await Promise.race([ended(client), letPass(1_500)])
            client.destroy()
          }),
        )
    })
    await isWell()
    const [service] = await berth.services('director')
    assert.equal(service?.RestartCount, 0)
  })

  /** @returns what OpenSSH's client sends for one command */
  async function record(): Promise<Buffer> {
    const sent: Buffer[] = []
    const relay = createServer((near) => {
      const far = connect({ host, port: 2222 })
      for (const socket of [near, far]) socket.on('error', () => undefined)
      near.on('data', (chunk: Buffer) => sent.push(chunk))
      near.pipe(far).pipe(near)
    })
    relay.listen(0, '127.0.0.1')
    await once(relay, 'listening')
    const { port } = relay.address() as AddressInfo
    const there = ['HostName=127.0.0.1', `Port=${port}`, 'UserKnownHostsFile=/dev/null']
    const options = there.flatMap((option) => ['-o', option])
    const done = await ssh.tool('ssh', [...options, '-F', ssh.config, 'ann@relay', 'true'])
    assert.equal(done.code, 0, done.stderr)
    relay.close()
    return Buffer.concat(sent)
  }

  it('forwarding leads to no service, no engine, no other person, no link-local address, and not to the director', async () => {
    const [spawner] = await berth.services('spawner')
    const [own] = await berth.services('director')
    const addressOf = (name: string): string =>
      Object.values((name === 'spawner' ? spawner : own)?.NetworkSettings.Networks ?? {})[0]
        ?.IPAddress ?? ''
    const { NetworkSettings } = await inspected(berth.engine, workspaceOf('bea'))
    const [network] = Object.values(NetworkSettings.Networks)
    for (const to of [
      'spawner:8081',
      `${addressOf('spawner')}:8081`,
      'director:8080',
      `${addressOf('director')}:9090`,
      `${workspaceOf('bea')}:8080`,
      `${network?.IPAddress}:8080`,
      `${network?.Gateway}:2375`,
      '169.254.169.254:80',
      '0.0.0.0:9090',
      '127.0.0.2:9090',
      '[::ffff:127.0.0.1]:9090',
    ]) {
      const refused = await ssh.tool('ssh', ['-F', ssh.config, '-W', to, 'ann@berth'])
      assert.notEqual(refused.code, 0, to)
      assert.equal(refused.stdout.length, 0, to)
      assert.match(refused.stderr, /forwarding failed|open failed/, to)
    }
    // Its own loopback address is that of the workspace: nothing of the director listens there.
    const loopback = await ssh.tool('ssh', ['-F', ssh.config, '-W', 'localhost:9090', 'ann@berth'])
    assert.notEqual(loopback.code, 0)
  })

  it('the key of a person who has left the group opens no session any more, on an open connection either', async () => {
    assert.equal((await ssh.run('cid', 'true')).code, 0)
    const control = join(here, 'control')
    using master = ssh.open('cid', ['-v', '-N', '-M', '-o', `ControlPath=${control}`])
    await master.until(/Entering interactive session|pledge: /)
    const args = ['-o', `ControlPath=${control}`]
    assert.equal((await ssh.run('cid', 'true', { args })).code, 0)
    // What the provider says of them by now.
    await (await as('cid', 'others').ask('/.berth/status')).text()
    for (const options of [[], args]) {
      const refused = await ssh.run('cid', 'true', { args: options })
      assert.equal(refused.code, 255)
      assert.match(refused.stderr, /You have no access to this/)
    }
    const through = await ssh.tool('ssh', ['-F', ssh.config, '-W', 'localhost:8080', 'cid@berth'])
    assert.notEqual(through.code, 0)
  })

  const processesOf = (user: string): Promise<string> =>
    run('docker', ['top', workspaceOf(user), '-eo', 'pid,args'])

  for (const killed of ['client', 'director', 'spawner'] as const)
    it(`kill -9 of the ${killed} within a copy of 100 MiB leaves nothing running, and the next session works`, async (test) => {
      const file = join(here, 'big')
      await writeFile(file, randomBytes(100 * 1024 ** 2))
      const options = ['-F', ssh.config]
      // 80 Mbit/s: ten seconds.
      using copy = ssh.program('scp', [...options, '-l', '80000', file, 'ann@berth:/tmp/big'])
      using silent = ssh.begin('ann', ['trap "" HUP; sleep 4731; sleep 4731'])
      using typed = ssh.begin('ann', [], { columns: 80, rows: 24 })
      typed.type('sleep 4732\n')
      const marks = ['sftp-server', 'sleep 4731', 'sleep 4732']
      await eventually('all run', 30_000, async () => {
        const present = await processesOf('ann')
        return marks.every((mark) => present.includes(mark))
      })
      const size = async () =>
        (await attempt('docker', ['exec', workspaceOf('ann'), 'stat', '-c', '%s', '/tmp/big']))
          .stdout
      await eventually('some of it has arrived', 30_000, async () => Number(await size()) > 2 ** 20)
      const clients = [copy, silent, typed]
      const began = performance.now()
      if (killed === 'client') for (const { child } of clients) child.kill('SIGKILL')
      else await killProcess(berth, killed)
      const codes = await within(
        60_000,
        'the clients end',
        Promise.all(clients.map((each) => each.ended)),
      )
      const endedAfter = performance.now() - began
      if (killed === 'spawner') assert.deepEqual(codes.slice(1), [255, 255])
      if (killed !== 'client') await restarted(berth, killed)
      await eventually('nothing of them is left', 60_000, async () => {
        const present = await processesOf('ann')
        return !marks.some((mark) => present.includes(mark))
      })
      const cleanAfter = performance.now() - began
      if (killed === 'director') {
        await findDirector()
        await (await as('ann').ask('/.berth/status')).text()
      }
      await eventually('a session begins', 60_000, async () => {
        const { code } = await ssh.run('ann', 'true')
        return code === 0
      })
      const seconds = (ms: number) => (ms / 1000).toFixed(1)
      test.diagnostic(
        `clients ended after ${seconds(endedAfter)} s, nothing was left after ${seconds(cleanAfter)} s, a session worked after ${seconds(performance.now() - began)} s`,
      )
      const next = join(here, 'next')
      await writeFile(next, randomBytes(1024 ** 2))
      const again = await ssh.tool('scp', ['-F', ssh.config, next, 'ann@berth:/tmp/big'])
      assert.equal(again.code, 0, again.stderr)
      assert.equal(await size(), `${1024 ** 2}\n`)
      await ssh.run('ann', 'rm /tmp/big')
    })
})

/** Whole numbers below a bound, the same in each run. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
