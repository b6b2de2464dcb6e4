// @ts-check
// Runs other programs: each in its own process group, with a deadline, and ended when this program ends.
// No secret is ever an argument, so a command line may be shown.
import { spawn } from 'node:child_process'
import { Failure } from './failure.mjs'

const TAIL_LINES = 20
const GRACE_MS = 5_000
const TIMED_OUT = -1

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
let ending = false

/**
 * @typedef {object} CommandOptions
 * @property {number} timeoutMs
 * @property {number} [firstLineMs] a shorter deadline for its first line of output
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] the whole environment of the command
 * @property {string} [input] what it reads on its standard input
 * @property {(line: string) => void} [onLine] is called with each line of both outputs
 * @property {AbortSignal} [signal] ends the command
 * @property {boolean} [evenWhenEnding] for clean-up: the command runs even when commands are being ended
 *
 * @typedef {{ code: number, output: string, lines: readonly string[] }} CommandResult
 *   `output` is the whole of standard output, `lines` the last ones of both outputs; `code` is -1 after its deadline.
 */

/**
 * Runs a command and returns its result, whether it succeeded or failed.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {CommandOptions} options
 * @returns {Promise<CommandResult>}
 */
export const attempt = (command, args, options) => {
  const { timeoutMs, firstLineMs, cwd, env = process.env, input, onLine, signal } = options
  if (ending && !options.evenWhenEnding) {
    return Promise.resolve({ code: 130, output: '', lines: ['(interrupted)'] })
  }
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      cwd,
      env,
      detached: true,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    running.add(child)
    let output = ''
    /** @type {NodeJS.Timeout | undefined} */
    let firstLine
    /** @type {string[]} */
    const lines = []
    /** @param {string} line */
    const take = (line) => {
      if (line.trim() === '') return
      clearTimeout(firstLine)
      lines.push(line)
      if (lines.length > TAIL_LINES) lines.shift()
      onLine?.(line)
    }
    eachLine(child.stdout, take, (text) => (output += text))
    eachLine(child.stderr, take)
    if (child.stdin) {
      // A command may end before it has read all of its input. Its exit code decides whether it failed.
      child.stdin.on('error', (error) => take(String(error)))
      child.stdin.end(input)
    }

    let timedOut = false
    const end = () => {
      endGroup(child, 'SIGTERM')
      setTimeout(() => endGroup(child, 'SIGKILL'), GRACE_MS).unref()
    }
    /** @param {number} ms */
    const giveUp = (ms) => {
      timedOut = true
      take(`(ended after ${Math.round(ms / 1000)} s: no answer)`)
      end()
    }
    signal?.addEventListener('abort', end)
    const deadline = setTimeout(giveUp, timeoutMs, timeoutMs)
    if (firstLineMs !== undefined) firstLine = setTimeout(giveUp, firstLineMs, firstLineMs)

    /** @param {number} code */
    const finish = (code) => {
      clearTimeout(deadline)
      clearTimeout(firstLine)
      signal?.removeEventListener('abort', end)
      running.delete(child)
      resolve({ code: timedOut ? TIMED_OUT : code, output, lines })
    }
    child.on('error', (error) => {
      take(error.message)
      finish(127)
    })
    child.on('close', (code) => finish(code ?? 128))
  })
}

/**
 * Runs a command that must succeed.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {CommandOptions & { help?: string }} options `help`: what a person can do when the command fails
 * @returns {Promise<CommandResult>}
 */
export const run = async (command, args, options) => {
  const result = await attempt(command, args, options)
  if (result.code === 0) return result
  throw new Failure(`\`${[command, ...args].join(' ')}\` failed (${endOf(result.code)})`, {
    help: options.help,
    lines: result.lines,
  })
}

/** Ends all running commands and starts no more, because this program was asked to end. */
export const endCommands = async () => {
  ending = true
  const children = [...running]
  const ended = Promise.all(
    children.map((child) => new Promise((resolve) => child.on('close', resolve))),
  )
  for (const child of children) endGroup(child, 'SIGTERM')
  const patience = setTimeout(
    () => children.forEach((child) => endGroup(child, 'SIGKILL')),
    GRACE_MS,
  )
  await ended
  clearTimeout(patience)
}

/** Whether this program was asked to end. */
export const isEnding = () => ending

/** Lets commands run again, to clean up after all others have ended. */
export const allowCommands = () => {
  ending = false
}

/** @param {number} code */
const endOf = (code) => (code === TIMED_OUT ? 'it took too long' : `exit code ${code}`)

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
const endGroup = (child, signal) => {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error
  }
}

/**
 * @param {import('node:stream').Readable | null} stream
 * @param {(line: string) => void} onLine
 * @param {(text: string) => void} [onText]
 */
const eachLine = (stream, onLine, onText) => {
  if (!stream) return
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (/** @type {string} */ text) => {
    onText?.(text)
    const parts = (rest + text).split(/\r\n|\n|\r/)
    rest = parts.pop() ?? ''
    parts.forEach(onLine)
  })
  stream.on('end', () => onLine(rest))
}
