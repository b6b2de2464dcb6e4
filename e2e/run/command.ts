// Runs other programs, each with a deadline.
import { spawn } from 'node:child_process'

export interface CommandOptions {
  readonly withinMs?: number
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly input?: string
}

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The result of a program, whether it succeeded or failed. */
export async function attempt(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { withinMs = 60_000, env = process.env, cwd, input } = options
  const signal = AbortSignal.timeout(withinMs)
  const child = spawn(program, [...args], { env, cwd, signal, killSignal: 'SIGKILL' })
  const ended = Promise.withResolvers<number>()
  child.on('error', (error) => {
    const reason = signal.aborted ? new Error(`did not end within ${withinMs / 1000} s`) : error
    ended.reject(new Error(`${program} ${args.join(' ')}: ${reason.message}`, { cause: error }))
  })
  child.on('close', (code) => ended.resolve(code ?? 128))
  // A program may end before it has read all of its input.
  child.stdin.on('error', () => child.stdin.destroy())
  child.stdin.end(input)
  const stdout = gather(child.stdout)
  const stderr = gather(child.stderr)
  const code = await ended.promise
  return { code, stdout: stdout(), stderr: stderr() }
}

export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, args, options)
  if (code === 0) return stdout
  const tail = `${stdout}\n${stderr}`.trim().split('\n').slice(-30).join('\n')
  throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${tail}`)
}

function gather(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}
