// Workspaces by SSH, beside OpenSSH's own server in the same container: files each way, the echo of a key, the memory of
// idle sessions, and how many can sign in at once. Ours passes director, spawner and engine, theirs nothing.
import { once } from 'node:events'
import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client, ClientChannel } from 'ssh2'
import { asTheGateway } from '../../e2e/clients/as-the-gateway.ts'
import { createSshClient, readableFolder, type SshClient } from '../../e2e/clients/ssh.ts'
import { signedIn } from '../../e2e/clients/ssh-library.ts'
import { deploy, type Deployment } from '../../e2e/deployment/deployment.ts'
import { buildImage } from '../../e2e/engine/image.ts'
import { inspected } from '../../e2e/engine/belongings.ts'
import { run } from '../../e2e/run/command.ts'
import { within } from '../../e2e/run/deadline.ts'
import { caseOf, quantile, type Round } from '../report/case.ts'
import type { Group } from '../run/bench.ts'
import { privateMemory } from '../../e2e/run/process-memory.ts'

const rounds = 3
const fileMiB = 1024
const keystrokes = 300
const idleSessions = 500
/** OpenSSH's server refuses an eleventh session of one connection. */
const sessionsOfOne = 10
const logins = 300
const loginsAtOnce = 16
const user = 'person'
const serverPort = 2022

interface Way {
  readonly client: SshClient
  readonly host: string
  readonly port: number
  readonly name: string
}

export const ssh: Group = async ({ folder, say }) => {
  await using all = new AsyncDisposableStack()
  await buildImage('development')
  const keys = await readableFolder()
  all.defer(() => rm(keys, { recursive: true, force: true }))
  const prefix = `bench${process.pid.toString(36)}`
  const berth = all.use(
    await deploy({
      name: 'bench',
      templates: `
templates:
  lab:
    prefix: ${prefix}
    image: berth/e2e-development
    port: 8080
    mem_limit: 3g
    pids_limit: 4096
    route: { hosts: [lab.localhost] }
    idle: { freeze: 0, stop: 0 }
    ssh: { method: exec, shell: /bin/bash }
`,
      moreComposeFiles: ['e2e/compose/ssh.yml'],
      settings: {
        SSH_PORT: '2222',
        SSH_KEYS_FOLDER: '/etc/berth/ssh-keys',
        KEYS_OF_PROOF: keys,
        MAX_WEBSOCKETS_PER_USER: '0',
        MAX_CONNECTIONS_PER_USER: '0',
      },
    }),
  )
  const ours = all.use(await throughBerth(berth, keys))
  const theirs = all.use(await throughServer(berth, `${prefix}-${user}`, ours))

  const file = join(folder, 'ssh-file')
  await writeFile(file, '')
  await truncate(file, fileMiB * 1024 ** 2)
  const up: Round[] = []
  const down: Round[] = []
  const echoes: Round[] = []
  const slowEchoes: Round[] = []
  const signedInPerSecond: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    up.push({ ours: await copy(ours, file, 'up'), reference: await copy(theirs, file, 'up') })
    down.push({ ours: await copy(ours, file, 'down'), reference: await copy(theirs, file, 'down') })
    const [our, their] = [await echo(ours), await echo(theirs)]
    echoes.push({ ours: our.medianMs, reference: their.medianMs })
    slowEchoes.push({ ours: our.p99Ms, reference: their.p99Ms })
    signedInPerSecond.push({ ours: await signIns(ours), reference: await signIns(theirs) })
    say(
      [
        tell('up', 'MiB/s', up),
        tell('down', 'MiB/s', down),
        tell('echo', 'ms', echoes),
        tell('echo p99', 'ms', slowEchoes),
        tell('sign-ins', '/s', signedInPerSecond),
      ].join(', '),
    )
  }
  const memory = {
    ours: await memoryOfIdle(ours, () => memoryOfServices(berth)),
    reference: await memoryOfIdle(theirs, () => memoryOfServers(`${prefix}-${user}`)),
  }
  say(`a session: ${memory.ours.toFixed(0)} KiB, of the server ${memory.reference.toFixed(0)} KiB`)
  return [
    caseOf('ssh-up', 'MiB/s', up, { ratioAtLeast: 0.3 }),
    caseOf('ssh-down', 'MiB/s', down, { ratioAtLeast: 0.3 }),
    caseOf('ssh-echo', 'ms', echoes, { moreByAtMost: 3 }),
    caseOf('ssh-echo-p99', 'ms', slowEchoes, { moreByAtMost: 10 }),
    caseOf('ssh-idle', 'KiB', [memory], { ratioAtMost: 1 }),
    caseOf('ssh-logins', '/s', signedInPerSecond, { ratioAtLeast: 1 }),
  ]
}

const tell = (what: string, unit: string, all: readonly Round[]): string => {
  const { ours = Number.NaN, reference = Number.NaN } = all.at(-1) ?? {}
  return `${what} ${ours.toFixed(1)} ${unit} (${reference.toFixed(1)})`
}

type OwnedWay = Way & AsyncDisposable

