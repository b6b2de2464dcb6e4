// @ts-check
// Follows the logs of services with Compose, and formats them with pino-pretty.
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
 * Until Ctrl-C ends it.
 * @param {{ root: string, instance: string, services: readonly string[] }} options
 */
export const followLogs = async ({ root, instance, services }) => {
  // The name of the project is enough: Compose needs neither the compose files nor their settings to read logs.
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
  // Ctrl-C reaches all three processes. This one waits until the others have ended.
  process.on('SIGINT', () => undefined)
  pretty.stdin.on('error', () => logs.kill())
  // Compose clears the line of the terminal before each line, also where there is no terminal.
  createInterface({ input: logs.stdout })
    .on('line', (line) => pretty.stdin.write(`${line.replace(/^\x1b\[2K/, '')}\n`))
    .on('close', () => pretty.stdin.end())
  await once(pretty, 'exit')
}
