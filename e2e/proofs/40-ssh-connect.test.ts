// Proof 40: sessions that go to an SSH server in the workspace: OpenSSH's own, with OpenSSH's own clients.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createApi } from '../clients/api.ts'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import type { Place } from '../clients/place.ts'
import { createSshClient, readableFolder, type SshClient } from '../clients/ssh.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected } from '../engine/belongings.ts'
import { buildImage } from '../engine/image.ts'
import { peakMemoryBytes } from '../engine/peak-memory.ts'
import { run } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

const mib = 1024 ** 2

describe('proof 40: an SSH server in the workspace', () => {
  let berth: Deployment
  let director: Place
  let ssh: SshClient
  let keys: string
  let here: string
  const prefix = `s${process.pid.toString(36)}`
  const workspaceOf = (user: string) => `${prefix}-${user}`

  const templates = `
x-server: &server
  image: berth/e2e-sshd
  mem_limit: 256m
  allow: { users: [ann, bea] }
templates:
  shell:
    <<: *server
    prefix: ${prefix}
    kind: ssh
    user: '1000:1000'
    environment: { SSHD_PORT: '2200' }
    ssh: { method: connect, user: dev, port: 2200 }
  calm:
    <<: *server
    prefix: c${prefix}
    kind: ssh
    idle: { freeze: 4s, stop: 5m }
    user: '1000:1000'
    ssh: { method: connect, user: dev }
  rooted:
    <<: *server
    prefix: r${prefix}
    port: 8080
    cap_add: [SYS_CHROOT, AUDIT_WRITE]
    route: { hosts: [rooted.localhost] }
    ssh: { method: connect, user: dev }
`

  const takeDown = takenDownAtTheEnd(async () => {
    await ssh?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
    for (const folder of [keys, here]) await rm(folder, { recursive: true, force: true })
  })
  before(async () => {
    keys = await readableFolder()
    here = await mkdtemp(join(tmpdir(), 'berth-ssh-connect-'))
    await buildImage('sshd')
    berth = await deploy({
      name: 'connect',
      templates,
      moreComposeFiles: ['e2e/compose/ssh.yml'],
      settings: {
        SSH_PORT: '2222',
        SSH_KEYS_FOLDER: '/etc/berth/ssh-keys',
        KEYS_OF_PROOF: keys,
        API_TOKEN: 'a-token-of-the-tests-alone',
      },
    })
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    director = place
    ssh = await createSshClient('host' in place ? place.host : '', 2222)
    for (const user of ['ann', 'bea', 'mal']) {
      await writeFile(join(keys, user), `${ssh.publicKey}\n`, { mode: 0o644 })
      const person = asTheGateway(berth, director, user, { host: 'rooted.localhost' })
      // The gateway tells who they are. No workspace is started.
      await person.ask('/.berth/status')
    }
  })
  after(takeDown)

  const inContainer = (user: string, command: string): Promise<string> =>
    run('docker', ['exec', workspaceOf(user), 'sh', '-c', command])
  const logged = (role: 'director' | 'spawner', line: RegExp) =>
    eventually(`the ${role} logs it`, 10_000, async () => line.test(await berth.logs(role)))
  const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

  it('holds a command during a cold start, and tells its exit code and the signal that ended it', async () => {
    const { code, stdout, stderr } = await ssh.run('ann+shell', 'id -un; echo "$PPID"; exit 42')
    assert.match(stdout.toString(), /^dev\n\d+\n$/, stderr)
    assert.equal(code, 42)
    assert.equal((await ssh.run('ann+shell', 'true', { args: ['-n'] })).code, 0)
    const killed = await ssh.run('ann+shell', 'kill -TERM $$', { args: ['-v'] })
    assert.equal(killed.code, 255)
    assert.match(killed.stderr, /rtype exit-signal/)
    await logged('director', /"signal":"TERM".*ssh session ended/)
  })

  it('refuses a person without access', async () => {
    const { code, stderr } = await ssh.run('mal+shell', 'true')
    assert.equal(code, 255)
    assert.match(stderr, /You have no access to this/)
  })

  it('has a terminal of the right size and with the modes of the client, also after a change', async () => {
    const session = ssh.begin('ann+shell', [], { columns: 123, rows: 45 })
    const device = await session.terminalDevice()
    session.type('stty size; stty -a | tr " ;" "\\n" | grep -x -e iutf8 -e -iutf8\n')
    await session.until(/45 123\r?\n[^]*-?iutf8/)
    await run('stty', ['-F', device, 'rows', '11', 'cols', '99'])
    await eventually('the size arrives', 20_000, async () => {
      session.type('stty size\n')
      return /11 99/.test(session.text())
    })
    session.type('exit 7\n')
    assert.equal(await session.ended, 7)
  })

  it('passes what a client sets on, and 20 MiB each way and on both outputs at once', async () => {
    const set = await ssh.run('ann+shell', 'echo "$LC_BERTH"', {
      args: ['-o', 'SetEnv=LC_BERTH=here'],
    })
    assert.equal(set.stdout.toString(), 'here\n')
    const bytes = randomBytes(20 * mib)
    const both = await ssh.run('ann+shell', 'tee /tmp/both; sha256sum /tmp/both >&2', {
      input: bytes,
    })
    assert.equal(digestOf(both.stdout), digestOf(bytes))
    assert.match(both.stderr, new RegExp(digestOf(bytes)))
    const fill = (letter: string) => `head -c ${20 * mib} /dev/zero | tr "\\0" ${letter}`
    const outputs = await ssh.run('ann+shell', `${fill('o')} & ${fill('e')} >&2 & wait; exit 3`)
    assert.equal(outputs.code, 3)
    assert.ok(outputs.stdout.equals(Buffer.alloc(20 * mib, 'o')))
    assert.ok(outputs.stderr.includes('e'.repeat(20 * mib)))
  })

  it('copies files by sftp, scp, scp -O and rsync, both ways', async () => {
    const bytes = randomBytes(3 * mib + 1)
    await writeFile(join(here, 'file'), bytes)
    const same = async (name: string) =>
      assert.ok((await readFile(join(here, name))).equals(bytes), name)
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

  it('forwards connections into the workspace by -L, and by -L to its loopback address', async () => {
    const [byName, byLoopback] = [join(here, 'name.sock'), join(here, 'loopback.sock')]
    using forwarding = ssh.open('ann+shell', [
      ...['-v', '-N', '-o', 'ExitOnForwardFailure=yes'],
      ...['-L', `${byName}:${workspaceOf('ann')}:8080`, '-L', `${byLoopback}:127.0.0.1:8080`],
    ])
    await forwarding.until(/Entering interactive session|pledge: /)
    for (const socket of [byName, byLoopback]) {
      const page = await ssh.tool('curl', [
        '-s',
        '-i',
        '--unix-socket',
        socket,
        'http://localhost/',
      ])
      assert.match(page.stdout.toString(), /^HTTP\/1\.[01] 404/, page.stderr)
    }
  })

  it('carries twenty sessions in one connection: no server drops one of them', async () => {
    const options = ['-o', `ControlPath=${join(here, 'control')}`]
    using master = ssh.open('ann+shell', [...options, '-v', '-N', '-M'])
    await master.until(/Entering interactive session|pledge: /)
    const done = await Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        ssh.run('ann+shell', `exit ${number}`, { args: options }),
      ),
    )
    assert.deepEqual(
      done.map(({ code }) => code),
      done.map((_, number) => number),
    )
  })

  it('ends what runs for a client that was killed, also if it ignores the first signal', async () => {
    const session = ssh.begin('ann+shell', ['trap "" HUP; echo there; sleep 4712; sleep 4713'])
    await session.until(/there/)
    session.child.kill('SIGKILL')
    await eventually('the processes are gone', 30_000, async () => {
      const left = await run('docker', ['top', workspaceOf('ann'), '-eo', 'pid,args'])
      return !/sleep 471/.test(left)
    })
  })

  it('wakes a frozen workspace with what is typed, and ends there what was left meanwhile', async () => {
    const name = `c${workspaceOf('bea')}`
    const frozen = () =>
      eventually('it is frozen', 40_000, async () => {
        const { State } = await inspected(berth.engine, name)
        return State.Status === 'paused'
      })
    const session = ssh.begin('bea+calm', ['cat'])
    const left = ssh.begin('bea+calm', ['echo there; sleep 4714'])
    session.type('one\n')
    await Promise.all([session.until(/one/), left.until(/there/)])
    await frozen()
    left.child.kill('SIGKILL')
    await left.ended
    session.type('two\n')
    await session.until(/two/)
    session.child.stdin?.end()
    assert.equal(await session.ended, 0)
    await eventually('what was left is gone', 30_000, async () => {
      const there = await run('docker', ['top', name, '-eo', 'pid,args'])
      return !/sleep 4714/.test(there)
    })
  })

  it('hazard: a client never reads: the director holds the server back, in bounded memory', async () => {
    const [service] = await berth.services('director')
    assert.ok(service)
    const before = await peakMemoryBytes(berth.engine, service.Id)
    // One byte of errors for each MiB of output: for these, ssh2 opens its window.
    const flood = 'while head -c 1048576 /dev/zero; do echo . >&2; echo >> /tmp/flood; done'
    const client = spawn('ssh', ['-F', ssh.config, '-l', 'ann+shell', 'berth', flood], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = once(client, 'close')
    let [last, times] = ['', 0]
    await eventually('the server is held back', 60_000, async () => {
      const now = await inContainer('ann', 'wc -l < /tmp/flood 2>/dev/null || echo 0')
      times = now === last && Number(now) > 0 ? times + 1 : 0
      last = now
      return times === 10
    })
    const grown = (await peakMemoryBytes(berth.engine, service.Id)) - before
    client.kill('SIGKILL')
    await ended
    assert.ok(Number(last) < 40, `${last} MiB were taken from the server`)
    assert.ok(grown < 48 * mib, `${Math.round(grown / mib)} MiB more`)
  })

  it('keeps a session while the spawner is made anew', async () => {
    const session = ssh.begin('ann+shell', ['cat'])
    session.type('one\n')
    await session.until(/one/)
    await berth.compose('restart', 'spawner')
    session.type('two\n')
    await session.until(/two/)
    session.child.stdin?.end()
    assert.equal(await session.ended, 0)
    // Until its directors have found it again, a session may still be refused.
    await eventually(
      'the next session begins',
      30_000,
      async () => (await ssh.run('ann+shell', 'true')).code === 0,
    )
  })

  it('hazard: the server has another key: it is refused until an administrator has the old one forgotten', async () => {
    await inContainer(
      'ann',
      'rm /tmp/sshd/*; kill "$(pgrep -o -x sshd)"; until [ -e /tmp/sshd/key.pub ]; do :; done',
    )
    const refused = await ssh.run('ann+shell', 'true')
    assert.equal(refused.code, 255)
    assert.match(
      refused.stderr,
      /^berth: The SSH server of the workspace has another key\. It was SHA256:\S+ when the server was seen first, and is SHA256:\S+ now\. .*restart the workspace/m,
    )
    await logged('spawner', /ssh host key of a workspace has changed/)
    const api = await createApi(berth)
    const path = `/api/v1/admin/workspaces/${workspaceOf('ann')}/host-key`
    assert.equal((await api.call('DELETE', path)).status, 200)
    assert.equal((await ssh.run('ann+shell', 'true')).code, 0)
  })

  it('accepts the key of a new container', async () => {
    const api = await createApi(berth)
    const before = await inContainer('ann', 'cat /tmp/sshd/key.pub')
    await api.call('POST', `/api/v1/workspaces/${workspaceOf('ann')}/restart`)
    await eventually('a new container is there', 40_000, async () => {
      const { code } = await ssh.run('ann+shell', 'true')
      return code === 0 && (await inContainer('ann', 'cat /tmp/sshd/key.pub')) !== before
    })
  })

  it('signs in at a server that root has started, too', async () => {
    const { code, stdout, stderr } = await ssh.run('bea+rooted', 'id -un; exit 5')
    assert.equal(stdout.toString(), 'dev\n', stderr)
    assert.equal(code, 5)
    using session = ssh.begin('bea+rooted', [], { columns: 70, rows: 20 })
    await session.until(/\$ /)
    session.type('stty size; echo x > /.berth/ssh/authorized_keys\n')
    await session.until(/20 70[^]*Read-only file system/)
    session.type('exit\n')
    await session.ended
  })
})
