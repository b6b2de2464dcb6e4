// A second engine, which a test can stop and kill without affecting other containers: a dockerd with its own folders, in
// the network namespace of a container that exists only for this.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Place } from '../clients/place.ts'
import { attempt, run } from '../run/command.ts'
import { eventually, within } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { surroundings } from '../run/surroundings.ts'
import { createEngine, type Engine } from './engine.ts'

export interface OwnEngine extends AsyncDisposable {
  readonly engine: Engine
  /** @param options `liveRestore`: containers outlive an end of the engine */
  start(options?: { readonly liveRestore?: boolean }): Promise<void>
  /** `SIGTERM` ends the engine in order, `SIGKILL` kills it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Copies images from the engine of this machine. */
  load(images: readonly string[]): Promise<void>
  /** For `docker run --network` on the engine of this machine: such a container is inside. */
  readonly network: string
  /** Makes a port inside reachable from outside. */
  reach(host: string, port: number): Promise<Place>
}

const startMs = 60_000

export async function createOwnEngine(name: string): Promise<OwnEngine> {
  const instance = `${surroundings.instance}-${name}`
  // Short, since the path of a socket has at most 107 characters.
  const folder = await mkdtemp('/var/tmp/berth-e2e-')
  const socketPath = join(folder, 'docker.sock')
  const engine = createEngine(socketPath)
  const children = new Set<ChildProcess>()
  const relays = new Map<string, Promise<Place>>()
  let dockerd: ChildProcess | undefined
  let holder = ''
  let namespace = ''

  async function hold(): Promise<void> {
    const options = ['--detach', '--network', 'none', '--label', `berth.instance=${instance}`]
    holder = (await run('docker', ['run', ...options, 'berth/hello'])).trim()
    const pid = await run('docker', ['inspect', '--format', '{{.State.Pid}}', holder])
    namespace = `/proc/${pid.trim()}/ns/net`
  }

  function inside(program: string, args: readonly string[]): ChildProcess {
    const child = spawn('nsenter', [`--net=${namespace}`, program, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    child.on('error', (error) => process.stderr.write(`${program}: ${error.message}\n`))
    children.add(child)
    child.on('exit', () => children.delete(child))
    return child
  }

  async function start({ liveRestore = false } = {}): Promise<void> {
    await rm(join(folder, 'docker.pid'), { force: true })
    dockerd = inside('dockerd', [
      ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec')],
      ...['--pidfile', join(folder, 'docker.pid'), '--host', `unix://${socketPath}`],
      ...['--log-level', 'error', ...(liveRestore ? ['--live-restore'] : [])],
    ])
    dockerd.stdout?.resume()
    await eventually('the second engine answers', startMs, async () => {
      await engine.get('/version')
      return true
    })
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = dockerd
    dockerd = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await within(60_000, `dockerd ends by ${signal}`, gone)
  }

  async function openRelay(host: string, port: number): Promise<Place> {
    const path = join(folder, `${relays.size}.sock`)
    const program = join(import.meta.dirname, 'relay.ts')
    const child = inside(process.execPath, [program, path, `${host}:${port}`])
    if (child.stdout) await within(20_000, 'the relay listens', once(child.stdout, 'data'))
    return { socketPath: path }
  }

  const takeDown = takenDownAtTheEnd(async () => {
    if (dockerd !== undefined) {
      const { stdout } = await attempt('docker', ['--host', `unix://${socketPath}`, 'ps', '-aq'])
      const ids = stdout.split('\n').filter(Boolean)
      if (ids.length > 0)
        await attempt('docker', ['--host', `unix://${socketPath}`, 'rm', '--force', ...ids])
    }
    await end('SIGTERM')
    for (const child of children) child.kill('SIGKILL')
    const holders = await run('docker', [
      'ps',
      '-aq',
      '--filter',
      `label=berth.instance=${instance}`,
    ])
    const ids = holders.split('\n').filter(Boolean)
    if (ids.length > 0) await run('docker', ['rm', '--force', '--volumes', ...ids])
    await unmountBelow(folder)
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 })
  })

  try {
    await hold()
    await start()
  } catch (error) {
    await takeDown()
    throw error
  }

  return {
    engine,
    network: `container:${holder}`,
    start,
    end,
    async load(images) {
      const pipe = 'docker save "${@:2}" | docker --host "unix://$1" load'
      await run('bash', ['-o', 'pipefail', '-c', pipe, 'bash', socketPath, ...images], {
        withinMs: 300_000,
      })
    },
    reach(host, port) {
      const key = `${host}:${port}`
      const known = relays.get(key) ?? openRelay(host, port)
      relays.set(key, known)
      return known
    },
    [Symbol.asyncDispose]: takeDown,
  }
}

/** Unmounts what a killed engine left mounted, the deepest mount first. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
  for (const path of mounts.toReversed()) await attempt('umount', ['--lazy', path])
}
