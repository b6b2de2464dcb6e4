// OpenSSH's own client, with a key and a list of known hosts of the proof.
import { spawn, type ChildProcess } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { run } from '../run/command.ts'
import { within } from '../run/deadline.ts'

export interface SshResult {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}

export interface SshClient extends AsyncDisposable {
  /** The line of an authorized_keys file that admits this client. */
  readonly publicKey: string
  /** The file with the key. */
  readonly privateKey: string
  /** For other programs: `ssh -F` with it reaches the director, whatever the host is called. */
  readonly config: string
  /** Runs a command to its end. */
  run(
    name: string,
    command: string,
    options?: { input?: Buffer; args?: readonly string[]; withinMs?: number },
  ): Promise<SshResult>
  /** Begins a session, in a terminal of its own with that size if one is given. */
  begin(name: string, args: readonly string[], terminal?: TerminalSize): SshSession
  /** Begins one with options and no command, such as `-N -L …`. */
  open(name: string, options: readonly string[]): SshSession
  /** Begins another program that uses SSH. */
  program(name: string, args: readonly string[]): SshSession
  /** Runs another program that uses SSH, such as scp with `-F` and the configuration, to its end. */
  tool(program: string, args: readonly string[], options?: ToolOptions): Promise<SshResult>
}

export interface ToolOptions {
  readonly input?: Buffer
  readonly env?: Readonly<Record<string, string>>
  readonly withinMs?: number
}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** Its disposal ends the client. */
export interface SshSession extends Disposable {
  readonly child: ChildProcess
  /** What was printed so far. */
  text(): string
  type(text: string): void
  /** Resolves with what was printed, once it matches. */
  until(pattern: RegExp): Promise<string>
  /** Resolves with the exit code. */
  readonly ended: Promise<number>
  /** The device of the terminal that the client runs in. */
  terminalDevice(): Promise<string>
}

const deadlineMs = 60_000

/** @param batch the client asks nothing; otherwise it asks in its terminal */
export async function createSshClient(
  host: string,
  port: number,
  { batch = true }: { readonly batch?: boolean } = {},
): Promise<SshClient> {
  const work = await mkdtemp(join(tmpdir(), 'berth-ssh-'))
  const key = join(work, 'key')
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'proof', '-f', key])
  const known = join(work, 'known_hosts')
  await writeFile(known, '')
  const publicKey = (await readFile(`${key}.pub`, 'utf8')).trim()
  const config = join(work, 'config')
  await writeFile(
    config,
    `Host *
  HostName ${host}
  Port ${port}
  IdentityFile ${key}
  UserKnownHostsFile ${known}
  StrictHostKeyChecking accept-new
  IdentitiesOnly yes
  IdentityAgent none
  BatchMode ${batch ? 'yes' : 'no'}
`,
  )
  const base = (name: string): string[] => ['-F', config, '-l', name]

  async function tool(
    program: string,
    args: readonly string[],
    { input, env, withinMs = deadlineMs }: ToolOptions = {},
  ): Promise<SshResult> {
    const child = spawn(program, args, { env: { ...process.env, ...env } })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    try {
      const what = `${program} ${args.join(' ')}`
      const [code] = (await within(withinMs, what, once(child, 'close'))) as [number]
      return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }
    } finally {
      child.kill('SIGKILL')
    }
  }

  return {
    publicKey,
    privateKey: key,
    config,
    tool,
    run: (name, command, { args = [], ...options } = {}) =>
      tool('ssh', [...base(name), ...args, host, command], options),
    begin(name, args, terminal) {
      return start(['ssh', ...base(name), ...(terminal ? ['-tt'] : []), host, ...args], terminal)
    },
    program: (name, args) => start([name, ...args]),
    open: (name, options) => start(['ssh', ...base(name), ...options, host]),
    async [Symbol.asyncDispose]() {
      await rm(work, { recursive: true, force: true })
    },
  }
}

function start(ssh: readonly string[], terminal?: TerminalSize): SshSession {
  // `script` gives the client a terminal, as a person has one.
  const inTerminal =
    terminal &&
    `tty; stty rows ${terminal.rows} cols ${terminal.columns}; exec ${ssh.map(quoted).join(' ')}`
  const [program = '', ...rest] =
    inTerminal === undefined ? ssh : ['script', '-qefc', inTerminal, '/dev/null']
  const child = spawn(program, rest)
  let text = ''
  let changed = Promise.withResolvers<void>()
  const hear = (chunk: Buffer): void => {
    text += chunk.toString()
    changed.resolve()
    changed = Promise.withResolvers()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  child.stdin.on('error', () => undefined)

  async function until(pattern: RegExp): Promise<string> {
    const look = async (): Promise<string> => {
      while (!pattern.test(text)) await changed.promise
      return text
    }
    return within(deadlineMs, `ssh prints ${pattern}`, look()).catch((error: unknown) => {
      throw new Error(`${String(error)}; it printed ${JSON.stringify(text.slice(-2_000))}`)
    })
  }

  return {
    child,
    [Symbol.dispose]: () => void child.kill('SIGTERM'),
    text: () => text,
    type: (words) => void child.stdin.write(words),
    until,
    ended: once(child, 'close').then(([code]) => code as number),
    async terminalDevice() {
      const printed = await until(/\/dev\/pts\/\d+/)
      return /\/dev\/pts\/\d+/.exec(printed)?.[0] ?? ''
    },
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** A folder that the user of a service can read. */
export async function readableFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-ssh-keys-'))
  await chmod(folder, 0o755)
  return folder
}
