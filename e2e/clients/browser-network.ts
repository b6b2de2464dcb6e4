// A network namespace for the browser alone. Chromium aborts what it loads (`ERR_NETWORK_CHANGED`) each time the machine gets
// another network interface, and every workspace that other tests start brings some.
//
// Inside the namespace there is only the loopback interface, with a relay on it that leads to a Unix socket outside. Behind
// that socket is a SOCKS 5 proxy (RFC 1928), which connects to the loopback addresses of this machine and to nothing else.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { run } from '../run/command.ts'
import { within } from '../run/deadline.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

const proxyAddress = '127.0.0.1:1080'

export interface BrowserNetwork extends AsyncDisposable {
  /** A program that starts the browser inside the namespace, with the arguments that it is given. */
  readonly executablePath: string
  readonly args: readonly string[]
  /** What a new interface of the machine does: the browser aborts all requests that wait for a connection. */
  change(): Promise<void>
}

/** The port to connect to, for each port of an address that leads to another one. */
export type Ports = ReadonlyMap<number, number>

/** @param browser the path of the browser */
export async function createBrowserNetwork(browser: string, ports: Ports): Promise<BrowserNetwork> {
  const folder = await mkdtemp('/var/tmp/berth-browser-')
  const socketPath = join(folder, 'proxy.sock')
  const proxy = createServer((client) => connectForClient(client, ports)).listen(socketPath)
  await once(proxy, 'listening')

  const relay = join(import.meta.dirname, '../engine/relay.ts')
  const script = 'ip link set lo up && exec "$@"'
  const namespace = spawn(
    'unshare',
    ['--net', 'sh', '-c', script, 'sh', process.execPath, relay, proxyAddress, socketPath],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const takeDown = takenDownAtTheEnd(async () => {
    namespace.kill('SIGKILL')
    proxy.close()
    await rm(folder, { recursive: true, force: true })
  })
  let changes = 0
  try {
    await within(20_000, 'the relay for the browser listens', once(namespace.stdout, 'data'))
    const executablePath = join(folder, 'browser')
    const enter = `exec nsenter --net=/proc/${namespace.pid}/ns/net '${browser}' "$@"`
    await writeFile(executablePath, `#!/bin/sh\n${enter}\n`, { mode: 0o755 })
    return {
      executablePath,
      // Without `<-loopback>` the browser passes by the proxy for localhost.
      args: [`--proxy-server=socks5://${proxyAddress}`, '--proxy-bypass-list=<-loopback>'],
      async change() {
        const ip = ['ip', 'address', 'add', `127.0.1.${(changes += 1)}/8`, 'dev', 'lo']
        await run('nsenter', [`--net=/proc/${namespace.pid}/ns/net`, ...ip])
      },
      [Symbol.asyncDispose]: takeDown,
    }
  } catch (error) {
    await takeDown()
    throw error
  }
}

const version = 5
const connectCommand = 1
const domainName = 3
const succeeded = Buffer.from([version, 0, 0, 1, 0, 0, 0, 0, 0, 0])
const refused = Buffer.from([version, 2, 0, 1, 0, 0, 0, 0, 0, 0])

/** The server's part of SOCKS 5, without authentication. The browser sends each of its two messages whole. */
function connectForClient(client: Socket, ports: Ports): void {
  client.on('error', () => client.destroy())
  client.once('data', () => {
    client.write(Buffer.from([version, 0]))
    client.once('data', (request) => {
      client.pause()
      openConnection(client, request, ports)
    })
  })
}

function openConnection(client: Socket, request: Buffer, ports: Ports): void {
  const address = request.subarray(request[3] === domainName ? 5 : 4, -2)
  const host = request[3] === domainName ? address.toString('latin1') : address.join('.')
  const asked = request.readUInt16BE(request.length - 2)
  const port = ports.get(asked) ?? asked
  if (request[1] !== connectCommand || !/^(127(\.\d+){3}|(.+\.)?localhost)$/.test(host)) {
    client.end(refused)
    return
  }
  const server = connect({ host: host.startsWith('127.') ? host : '127.0.0.1', port })
  server.once('connect', () => {
    client.write(succeeded)
    client.pipe(server).pipe(client)
  })
  server.on('error', () => client.destroy())
  client.on('close', () => server.destroy())
  server.on('close', () => client.destroy())
}
