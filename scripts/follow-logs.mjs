// @ts-check
// The logs of services by Compose, made readable by pino-pretty.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const LINES_BEFORE = '50'
const PRETTY = [
  ...['--messageKey', 'message', '--messageFormat', '{service}: {message}'],
  ...['--ignore', 'pid,hostname,service', '--translateTime', 'SYS:HH:MM:ss.l'],
]

/**
 * Ends with Ctrl-C.
 * @param {{ root: string, instance: string, services: readonly string[] }} options
 */
export const followLogs = async ({ root, instance, services }) => {
  // By the name of the project alone: neither the compose files nor their settings are needed to read logs.
  const logs = spawn(
    'docker',
    [
      ...['compose', '--project-name', instance, 'logs', '--follow', '--no-log-prefix'],
      ...['--tail', LINES_BEFORE, ...services],
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const bin = join(root, 'node_modules/.bin')
  const pretty = spawn(join(bin, 'node'), [join(bin, 'pino-pretty'), ...PRETTY], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  // Ctrl-C reaches all three; once Compose has ended, so has what is to be read.
  process.on('SIGINT', () => undefined)
  pretty.stdin.on('error', () => logs.kill())
  // Compose clears the line of the terminal before each line, also where there is no terminal.
  createInterface({ input: logs.stdout })
    .on('line', (line) => pretty.stdin.write(`${line.replace(/^\x1b\[2K/, '')}\n`))
    .on('close', () => pretty.stdin.end())
  await once(pretty, 'exit')
}
