// Many WebSockets from a process of its own, so that it can be given a core.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { onCores } from '../run/on-cores.ts'

export interface SocketsOptions {
  readonly at: { readonly host: string; readonly port: number }
  readonly core: string
  readonly heads: readonly Readonly<Record<string, string>>[]
  readonly sockets: number
  /** So many of them send messages. */
  readonly talking: number
  /** Messages of all that talk. */
  readonly perSecond: number
  readonly seconds: number
}

export interface Echoes {
  readonly medianMs: number
  readonly p99Ms: number
}

export interface OpenSockets extends AsyncDisposable {
  readonly openedInMs: number
  /** From a message to its echo, at a steady rate. */
  talk(): Promise<Echoes>
}

const withinMs = 60_000

/** @throws Error if one of them is refused or ends */
export async function openSockets({ core, ...options }: SocketsOptions): Promise<OpenSockets> {
  const program = new URL('websockets-client.ts', import.meta.url).pathname
  const child = spawn(...onCores(core, process.execPath, [program]), {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const exited = once(child, 'exit')

  async function answer<T>(to: string): Promise<T> {
    const signal = AbortSignal.timeout(withinMs)
    const line = Promise.race([
      once(lines, 'line', { signal }),
      exited.then(() => Promise.reject(new Error('the client of the WebSockets has ended'))),
    ])
    child.stdin.write(`${to}\n`)
    return JSON.parse(String((await line)[0])) as T
  }

  async function close(): Promise<void> {
    child.stdin.end()
    await exited
  }

  try {
    const { openedInMs } = await answer<{ readonly openedInMs: number }>(JSON.stringify(options))
    return { openedInMs, talk: () => answer<Echoes>('talk'), [Symbol.asyncDispose]: close }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}