async function throughBerth(berth: Deployment, keys: string): Promise<OwnedWay> {
  const [place] = await berth.directorPlaces()
  if (place === undefined || !('host' in place)) throw new Error('there is no director')
  const client = await createSshClient(place.host, 2222)
  await writeFile(join(keys, user), `${client.publicKey}\n`, { mode: 0o644 })
  const person = asTheGateway(berth, place, user, { host: 'lab.localhost' })
  await person.ask('/.berth/status')
  await client.run(user, 'true')
  return {
    client,
    host: place.host,
    port: 2222,
    name: user,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

async function throughServer(berth: Deployment, workspace: string, ours: Way): Promise<OwnedWay> {
  const settings = [
    `Port ${serverPort}`,
    'HostKey own/key',
    'AuthorizedKeysFile own/authorized',
    'PidFile own/pid',
    'UsePAM no',
    'StrictModes no',
    'MaxStartups 1000',
    'Subsystem sftp internal-sftp',
  ]
  const begun = await ours.client.run(
    user,
    [
      'cd && mkdir -p own && ssh-keygen -q -t ed25519 -N "" -f own/key',
      `printf '%s\\n' ${settings.map((line) => `'${line.replaceAll('own/', '/home/hello/own/')}'`).join(' ')} > own/config`,
      'setsid /usr/sbin/sshd -f $HOME/own/config -E $HOME/own/log',
      'id -un',
    ].join(' && '),
  )
  if (begun.code !== 0) throw new Error(`the server did not start: ${begun.stderr}`)
  const { NetworkSettings } = (await inspected(berth.engine, workspace)) ?? {}
  const [network] = Object.values(NetworkSettings?.Networks ?? {})
  const host = network?.IPAddress ?? ''
  const client = await createSshClient(host, serverPort)
  await ours.client.run(user, `echo '${client.publicKey}' > /home/hello/own/authorized`)
  return {
    client,
    host,
    port: serverPort,
    name: begun.stdout.toString().trim(),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

/** @returns MiB per second */
async function copy(
  { client, host, name }: Way,
  file: string,
  direction: 'up' | 'down',
): Promise<number> {
  const far = `${name}@${host}:large`
  const args = direction === 'up' ? [file, far] : [far, '/dev/null']
  const began = performance.now()
  const { code, stderr } = await client.tool('scp', ['-q', '-F', client.config, ...args], {
    withinMs: 180_000,
  })
  if (code !== 0) throw new Error(`scp ended with ${code}: ${stderr}`)
  return fileMiB / ((performance.now() - began) / 1_000)
}

async function connected({ client, host, port, name }: Way): Promise<Client> {
  const privateKey = await readFile(client.privateKey)
  const connection = await signedIn({ host, port, username: name, privateKey })
  // As OpenSSH's own client does in a terminal.
  return connection.setNoDelay()
}

function shellOf(connection: Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) =>
    connection.shell((error, channel) => (error === undefined ? resolve(channel) : reject(error))),
  )
}

/** From a key to its echo by the terminal. */
async function echo(way: Way): Promise<{ readonly medianMs: number; readonly p99Ms: number }> {
  const connection = await connected(way)
  try {
    const channel = await shellOf(connection)
    await untilSays(channel, /[$#] $/)
    channel.write('exec cat >/dev/null; echo\n')
    await untilSays(channel, /echo\r\n/)
    const times: number[] = []
    for (let stroke = 0; stroke < keystrokes; stroke += 1) {
      const began = performance.now()
      const answered = once(channel, 'data')
      channel.write('x')
      await answered
      times.push(performance.now() - began)
    }
    return { medianMs: quantile(times, 0.5), p99Ms: quantile(times, 0.99) }
  } finally {
    connection.end()
  }
}

function untilSays(channel: ClientChannel, pattern: RegExp): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let text = ''
  const hear = (chunk: Buffer): void => {
    text += chunk.toString()
    if (pattern.test(text)) resolve()
  }
  channel.on('data', hear)
  return within(30_000, `the shell says ${pattern}`, promise).finally(() =>
    channel.off('data', hear),
  )
}

/** As many as there are clients at once. @returns how many sign in each second */
async function signIns(way: Way): Promise<number> {
  let left = logins
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const connection = await connected(way)
      connection.end()
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: loginsAtOnce }, client))
  return logins / ((performance.now() - began) / 1_000)
}

/** @returns KiB for each session */
async function memoryOfIdle(way: Way, memory: () => Promise<number>): Promise<number> {
  const before = await memory()
  const connections: Client[] = []
  try {
    for (let at = 0; at < idleSessions / sessionsOfOne; at += 1) {
      const connection = await connected(way)
      connections.push(connection)
      for (let session = 0; session < sessionsOfOne; session += 1)
        await untilSays(await shellOf(connection), /[$#] $/)
    }
    return ((await memory()) - before) / 1024 / idleSessions
  } finally {
    for (const connection of connections) connection.end()
  }
}

/** Of everything in the containers of director and spawner: Node names its process by its main thread. Bytes. */
async function memoryOfServices(berth: Deployment): Promise<number> {
  const containers = [...(await berth.services('director')), ...(await berth.services('spawner'))]
  const sizes = containers.map(({ Id }) => memoryOf(Id, /^ *\d/))
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

/** Of every process of OpenSSH's server in the container; bytes. The shells are the same for both. */
const memoryOfServers = (workspace: string): Promise<number> => memoryOf(workspace, /sshd/)

async function memoryOf(container: string, program: RegExp): Promise<number> {
  const listed = await run('docker', ['top', container, '-eo', 'pid,comm'])
  const pids = listed
    .split('\n')
    .filter((line) => program.test(line))
    .map((line) => Number.parseInt(line, 10))
  const sizes = await Promise.all(pids.map((pid) => privateMemory(pid)))
  return sizes.reduce((sum, size) => sum + size, 0)
}
