// @ts-check
// Sees a service that ends again and again while Compose waits for another one that waits for it.
import { attempt } from './command.mjs'
import { Failure } from './failure.mjs'

const ASK_TIMEOUT_MS = 30_000
/** A service may end once because another one was not ready yet; a wrong setting ends it each time. */
const RESTARTS = 2
const SHOWN_LINES = 12
const FORMAT = [
  '{{.Id}}',
  '{{.Name}}',
  '{{index .Config.Labels "berth.role"}}',
  '{{.RestartCount}}',
  '{{.State.Status}}',
  '{{.State.ExitCode}}',
  '{{.State.StartedAt}}',
].join('\\t')

/**
 * @typedef {{ id: string, name: string, role: string, restarts: number, status: string, exitCode: string, startedAt: string }} Service
 * @typedef {{ failure: () => Promise<Failure | undefined> }} ServiceWatch
 */

/**
 * @param {string} instance
 * @returns {Promise<ServiceWatch>} from now on: what was restarted before does not count
 */
export const createServiceWatch = async (instance) => {
  const before = new Map((await services(instance)).map(({ id, restarts }) => [id, restarts]))
  return {
    async failure() {
      const ended = (await services(instance)).filter(
        ({ id, status, restarts }) =>
          status === 'restarting' && restarts - (before.get(id) ?? 0) >= RESTARTS,
      )
      return ended.length === 0 ? undefined : failureOf(ended)
    },
  }
}

/** @param {readonly Service[]} ended */
const failureOf = async (ended) => {
  const lines = []
  for (const { name, role, startedAt } of ended) {
    if (ended.length > 1) lines.push(`${role}:`)
    lines.push(...(await lastWords(name, startedAt)))
  }
  const which = ended.map(
    ({ role, exitCode }) => `the service ${role} ended with exit code ${exitCode}`,
  )
  return new Failure(`${which.join(' and ')}, each time that it was started. It says:`, {
    lines,
    help: `Correct what it names and run npm start again. Its whole log: ${ended.map(({ name }) => `docker logs ${name}`).join('; ')}`,
  })
}

/**
 * @param {string} name
 * @param {string} startedAt of its last run, so that earlier runs do not say the same once more
 */
const lastWords = async (name, startedAt) => {
  const args = ['logs', '--tail', String(SHOWN_LINES), '--since', startedAt, name]
  return (await attempt('docker', args, { timeoutMs: ASK_TIMEOUT_MS })).lines
}

/**
 * @param {string} instance
 * @returns {Promise<Service[]>}
 */
const services = async (instance) => {
  const filters = [`label=berth.instance=${instance}`, 'label=berth.role']
  const listed = await attempt(
    'docker',
    ['ps', '--all', '--quiet', ...filters.flatMap((filter) => ['--filter', filter])],
    { timeoutMs: ASK_TIMEOUT_MS },
  )
  const ids = listed.output.split('\n').filter(Boolean)
  if (listed.code !== 0 || ids.length === 0) return []
  // A container that Compose replaces meanwhile makes inspect fail, which still tells of the others.
  const { output } = await attempt('docker', ['inspect', '--format', FORMAT, ...ids], {
    timeoutMs: ASK_TIMEOUT_MS,
  })
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id = '', name = '', role = '', restarts, status = '', exitCode = '', startedAt = ''] =
        line.split('\t')
      return {
        id,
        name: name.replace(/^\//, ''),
        role,
        restarts: Number(restarts),
        status,
        exitCode,
        startedAt,
      }
    })
}
