// Proof 43: SSH with clients of many kinds: Ansible, Paramiko, git, jump hosts, and what editors do.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Client, ClientChannel } from 'ssh2'
import { asTheGateway, type GatewayLike } from '../clients/as-the-gateway.ts'
import type { Place } from '../clients/place.ts'
import { openSession, protocolOf, signedIn } from '../clients/ssh-library.ts'
import { createSshClient, readableFolder, type SshClient } from '../clients/ssh.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected } from '../engine/belongings.ts'
import { buildImage } from '../engine/image.ts'
import { run } from '../run/command.ts'
import { eventually, letPass, within } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { surroundings } from '../run/surroundings.ts'

describe('proof 43: clients of many kinds by SSH', () => {
  let berth: Deployment
  let director: Place
  let host = ''
  let ssh: SshClient
  let keys: string
  let here: string
  /** Held since the beginning of the proof. */
  let coldStarts: readonly Promise<Finished>[] = []
  const own = process.pid.toString(36)
  const prefixes = { dev: `dev${own}`, small: `small${own}`, bare: `bare${own}` }
  const workspaceOf = (user: string, template: keyof typeof prefixes = 'dev') =>
    `${prefixes[template]}-${user}`

  const templates = `
x-lab: &lab
  image: berth/e2e-development
  port: 8080
  mem_limit: 512m
  ssh: { method: exec, shell: /bin/bash }
templates:
  dev:
    <<: *lab
    prefix: ${prefixes.dev}
    route: { hosts: [dev.localhost] }
    idle: { freeze: 4s, stop: 5m }
  small:
    <<: *lab
    image: berth/e2e-busybox
    prefix: ${prefixes.small}
    user: '1000:1000'
    environment: { HOME: /dev/shm }
    route: { hosts: [small.localhost] }
    ssh: { method: exec }
  bare:
    <<: *lab
    image: berth/e2e-bare
    prefix: ${prefixes.bare}
    user: '4711:4711'
    environment: { HOME: /dev/shm }
    route: { hosts: [bare.localhost] }
    ssh: { method: exec }
  slow:
    <<: *lab
    prefix: slow${own}
    command: [/bin/sh, -c, 'sleep 90; exec node /opt/hello/src/main.ts']
    ready: { timeout: 4m }
    route: { hosts: [slow.localhost] }
  brief:
    <<: *lab
    prefix: brief${own}
    lifetime: { max: 75s }
    route: { hosts: [brief.localhost] }
`

  const takeDown = takenDownAtTheEnd(async () => {
    await ssh?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
    for (const folder of [keys, here]) await rm(folder, { recursive: true, force: true })
  })
  before(async () => {
    keys = await readableFolder()
    here = await mkdtemp(join(tmpdir(), 'berth-ssh-clients-'))
    for (const image of ['bare', 'busybox', 'development']) await buildImage(image)
    berth = await deploy({
      name: 'sshclients',
      templates,
      moreComposeFiles: ['e2e/compose/ssh.yml'],
      settings: {
        SSH_PORT: '2222',
        SSH_KEYS_FOLDER: '/etc/berth/ssh-keys',
        KEYS_OF_PROOF: keys,
        MAX_STARTING: '4',
      },
    })
    const [place] = await berth.directorPlaces()
    assert.ok(place && 'host' in place)
    director = place
    host = place.host
    ssh = await createSshClient(host, 2222)
    for (const user of ['ann', 'bea', 'cid']) {
      await writeFile(join(keys, user), `${ssh.publicKey}\n`, { mode: 0o644 })
      const answer = await as(user).ask('/.berth/status')
      assert.equal(answer.status, 200, await answer.text())
    }
    // A client that reads nothing, and one whose input is empty.
    coldStarts = [['-n'], []].map((options) => finished('cid+slow', options, 'cat; echo here'))
    // Their failure is seen where they are awaited.
    for (const start of coldStarts) start.catch(() => undefined)
  })
  after(takeDown)

  const as = (user: string): GatewayLike =>
    asTheGateway(berth, director, user, { host: 'dev.localhost' })

  interface Finished {
    readonly code: number
    readonly text: string
  }
  /** With an input that is empty from the beginning. */
  async function finished(
    name: string,
    options: readonly string[],
    command: string,
  ): Promise<Finished> {
    const args = ['-q', '-F', ssh.config, '-l', name, ...options, host, command]
    const child = spawn('ssh', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    const hear = (chunk: Buffer): void => void (text += chunk.toString())
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    const [code] = (await within(170_000, `ssh ${command} ends`, once(child, 'close'))) as [number]
    return { code, text }
  }
  const isFrozen = async (user: string): Promise<boolean> => {
    const { State } = await inspected(berth.engine, workspaceOf(user))
    return State.Status === 'paused'
  }
  const freezes = (user: string): Promise<unknown> =>
    eventually('it is frozen', 40_000, () => isFrozen(user))
  const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

  /** The library that editors are built on. */
  const library = async (username: string): Promise<Client> =>
    signedIn({ host, username, privateKey: await readFile(ssh.privateKey) })

  it('Ansible gathers facts, runs commands, and copies many files by each of its ways', async () => {
    const playbook = `
- hosts: lab
  gather_facts: true
  tasks:
    - assert: { that: "ansible_facts.user_id == 'hello'" }
    - command: echo {{ item }}
      loop: "{{ range(1, 4) | list }}"
      register: said
    - assert: { that: "said.results | map(attribute='stdout') | list == ['1', '2', '3']" }
    - copy: { content: "{{ 'x' * 100000 }}", dest: ansible-file, mode: '0600' }
    - stat: { path: ansible-file, checksum_algorithm: sha256 }
      register: copied
    - assert: { that: "copied.stat.checksum == ('x' * 100000) | hash('sha256') and copied.stat.mode == '0600'" }
    - fetch: { src: ansible-file, dest: fetched, flat: true }
    - command: /bin/false
      register: failing
      failed_when: failing.rc != 1
`
    // The login is in the configuration of ssh: from `ansible_user`, Ansible makes the home `~bea+dev`.
    const hosts = ['sftp', 'scp', 'piped', 'busybox', 'static']
    const templateOf: Readonly<Record<string, string>> = { busybox: 'small', static: 'bare' }
    const config = join(here, 'ansible.conf')
    const logins = hosts.map((name) => `Host ${name}\n  User bea+${templateOf[name] ?? 'dev'}\n`)
    await writeFile(config, logins.join('') + (await readFile(ssh.config, 'utf8')))
    const ways = hosts.slice(0, 3).map((way) => `${way} ansible_ssh_transfer_method=${way}\n`)
    const inventory = `[lab]\n${ways.join('')}[tiny]\nbusybox\nstatic\n[tiny:vars]\nansible_shell_executable=/bin/sh\n`
    // Of an image without Python, what needs none.
    const raw = `
- hosts: tiny
  gather_facts: false
  tasks:
    - raw: /.berth/bin/busybox | head -n 1
      register: said
    - assert: { that: "'BusyBox' in said.stdout" }
`
    await writeFile(join(here, 'playbook.yml'), playbook + raw)
    await writeFile(join(here, 'inventory'), inventory)
    const done = await ssh.tool(
      join(surroundings.ansible, 'ansible-playbook'),
      ['-i', join(here, 'inventory'), join(here, 'playbook.yml')],
      {
        withinMs: 120_000,
        env: {
          HOME: here,
          ANSIBLE_SSH_ARGS: `-F ${config} -o ControlMaster=auto -o ControlPersist=5s`,
          ANSIBLE_PIPELINING: '0',
          ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
          ANSIBLE_NOCOLOR: '1',
        },
      },
    )
    assert.equal(done.code, 0, done.stdout.toString().slice(-6_000) + done.stderr)
    assert.ok((await readFile(join(here, 'fetched'))).equals(Buffer.alloc(100_000, 'x')))
  })

  it('Paramiko has twenty sessions on one connection, files, a terminal, a tunnel, and new keys', async () => {
    const script = join(import.meta.dirname, '../clients/python/use-paramiko.py')
    const words = [script, host, '2222', 'bea+dev', ssh.privateKey]
    const done = await ssh.tool(join(surroundings.ansible, 'python'), words)
    assert.equal(done.code, 0, done.stderr)
    assert.deepEqual(JSON.parse(done.stdout.toString()), {
      sessions: true,
      streams: ['from here\ndone\n', 'failed\n', 3],
      files: [true, ['first', 'link', 'renamed'], '0o640'],
      missing: true,
      terminal: 5,
      tunnel: 'HTTP/1.1 200 OK',
      elsewhere: 'refused',
    })
  })

  it('git clones and pushes, with the version of the protocol that it prefers', async () => {
    const made = 'git init -q --bare -b main project.git; git config --global safe.directory "*"'
    assert.equal((await ssh.run('bea+dev', made)).code, 0)
    const clone = join(here, 'clone')
    const env = {
      GIT_SSH_COMMAND: `ssh -F ${ssh.config}`,
      GIT_TRACE_PACKET: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
    }
    const git = async (...args: string[]) => {
      const done = await ssh.tool('git', args, { env })
      assert.equal(done.code, 0, done.stderr)
      return done.stderr
    }
    const from = 'bea+dev@berth:project.git'
    await git('clone', '-q', from, clone)
    await writeFile(join(clone, 'big'), randomBytes(5 * 1024 ** 2))
    const author = ['-c', 'user.name=Bea', '-c', 'user.email=bea@example.com']
    await git('-C', clone, 'checkout', '-q', '-b', 'main')
    await git('-C', clone, 'add', '.')
    await git('-C', clone, ...author, 'commit', '-q', '-m', 'A big file')
    await git('-C', clone, 'push', '-q', 'origin', 'main')
    const trace = await git('clone', '-q', from, join(here, 'again'))
    // The server answers in version 2 only if GIT_PROTOCOL arrives.
    assert.match(trace, /clone< version 2/)
    const [one, two] = await Promise.all(
      ['clone', 'again'].map((name) => readFile(join(here, name, 'big'))),
    )
    assert.ok(one && two?.equals(one))
  })

  it('ssh jumps to a server of SSH inside the workspace', async () => {
    const serve = [
      'mkdir -p -m 700 .ssh own',
      `echo '${ssh.publicKey}' > .ssh/authorized_keys`,
      'ssh-keygen -q -t ed25519 -N "" -f own/key',
      'printf "ListenAddress 127.0.0.1:2200\\nHostKey $HOME/own/key\\nPidFile none\\nStrictModes no\\nUsePAM no\\n" > own/conf',
      'setsid /usr/sbin/sshd -f own/conf -E $HOME/own/log',
    ].join('\n')
    const begun = await ssh.run('bea+dev', serve)
    assert.equal(begun.code, 0, begun.stderr)
    const config = join(here, 'jump')
    const inner = 'Host inner\n  HostName localhost\n  Port 2200\n  User hello\n'
    await writeFile(config, inner + (await readFile(ssh.config, 'utf8')))
    const options = ['-F', config, '-J', 'bea+dev@berth', 'inner']
    const jumped = await ssh.tool('ssh', [...options, 'echo "$SSH_CONNECTION"; exit 6'])
    assert.equal(jumped.code, 6, jumped.stderr)
    assert.match(jumped.stdout.toString(), /127\.0\.0\.1 2200/)
  })

  it('100 MiB arrive unchanged each way, and 40 MiB with new keys for every MiB', async () => {
    const bytes = randomBytes(100 * 1024 ** 2)
    const digest = digestOf(bytes)
    const up = await ssh.run('bea+dev', 'tee big | sha256sum', { input: bytes })
    assert.equal(up.stdout.toString().slice(0, 64), digest, up.stderr)
    const down = await ssh.run('bea+dev', 'cat big')
    assert.equal(digestOf(down.stdout), digest)
    const args = ['-v', '-o', 'RekeyLimit=1M']
    const part = bytes.subarray(0, 40 * 1024 ** 2)
    const both = await ssh.run('bea+dev', 'cat', { input: part, args })
    assert.ok(both.stdout.equals(part))
    const exchanges = both.stderr.match(/SSH2_MSG_KEX_ECDH_REPLY received/g)?.length ?? 0
    assert.ok(exchanges > 20, `the keys were changed ${exchanges} times`)
  })

  for (const [kind, name] of [
    ['Debian', 'dev'],
    ['busybox alone', 'small'],
    ['one static program', 'bare'],
  ] as const)
    it(`scp, scp -O, sftp and rsync copy both ways with an image of ${kind}, and a shell has a terminal`, async () => {
      const file = join(here, 'file')
      const bytes = randomBytes(2 * 1024 ** 2 + 3)
      await writeFile(file, bytes)
      const there = `bea+${name}@berth`
      const options = ['-F', ssh.config]
      for (const [program, words] of [
        ['scp', options],
        ['scp', ['-O', ...options]],
        ['rsync', ['-e', `ssh -F ${ssh.config}`]],
      ] as const) {
        const copy = join(here, 'copy')
        for (const [from, to] of [
          [file, `${there}:copied`],
          [`${there}:copied`, copy],
        ] as const) {
          const { code, stderr } = await ssh.tool(program, [...words, from, to])
          assert.equal(code, 0, `${program} ${words[0]}: ${stderr}`)
        }
        assert.ok((await readFile(copy)).equals(bytes))
        await rm(copy)
      }
      const batch = Buffer.from(`put ${file} by-sftp\nget by-sftp ${file}.back\nrm by-sftp\n`)
      const sftp = await ssh.tool('sftp', [...options, '-b', '-', there], { input: batch })
      assert.equal(sftp.code, 0, sftp.stderr)
      assert.ok((await readFile(`${file}.back`)).equals(bytes))
      const session = ssh.begin(`bea+${name}`, [], { columns: 97, rows: 29 })
      session.type('stty size\n')
      await session.until(/29 97/)
      session.type('exit 4\n')
      assert.equal(await session.ended, 4)
    })

  it('variables arrive that are allowed, and no others', async () => {
    const wanted = {
      LANG: 'C.UTF-8',
      LC_TIME: 'C',
      TERM: 'xterm-color',
      GIT_PROTOCOL: 'version=2',
      LD_PRELOAD: '/tmp/evil.so',
      PATH: '/tmp',
      BASH_ENV: '/tmp/evil',
      SOMETHING: 'else',
    }
    const args = [
      '-o',
      `SetEnv=${Object.entries(wanted)
        .map((pair) => pair.join('='))
        .join(' ')}`,
    ]
    const { stdout } = await ssh.run('bea+dev', 'env', { args })
    const arrived = new Set(stdout.toString().split('\n'))
    for (const [name, value] of Object.entries(wanted)) {
      const isAllowed = ['LANG', 'LC_TIME', 'TERM', 'GIT_PROTOCOL'].includes(name)
      assert.equal(arrived.has(`${name}=${value}`), isAllowed, name)
    }
  })

  it('keep-alives of a client are no use: its workspace freezes, and stays frozen', async () => {
    using open = ssh.open('bea+dev', ['-v', '-N', '-o', 'ServerAliveInterval=1'])
    using session = ssh.begin('bea+dev', ['-v', '-o', 'ServerAliveInterval=1', 'cat'])
    session.type('here\n')
    await session.until(/here/)
    await freezes('bea')
    await letPass(4_000)
    assert.ok(await isFrozen('bea'))
    assert.equal(open.child.exitCode, null)
    session.type('awake\n')
    await session.until(/awake/)
  })

  it('an editor sends a script to a shell without a terminal, and reaches the server that it started', async () => {
    const client = await library('bea+dev')
    // As VS Code does it: the input stays open, and what is printed tells how far the script is.
    const shell = await new Promise<ClientChannel>((resolve, reject) =>
      client.exec('bash', (error, channel) => (error ? reject(error) : resolve(channel))),
    )
    let text = ''
    const printed = new Promise<string>((resolve) =>
      shell.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        const [, port] = /listeningOn==(\d+)==/.exec(text) ?? []
        if (port !== undefined) resolve(port)
      }),
    )
    const server =
      "const s = require('node:net').createServer((c) => c.pipe(c)).listen(0, '127.0.0.1', () => console.log(s.address().port))"
    shell.write(`echo "platform==$(uname -s)=="
node -e "${server}" > server.log 2>&1 &
while ! [ -s server.log ]; do sleep 0.1; done
echo "listeningOn==$(cat server.log)=="
`)
    const port = Number(await within(30_000, 'the script ends', printed))
    assert.match(text, /platform==Linux==/)
    const echoed = async (number: number): Promise<string> => {
      const channel = await new Promise<ClientChannel>((resolve, reject) =>
        client.forwardOut('127.0.0.1', 0, '127.0.0.1', port, (error, opened) =>
          error ? reject(error) : resolve(opened),
        ),
      )
      channel.write(`hello ${number}`)
      const [answer] = (await within(20_000, 'the echo', once(channel, 'data'))) as [Buffer]
      channel.close()
      return answer.toString()
    }
    const answers = await Promise.all(Array.from({ length: 12 }, (_, number) => echoed(number)))
    assert.deepEqual(
      answers,
      Array.from({ length: 12 }, (_, number) => `hello ${number}`),
    )
    client.end()
  })

  it('an editor asks for a terminal, variables and a shell without waiting for replies', async () => {
    const client = await library('bea+dev')
    const protocol = protocolOf(client)
    const { id, channel } = await openSession(client)
    let text = ''
    channel.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const ended = Promise.all([once(channel, 'exit'), once(channel, 'close')])
    protocol.env(id, 'LANG', 'C.UTF-8', false)
    protocol.pty(id, 33, 111, 0, 0, 'xterm-256color', null, false)
    protocol.windowChange(id, 34, 112, 0, 0)
    protocol.exec(id, 'stty size; echo "$TERM $LANG"; exit 8', false)
    const [[code]] = (await within(30_000, 'it ends', ended)) as [[number], unknown]
    assert.deepEqual([code, text], [8, '34 112\r\nxterm-256color C.UTF-8\r\n'])
    client.end()
  })

  it('a terminal is told before the end of a lifetime, and a program is not', async () => {
    using session = ssh.begin('ann+brief', [], { columns: 90, rows: 24 })
    using silent = ssh.begin('ann+brief', ['cat'])
    await session.until(/\$ /)
    silent.type('here\n')
    await silent.until(/here/)
    await session.until(/berth: this workspace ends in 1 minute: save your work\./)
    silent.type('still\n')
    await silent.until(/still/)
    assert.doesNotMatch(silent.text(), /minute/)
  })

  it('a person in the browser, in two sessions and by -L has one container and one seat, idle once all are silent', async () => {
    assert.equal((await as('ann').ask('/')).status, 200)
    const browser = await as('ann').webSocket('/ws')
    using one = ssh.begin('ann+dev', ['cat'])
    using two = ssh.begin('ann+dev', [], { columns: 80, rows: 24 })
    const socket = join(here, 'page.sock')
    using forwarded = ssh.open('ann+dev', ['-v', '-N', '-L', `${socket}:localhost:8080`])
    await forwarded.until(/Entering interactive session|pledge: /)
    const uses = {
      browser: async () => {
        browser.send('here')
        assert.equal(await browser.next(), 'here')
      },
      one: async () => {
        one.type('one\n')
        await one.until(/one/)
      },
      two: async () => {
        two.type('echo t"w"o\n')
        await two.until(/two/)
      },
      forwarded: async () => {
        const page = await ssh.tool('curl', ['-sf', '--unix-socket', socket, 'http://localhost/'])
        assert.equal(page.code, 0, page.stderr)
      },
    }
    for (const use of Object.values(uses)) await use()
    const name = workspaceOf('ann')
    const ids = await run('docker', ['ps', '--quiet', '--filter', `name=^${name}$`])
    assert.equal(ids.trim().split('\n').length, 1)
    // Each of them alone keeps it from freezing, for longer than it may be idle.
    for (const use of Object.values(uses))
      for (let time = 0; time < 2; time += 1) {
        await letPass(2_500)
        assert.ok(!(await isFrozen('ann')))
        await use()
      }
    await freezes('ann')
    await uses.one()
    await freezes('ann')
    await uses.browser()
    await freezes('ann')
    const request = Buffer.from('GET / HTTP/1.0\r\n\r\n')
    const through = ['-F', ssh.config, '-W', 'localhost:8080', 'ann+dev@berth']
    const page = await ssh.tool('ssh', through, { input: request })
    assert.match(page.stdout.toString(), /^HTTP\/1\.1 200/, page.stderr)
    browser.close()
  })

  it('ssh -n and an input that is empty are held through a cold start of 90 seconds', async () => {
    for (const start of coldStarts) assert.deepEqual(await start, { code: 0, text: 'here\n' })
  })
})
