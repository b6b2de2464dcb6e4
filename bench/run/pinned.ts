// A program on one core, with its processor time and memory, and ended with its scope.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { onCores } from './on-cores.ts'

export interface Pinned extends AsyncDisposable {
  readonly pid: number
  /** Processor time so far, of its threads and of children that it has waited for; seconds. */
  cpuSeconds(): number
}

export interface PinnedOptions {
  /** The cores that it may run on, such as `0` or `0,1`. */
  readonly cores: string
  readonly env?: NodeJS.ProcessEnv
  /** Until this accepts connections it is not ready. */
  readonly listensAt: { readonly host: string; readonly port: number }
}

const startMs = 15_000
const stopMs = 5_000
/** USER_HZ, which is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** @throws Error with what it said, if it does not listen within 15 s */
export async function startPinned(
  program: string,
  args: readonly string[],
  { cores, env = process.env, listensAt }: PinnedOptions,
): Promise<Pinned> {
  const child = spawn(...onCores(cores, program, args), {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
  const ended = once(child, 'exit')
  const { pid } = child
  if (pid === undefined) throw new Error(`${program} could not be started`)

  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs)
    await ended
    clearTimeout(timer)
  }

  const until = performance.now() + startMs
  while (!(await accepts(listensAt))) {
    if (performance.now() > until || child.exitCode !== null) {
      await stop()
      throw new Error(`${program} does not listen at port ${listensAt.port}: ${said}`)
    }
    await sleep(20)
  }
  return {
    pid,
    cpuSeconds: () => cpuSeconds(pid),
    [Symbol.asyncDispose]: stop,
  }
}

async function accepts({ host, port }: PinnedOptions['listensAt']): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** See proc_pid_stat(5). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number)
  return (
    ((user ?? 0) + (system ?? 0) + (childrenUser ?? 0) + (childrenSystem ?? 0)) / ticksPerSecond
  )
}
