// An SSH server as a workspace may have one. It runs commands on this machine, and tells what it was asked.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import ssh2, { type ServerChannel } from 'ssh2'
import { createChannelWriter } from '../ssh/channel-writer.ts'
import { watchModes } from '../ssh/connection.ts'
import { sttyWords } from '../ssh/terminal-modes.ts'
import { workspaceHost } from './test-bed.ts'

export interface TestSshServer extends AsyncDisposable {
  readonly port: number
  /** Its own, as on the wire, in base64. */
  readonly hostKey: string
  /** `pty 80x24 xterm`, `env LANG=C`, `exec id`, `signal TERM`, … */
  readonly asked: string[]
  /** As on the wire, in base64, of those who have signed in. */
  readonly admitted: string[]
  /** Whom it admits. */
  admits: (user: string) => boolean
  /** Instead of running a command. */
  serve: ((channel: ServerChannel, command: string) => void) | undefined
  /** How many clients are connected. */
  clients(): number
  /** Resolves once that holds, after something was asked or a client has left. */
  until(condition: () => boolean): Promise<void>
}

export async function startTestSshServer(at = 0): Promise<TestSshServer> {
  let hostKey = ''
  const asked: string[] = []
  const admitted: string[] = []
  const sockets = new Set<Socket>()
  const own: { server?: ssh2.Server; port: number } = { port: at }
  let waiters: { condition: () => boolean; resolve: () => void }[] = []
  function changed(): void {
    for (const { condition, resolve } of waiters) if (condition()) resolve()
    waiters = waiters.filter(({ condition }) => !condition())
  }
  function note(what: string): void {
    asked.push(what)
    changed()
  }

  async function listen(): Promise<void> {
    const key = ssh2.utils.generateKeyPairSync('ed25519')
    const parsed = [ssh2.utils.parseKey(key.private)].flat()[0]
    if (parsed === undefined || parsed instanceof Error) throw new Error('no key')
    hostKey = parsed.getPublicSSH().toString('base64')
    const server = new ssh2.Server({ hostKeys: [key.private] }, serve)
    // ssh2 tells only of clients that speak.
    const listener = (server as unknown as { readonly _srv: Server })._srv
    listener.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        changed()
      })
    })
    server.listen(own.port, workspaceHost)
    await once(listener, 'listening')
    own.server = server
    own.port = (server.address() as AddressInfo).port
  }
  async function close(): Promise<void> {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => own.server?.close(() => resolve()))
  }

  function serve(client: ssh2.Connection): void {
    const modes = watchModes(client)
    client.on('error', () => undefined)
    client.on('authentication', (context) => {
      if (context.method !== 'publickey' || !test.admits(context.username))
        return context.reject(['publickey'])
      const [key] = [ssh2.utils.parseKey(context.key.data)].flat()
      if (context.signature === undefined) return context.accept()
      const isSigned =
        key !== undefined &&
        !(key instanceof Error) &&
        key.verify(context.blob ?? Buffer.alloc(0), context.signature, context.hashAlgo) === true
      if (!isSigned) return context.reject()
      admitted.push(context.key.data.toString('base64'))
      context.accept()
    })
    client.on('session', (accept) => {
      const session = accept()
      let child: ChildProcess | undefined
      session.on('pty', (acceptPty, _reject, { cols, rows, term }) => {
        note(`pty ${cols}x${rows} ${term} ${sttyWords(modes()).join(' ')}`)
        acceptPty()
      })
      session.on('env', (acceptEnv, _reject, { key, val }) => {
        note(`env ${key}=${val}`)
        acceptEnv?.()
      })
      session.on('window-change', (acceptChange, _reject, { cols, rows }) => {
        note(`window ${cols}x${rows}`)
        acceptChange?.()
      })
      session.on('signal', (acceptSignal, _reject, { name }) => {
        note(`signal ${name}`)
        child?.kill(`SIG${name.replace(/^SIG/, '')}` as NodeJS.Signals)
        acceptSignal?.()
      })
      const begin = (channel: ServerChannel, command: string): void => {
        channel.on('error', () => undefined)
        if (test.serve === undefined) child = run(channel, command)
        else test.serve(channel, command)
      }
      session.on('exec', (acceptExec, _reject, { command }) => {
        note(`exec ${command}`)
        begin(acceptExec(), command)
      })
      session.on('shell', (acceptShell) => {
        note('shell')
        begin(acceptShell(), 'exec cat')
      })
      session.on('subsystem', (acceptSubsystem, _reject, { name }) => {
        note(`subsystem ${name}`)
        begin(acceptSubsystem(), 'exec cat')
      })
    })
  }

  const test: TestSshServer = {
    get port() {
      return own.port
    },
    get hostKey() {
      return hostKey
    },
    asked,
    admitted,
    admits: (user) => user === 'dev',
    serve: undefined,
    clients: () => sockets.size,
    until(condition) {
      if (condition()) return Promise.resolve()
      return new Promise((resolve) => waiters.push({ condition, resolve }))
    },
    [Symbol.asyncDispose]: close,
  }
  await listen()
  return test
}

function run(channel: ServerChannel, command: string): ChildProcess {
  const child = spawn('/bin/sh', ['-c', command])
  channel.once('close', () => child.kill('SIGKILL'))
  child.stdin.on('error', () => undefined)
  channel.pipe(child.stdin)
  const ended = Promise.withResolvers<void>()
  child.once('close', () => ended.resolve())
  const writer = createChannelWriter(channel, async () => undefined, new AbortController().signal)
  let before = Promise.resolve()
  const pass = async (from: AsyncIterable<Buffer>, to: 'output' | 'errors'): Promise<void> => {
    for await (const bytes of from) await (before = before.then(() => writer.write(to, bytes)))
  }
  void (async () => {
    await Promise.all([pass(child.stdout, 'output'), pass(child.stderr, 'errors'), ended.promise])
    if (child.signalCode !== null) channel.exit(child.signalCode.slice(3), false, 'killed')
    else channel.exit(child.exitCode ?? 255)
    channel.end()
  })()
  return child
}
