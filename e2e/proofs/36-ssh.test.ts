// Proof 36: the same workspace by SSH, with OpenSSH's own client.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { asTheGateway, type GatewayLike } from '../clients/as-the-gateway.ts'
import type { Place } from '../clients/place.ts'
import { createSshClient, readableFolder, type SshClient } from '../clients/ssh.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { buildImage } from '../engine/image.ts'
import { inspected } from '../engine/belongings.ts'
import { run } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { freePorts } from '../run/free-ports.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

describe('proof 36: workspaces by SSH', () => {
  let berth: Deployment
  let director: Place
  let ssh: SshClient
  let keys: string
  const prefix = `h${process.pid.toString(36)}`
  const hostOf = (place: Place): string => ('host' in place ? place.host : '')
  const workspaceOf = (user: string) => `${prefix}-${user}`

  const templates = (group: string) => `
templates:
  shell:
    prefix: ${prefix}
    image: berth/hello
    port: 8080
    user: '1000:1000'
    mem_limit: 256m
    allow: { groups: [${group}] }
    route: { hosts: [shell.localhost] }
    idle: { freeze: 4s, stop: 5m }
    ssh: { method: exec, shell: /bin/bash }
  bare:
    prefix: b${prefix}
    image: berth/e2e-bare
    port: 8080
    user: '4711:4711'
    route: { hosts: [bare.localhost] }
    ssh: { method: exec }
  console:
    prefix: c${prefix}
    image: berth/hello
    port: 8080
    command: ['/bin/bash', '-c', 'node /opt/hello/src/main.ts >/dev/null 2>&1 & exec bash --norc -i']
    allow: { users: [eve, flo] }
    route: { hosts: [console.localhost] }
    seats: { concurrent: 3 }
    ssh: { method: attach }
  web:
    prefix: w${prefix}
    image: berth/hello
    port: 8080
    route: { hosts: [web.localhost] }
`

  const takeDown = takenDownAtTheEnd(async () => {
    await ssh?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
    await rm(keys, { recursive: true, force: true })
  })
  before(async () => {
    keys = await readableFolder()
    await buildImage('bare')
    berth = await deploy({
      name: 'ssh',
      templates: templates('staff'),
      moreComposeFiles: ['e2e/compose/ssh.yml'],
      settings: {
        SSH_PORT: '2222',
        SSH_KEYS_FOLDER: '/etc/berth/ssh-keys',
        KEYS_OF_PROOF: keys,
      },
    })
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    director = place
    ssh = await createSshClient(hostOf(place), 2222)
    for (const user of ['ann', 'bea', 'cid', 'dan', 'eve', 'flo'])
      await writeFile(join(keys, user), `${ssh.publicKey}\n`, { mode: 0o644 })
  })
  after(takeDown)

  const as = (user: string): GatewayLike =>
    asTheGateway(berth, director, user, { host: 'shell.localhost' })
  /** The gateway tells who they are. No workspace is started. */
  async function signInOnTheWeb(user: string): Promise<void> {
    const answer = await as(user).ask('/.berth/status')
    assert.equal(answer.status, 200, await answer.text())
  }
  const isFrozen = (user: string): Promise<unknown> =>
    eventually('it is frozen', 40_000, async () => {
      const { State } = await inspected(berth.engine, workspaceOf(user))
      return State.Status === 'paused'
    })
  async function processesOf(user: string): Promise<string> {
    return run('docker', ['top', workspaceOf(user), '-eo', 'pid,args'])
  }

  it('refuses a person who has not signed in on the web, and says where', async () => {
    const { code, stderr } = await ssh.run('ann+shell', 'true')
    assert.equal(code, 255)
    assert.match(stderr, /berth: Please sign in on the web first\. Sign in at http/)
  })

  it('holds a command during a cold start, and passes its exit code on', async () => {
    await signInOnTheWeb('ann')
    const { code, stdout, stderr } = await ssh.run('ann+shell', 'echo "$((6 * 7))"; id -u; exit 42')
    assert.equal(stdout.toString(), '42\n1000\n', stderr)
    assert.equal(code, 42)
    const { State } = await inspected(berth.engine, workspaceOf('ann'))
    assert.equal(State.Running, true)
  })

  it('has a person at a terminal choose among several workspaces, in 40 columns', async () => {
    using session = ssh.begin('ann', [], { columns: 40, rows: 12 })
    const menu = await session.until(/q leaves/)
    assert.match(menu, /Which workspace\?\r\n> 1 {2}shell: running\r\n {2}2 {2}bare\r\n/)
    session.type('\u001B[B')
    await session.until(/> 2 {2}bare/)
    session.type('\u001B[A\r')
    await session.until(/\$ /)
    session.type('hostname; exit 3\n')
    assert.equal(await session.ended, 3)
    using left = ssh.begin('ann', [], { columns: 80, rows: 24 })
    await left.until(/q leaves/)
    left.type('q')
    assert.equal(await left.ended, 130)
    const command = await ssh.run('ann', 'true')
    assert.equal(command.code, 255)
    assert.match(command.stderr, /sign in as ann\+shell, ann\+bare/)
  })

  it('attaches several people to the first process, who see the same', async () => {
    await signInOnTheWeb('eve')
    await signInOnTheWeb('flo')
    using one = ssh.begin('eve+console', [], { columns: 90, rows: 25 })
    one.type('\n')
    await one.until(/\$ /)
    using two = ssh.begin('flo+console', [], { columns: 90, rows: 25 })
    two.type('\n')
    await two.until(/\$ /)
    one.type('echo $((40 + 2)) "$$"\n')
    await one.until(/42 \d+\r/)
    await two.until(/42 \d+\r/)
    one.child.kill('SIGKILL')
    two.type('echo still $((50 + 5))\n')
    await two.until(/still 55/)
    const files = await ssh.run('flo+console', 'id -un')
    assert.equal(files.code, 0, files.stderr)
  })

  it('signs nobody in with another key, or with a password', async () => {
    await using stranger = await createSshClient(hostOf(director), 2222)
    const refused = await stranger.run('ann', 'true')
    assert.equal(refused.code, 255)
    assert.match(refused.stderr, /Permission denied \(publickey\)/)
    assert.match((await ssh.run('../ann', 'true')).stderr, /Permission denied/)
    assert.match((await ssh.run('nobody', 'true')).stderr, /Permission denied/)
  })

  it('passes 10 MiB on unchanged, each way and both ways at once', async () => {
    const bytes = randomBytes(10 * 1024 ** 2)
    const digest = createHash('sha256').update(bytes).digest('hex')
    const up = await ssh.run('ann+shell', 'sha256sum', { input: bytes })
    assert.equal(up.stdout.toString().split(' ')[0], digest)
    const both = await ssh.run('ann+shell', 'cat', { input: bytes })
    assert.equal(both.code, 0)
    assert.equal(createHash('sha256').update(both.stdout).digest('hex'), digest)
  })

  it('keeps output and errors apart, 8 MiB of both at once', async () => {
    const command =
      'head -c 8388608 /dev/zero | tr "\\0" o & head -c 8388608 /dev/zero | tr "\\0" e >&2 & wait'
    const { code, stdout, stderr } = await ssh.run('ann+shell', command)
    assert.equal(code, 0)
    assert.ok(stdout.equals(Buffer.alloc(8 * 1024 ** 2, 'o')))
    assert.ok(stderr.includes('e'.repeat(8 * 1024 ** 2)))
  })

  it('has a terminal of the right size, also after it has changed', async () => {
    const session = ssh.begin('ann+shell', [], { columns: 123, rows: 45 })
    const device = await session.terminalDevice()
    session.type('stty size\n')
    await session.until(/45 123/)
    session.type('echo "$TERM" $(tty)\n')
    await session.until(/\/dev\/pts\/\d+\r?\n[^]*\/dev\/pts\/\d+/)
    await run('stty', ['-F', device, 'rows', '11', 'cols', '99'])
    await eventually('the size arrives', 20_000, async () => {
      session.type('stty size\n')
      return /11 99/.test(session.text())
    })
    session.type('exit 7\n')
    assert.equal(await session.ended, 7)
  })

  it('shows a person at a terminal how far the start is', async () => {
    await signInOnTheWeb('bea')
    const session = ssh.begin('bea+shell', [], { columns: 80, rows: 24 })
    session.type('echo it is "here"; exit\n')
    await session.until(/it is here/)
    // A short start shows no phase; the line of one that was shown is gone.
    assert.match(session.text(), /\r\u001B\[K[^…]*\$ /)
    assert.equal(await session.ended, 0)
  })

  it('ends everything in a session whose client was killed', async () => {
    const session = ssh.begin('ann+shell', ['sleep 4711 & sleep 4711'])
    await eventually('the process runs', 30_000, async () =>
      (await processesOf('ann')).includes('sleep 4711'),
    )
    session.child.kill('SIGKILL')
    await session.ended
    await eventually(
      'the process is gone',
      30_000,
      async () => !(await processesOf('ann')).includes('sleep 4711'),
    )
  })

  it('wakes a frozen workspace with what is typed, and keeps the session', async () => {
    const session = ssh.begin('ann+shell', ['cat'])
    session.type('one\n')
    await session.until(/one/)
    await isFrozen('ann')
    session.type('two\n')
    await session.until(/two/)
    session.child.stdin?.end()
    assert.equal(await session.ended, 0)
  })

  it('wakes a frozen workspace by a forwarded connection, -W and -D', async () => {
    const request = Buffer.from('GET / HTTP/1.0\r\n\r\n')
    await isFrozen('ann')
    const args = ['-F', ssh.config, '-W', 'localhost:8080', 'ann+shell@berth']
    const through = await ssh.tool('ssh', args, { input: request })
    assert.match(through.stdout.toString(), /^HTTP\/1\.1 200/, through.stderr)
    const [port = 0] = await freePorts(1)
    using proxy = ssh.open('ann+shell', ['-v', '-N', '-D', `127.0.0.1:${port}`])
    await proxy.until(/Local forwarding listening on 127\.0\.0\.1 port/)
    await isFrozen('ann')
    const socks = [
      '--socks5-hostname',
      `127.0.0.1:${port}`,
      '--max-time',
      '40',
      '-s',
      '-o',
      '/dev/null',
    ]
    const page = await ssh.tool('curl', [...socks, '-w', '%{http_code}', 'http://localhost:8080/'])
    assert.equal(page.stdout.toString(), '200', page.stderr)
    const elsewhere = await ssh.tool('curl', [...socks, 'http://169.254.169.254/'])
    assert.notEqual(elsewhere.code, 0)
  })

  it('leaves nothing behind when a client is killed while it copies, and then copies as before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-ssh-cut-'))
    const file = join(folder, 'file')
    await writeFile(file, randomBytes(8 * 1024 ** 2))
    // 800 kbit/s: the copy takes more than a minute.
    using copy = ssh.program('scp', [
      '-l',
      '800',
      '-F',
      ssh.config,
      file,
      'ann+shell@berth:/tmp/cut',
    ])
    const serves = async () => (await processesOf('ann')).includes('sftp-server')
    await eventually('the copy has begun', 30_000, serves)
    copy.child.kill('SIGKILL')
    await eventually('its server is gone', 30_000, async () => !(await serves()))
    const again = await ssh.tool('scp', ['-F', ssh.config, file, 'ann+shell@berth:/tmp/cut'])
    assert.equal(again.code, 0, again.stderr)
    const { stdout } = await ssh.run('ann+shell', 'stat -c %s /tmp/cut; rm /tmp/cut')
    assert.equal(stdout.toString(), `${8 * 1024 ** 2}\n`)
    await rm(folder, { recursive: true })
  })

  it('reaches a template only if it says so, and only the person’s own', async () => {
    const web = await ssh.run('ann+web', 'true')
    assert.equal(web.code, 255)
    assert.match(web.stderr, /web is reached in a browser only/)
    assert.match((await ssh.run('ann+nothing', 'true')).stderr, /There is no template nothing/)
    const unclear = await ssh.run('ann', 'true')
    assert.match(unclear.stderr, /Say which workspace you mean: sign in as ann\+shell, ann\+bare/)
  })

  describe('with the programs that people use', () => {
    const bytes = randomBytes(3 * 1024 ** 2 + 1)
    let here: string
    before(async () => {
      here = await mkdtemp(join(tmpdir(), 'berth-ssh-files-'))
      await writeFile(join(here, 'file'), bytes)
    })
    after(() => rm(here, { recursive: true, force: true }))
    const same = async (name: string) => assert.ok((await readFile(join(here, name))).equals(bytes))

    it('copies files by sftp, scp, scp -O and rsync, both ways', async () => {
      const ways: readonly (readonly [string, readonly string[], string])[] = [
        ['scp', ['-F', ssh.config], 'scp'],
        ['scp', ['-O', '-F', ssh.config], 'old-scp'],
        ['rsync', ['-e', `ssh -F ${ssh.config}`], 'rsync'],
      ]
      for (const [program, options, name] of ways) {
        const there = `ann+shell@berth:${name}`
        const up = await ssh.tool(program, [...options, join(here, 'file'), there])
        assert.equal(up.code, 0, `${name}: ${up.stderr}`)
        const down = await ssh.tool(program, [...options, there, join(here, name)])
        assert.equal(down.code, 0, `${name}: ${down.stderr}`)
        await same(name)
      }
      const batch = `put ${here}/file by-sftp\nls -l\nget by-sftp ${here}/sftp\n`
      const sftp = await ssh.tool('sftp', ['-F', ssh.config, '-b', '-', 'ann+shell@berth'], {
        input: Buffer.from(batch),
      })
      assert.equal(sftp.code, 0, sftp.stderr)
      await same('sftp')
    })

    it('copies files to an image with nothing but one static program, and has a shell there', async () => {
      await signInOnTheWeb('ann')
      const uname = await ssh.run('ann+bare', 'id -u; ls /httpd')
      assert.equal(uname.stdout.toString(), '4711\n/httpd\n', uname.stderr)
      const options = ['-F', ssh.config]
      const up = await ssh.tool('scp', [
        ...options,
        join(here, 'file'),
        'ann+bare@berth:/dev/shm/f',
      ])
      assert.equal(up.code, 0, up.stderr)
      const down = await ssh.tool('scp', [
        ...options,
        'ann+bare@berth:/dev/shm/f',
        join(here, 'bare'),
      ])
      assert.equal(down.code, 0, down.stderr)
      await same('bare')
    })

    it('leads into the person’s own workspace: -W, -L to what only its loopback address serves, and -R', async () => {
      const request = Buffer.from('GET / HTTP/1.0\r\n\r\n')
      const through = await ssh.tool(
        'ssh',
        ['-F', ssh.config, '-W', 'localhost:8080', 'ann+shell@berth'],
        {
          input: request,
        },
      )
      assert.match(through.stdout.toString(), /^HTTP\/1\.1 200/, through.stderr)
      const serve =
        'setsid /.berth/bin/socat TCP4-LISTEN:9000,bind=127.0.0.1,fork EXEC:"echo only here" >/dev/null 2>&1 </dev/null & ' +
        'setsid /.berth/bin/socat UNIX-LISTEN:/tmp/app.sock,fork EXEC:"echo by socket" >/dev/null 2>&1 </dev/null &'
      await ssh.run('ann+shell', serve)
      const local = join(here, 'local.sock')
      const remote = join(here, 'remote.sock')
      using forwarding = ssh.open('ann+shell', [
        ...['-v', '-N', '-o', 'ExitOnForwardFailure=yes', '-L', `${local}:localhost:9000`],
        ...['-L', `${remote}:/tmp/app.sock`, '-R', '0:localhost:9'],
      ])
      const [, port = ''] =
        /Allocated port (\d+) for remote/.exec(
          await forwarding.until(/Allocated port \d+ for remote/),
        ) ?? []
      const read = async (socket: string): Promise<string> =>
        (await ssh.tool('socat', ['-u', `UNIX-CONNECT:${socket}`, '-'])).stdout.toString()
      await eventually('the port at loopback answers', 20_000, async () =>
        (await read(local)).includes('only here'),
      )
      assert.equal(await read(remote), 'by socket\n')
      const back = ssh.begin('ann+shell', [`/.berth/bin/socat - TCP4:127.0.0.1:${port}`])
      await forwarding.until(/connect_next: .*port 9|forwarded-tcpip/)
      back.child.kill('SIGKILL')
    })

    it('refuses to lead elsewhere, and logs it', async () => {
      for (const to of ['spawner:8081', `${workspaceOf('bea')}:8080`, '169.254.169.254:80']) {
        const refused = await ssh.tool('ssh', ['-F', ssh.config, '-W', to, 'ann+shell@berth'])
        assert.notEqual(refused.code, 0)
        assert.equal(refused.stdout.length, 0)
        assert.match(
          await berth.logs('director'),
          new RegExp(`"wanted":"${to}".*ssh forwarding refused`),
        )
      }
    })

    it('carries twenty sessions in one connection, and changes its keys meanwhile', async () => {
      const control = join(here, 'control')
      const options = ['-o', `ControlPath=${control}`]
      using master = ssh.open('ann+shell', [...options, '-v', '-N', '-M', '-o', 'RekeyLimit=1M'])
      await master.until(/Entering interactive session|pledge: /)
      const done = await Promise.all(
        Array.from({ length: 20 }, (_, number) =>
          ssh.run('ann+shell', `head -c 1048576 /dev/zero; exit ${number}`, { args: options }),
        ),
      )
      assert.deepEqual(
        done.map(({ code, stdout }) => [code, stdout.length]),
        done.map((_, number) => [number, 1024 ** 2]),
      )
      assert.match(master.text(), /SSH2_MSG_KEXINIT received[^]*SSH2_MSG_KEXINIT received/)
    })

    it('is one seat by SSH and in the browser', async () => {
      using first = ssh.open('ann+shell', ['-T'])
      first.type('echo one$((1))\n')
      await first.until(/one1/)
      assert.equal((await as('ann').ask('/')).status, 200)
      const ids = await run('docker', ['ps', '--quiet', '--filter', `name=^${workspaceOf('ann')}$`])
      assert.equal(ids.trim().split('\n').length, 1)
    })
  })

  it('asks at each login whether the person may use the template', async () => {
    await berth.writeTemplates(templates('nobody-at-all'))
    await eventually('the file is read', 30_000, async () => {
      const { code, stderr } = await ssh.run('ann+shell', 'true')
      return code === 255 && /You have no access to this/.test(stderr)
    })
    await berth.writeTemplates(templates('staff'))
    await eventually(
      'the file is read',
      30_000,
      async () => (await ssh.run('ann+shell', 'true')).code === 0,
    )
  })

  it('reads a keys file when it has changed', async () => {
    await writeFile(join(keys, 'ann'), `from="192.0.2.0/24" ${ssh.publicKey}\n`)
    assert.match((await ssh.run('ann+shell', 'true')).stderr, /Permission denied/)
    await writeFile(join(keys, 'ann'), `restrict ${ssh.publicKey}\n`)
    const { stderr } = await ssh.run('ann+shell', 'true', { args: ['-tt'] })
    assert.match(stderr, /PTY allocation request failed/)
    assert.equal((await ssh.run('ann+shell', 'true')).code, 0)
    const through = await ssh.tool('ssh', [
      ...['-F', ssh.config, '-W', 'localhost:8080', 'ann+shell@berth'],
    ])
    assert.match(through.stderr, /forwarding failed/)
  })

  it('keeps its host key and the sign-ins when the services are made anew', async () => {
    await berth.compose('up', '--detach', '--wait', '--no-build', '--force-recreate', 'director')
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    // The address may be another one: the key of the host is compared by it.
    const log = await berth.logs('director')
    const prints = [...log.matchAll(/"fingerprint":"(SHA256:[^"]+)"/g)].map(([, print]) => print)
    assert.equal(prints.length, 2)
    await using again = await createSshClient(hostOf(place), 2222)
    await writeFile(join(keys, 'ann'), `${again.publicKey}\n`)
    const { code, stderr } = await again.run('ann+shell', 'true', { args: ['-v'] })
    assert.equal(code, 0, stderr)
    assert.ok(
      prints.some((print) => print !== undefined && stderr.includes(print)),
      stderr.slice(0, 3_000),
    )
  })
})
