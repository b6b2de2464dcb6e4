// Debian's docker-registry on loopback: a real registry to pull from, which can deny access and be slow.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../clients/http.ts'
import { attempt, run } from '../run/command.ts'
import { eventually, within } from '../run/deadline.ts'
import { freePorts } from '../run/free-ports.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

export interface Registry extends AsyncDisposable {
  /** The beginning of the names of its images. */
  readonly name: string
  /** The same registry with a limited transfer rate. */
  readonly slowName: string
  /** Whether the registry requires a password, which nobody knows. */
  deny(denies: boolean): Promise<void>
  /** Pushes a copy of a local image under another name, and removes that name here. */
  publish(source: string, name: string): Promise<void>
}

const bytesPerSecond = 6_000_000

export async function startRegistry(): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-e2e-registry-'))
  const [port = 0, slowPort = 0] = await freePorts(2)
  let child: ChildProcess | undefined
  const slow = createSlowWay(port)
  slow.listen(slowPort, '127.0.0.1')
  await once(slow, 'listening')

  async function start(denies: boolean): Promise<void> {
    const config = join(folder, 'config.yml')
    // A hash without a known password.
    await writeFile(
      join(folder, 'people'),
      `nobody:$2y$05$${'abcdefghijklmnopqrstuu'}${'x'.repeat(31)}\n`,
    )
    await writeFile(config, configuration({ folder, port, denies }))
    child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' })
    const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error))
    const url = new URL(`http://127.0.0.1:${port}/v2/`)
    const answers = eventually('the registry answers', 20_000, async () => {
      const answer = await send({ url, place: { host: '127.0.0.1', port } })
      answer.leave()
      return answer.status === (denies ? 401 : 200)
    })
    await Promise.race([answers, failed])
  }

  async function stop(): Promise<void> {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const gone = once(running, 'exit')
    running.kill('SIGKILL')
    await within(10_000, 'the registry ends', gone)
  }

  const takeDown = takenDownAtTheEnd(async () => {
    slow.closeAllConnections()
    slow.close()
    await stop()
    await rm(folder, { recursive: true, force: true })
  })

  await start(false)
  const name = `127.0.0.1:${port}`
  return {
    name,
    slowName: `127.0.0.1:${slowPort}`,
    async deny(denies) {
      await stop()
      await start(denies)
    },
    async publish(source, image) {
      const full = `${name}/${image}`
      await run('docker', ['tag', source, full])
      await run('docker', ['push', '--quiet', full], { withinMs: 120_000 })
      await attempt('docker', ['rmi', full])
    },
    [Symbol.asyncDispose]: takeDown,
  }
}

function configuration(options: { folder: string; port: number; denies: boolean }): string {
  const lines = [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    `storage: { filesystem: { rootdirectory: ${options.folder}/data } }`,
    `http: { addr: '127.0.0.1:${options.port}', secret: nothing-depends-on-it }`,
  ]
  if (options.denies)
    lines.push(`auth: { htpasswd: { realm: e2e, path: ${options.folder}/people } }`)
  return `${lines.join('\n')}\n`
}

/** Forwards every request, and returns the layers at a limited rate. */
function createSlowWay(port: number): Server {
  return createServer((incoming, outgoing) => {
    const call = request(
      {
        host: '127.0.0.1',
        port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
        agent: false,
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        void (async () => {
          for await (const chunk of answer as AsyncIterable<Buffer>) {
            if (outgoing.destroyed) break
            outgoing.write(chunk)
            await sleep((chunk.length / bytesPerSecond) * 1_000)
          }
          outgoing.end()
        })().catch(() => outgoing.destroy())
      },
    )
    call.on('error', () => outgoing.destroy())
    incoming.pipe(call)
  })
}
