// @ts-check
// Runs a command of the spawner's image beside the spawner, with the settings of the deployment, on this terminal.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { attempt } from './command.mjs'
import { socketOf } from './compose.mjs'
import { Failure } from './failure.mjs'

const ENGINE_TIMEOUT_MS = 15_000

/**
 * @param {object} order
 * @param {string} order.root
 * @param {import('./settings.mjs').ScriptSettings} order.settings
 * @param {readonly string[]} [order.options] of `docker compose run`
 * @param {readonly string[]} order.command
 * @param {string} [order.input] what it reads on its standard input
 * @returns {Promise<number>} its exit code
 */
export const runInSpawner = async ({ root, settings, options = [], command, input = '' }) => {
  await askEngine()
  const { environmentFile, instance } = settings
  const child = spawn(
    'docker',
    [
      ...['compose', '--project-directory', root, '--file', join(root, 'docker-compose.yml')],
      ...['--env-file', environmentFile, '--progress', 'quiet', 'run', '--rm', '--no-TTY'],
      ...[...options, 'spawner', ...command],
    ],
    {
      stdio: ['pipe', 'inherit', 'inherit'],
      env: {
        ...process.env,
        INSTANCE: instance,
        BERTH_ENV_FILE: environmentFile,
        ...socketOf(process.env),
      },
    },
  )
  // Compose gets the signal of the terminal, too, and passes it on to the command, which removes what it made.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined)
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  const [code] = await once(child, 'close')
  return code ?? 130
}

/** Why this person cannot use the engine, before Compose says it in many lines. */
const askEngine = async () => {
  const { output, lines } = await attempt(
    'docker',
    ['version', '--format', '{{.Server.Version}}'],
    { timeoutMs: ENGINE_TIMEOUT_MS },
  )
  if (/^\d/.test(output.trim())) return
  const said = lines.at(-1) ?? 'no answer'
  throw new Failure(`the Docker Engine does not answer: ${said}`, {
    help: /permission denied/i.test(said)
      ? 'Run this command as root, or add this user to the group `docker` and sign in again.'
      : 'Start it as root (systemctl start docker), or install it: https://docs.docker.com/engine/install/',
  })
}

/**
 * @param {() => Promise<number>} work returns the exit code
 */
export const asScript = async (work) => {
  try {
    process.exitCode = await work()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const help = error.help === undefined ? '' : `  To do: ${error.help}\n`
    process.stderr.write(`FAULT  ${error.message}\n${help}`)
    process.exitCode = 1
  }
}
