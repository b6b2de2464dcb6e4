// @ts-check
// Detects a service that ends each time it is started, while Compose waits for another service that depends on it.
import { attempt } from './command.mjs'
import { Failure } from './failure.mjs'

const ASK_TIMEOUT_MS = 30_000
/** A service may end once because another one was not ready yet. With a wrong setting it ends each time. */
const RESTARTS = 2
const SHOWN_LINES = 12
const READ_LINES = 100
const FORMAT = [
  '{{.Id}}',
  '{{.Name}}',
  '{{index .Config.Labels "berth.role"}}',
  '{{.RestartCount}}',
  '{{.State.Status}}',
  '{{if .State.Health}}{{.State.Health.Status}}{{end}}',
].join('\t')

/**
 * @typedef {{ id: string, name: string, role: string, restarts: number, status: string, health: string }} Service
 * @typedef {{ failure: (restarts?: number) => Promise<Failure | undefined> }} ServiceWatch
 *   the failure of a start, if a service was restarted at least so many times
 */

/**
 * Counts restarts from now on. A container that already restarts again and again, since an earlier start failed, is
 * removed, and Compose creates a new one: the engine waits longer before each restart, so counting would take long.
 * So is an unhealthy one: Compose starts nothing that depends on it, and gives up before the cause has shown itself again.
 * @param {string} instance
 * @returns {Promise<ServiceWatch>}
 */
export const createServiceWatch = async (instance) => {
  const present = await services(instance)
  const failing = present.filter(
    ({ restarts, status, health }) =>
      health === 'unhealthy' ||
      (restarts > 0 && (status === 'restarting' || health === 'starting')),
  )
  if (failing.length > 0)
    await attempt('docker', ['rm', '--force', ...failing.map(({ id }) => id)], {
      timeoutMs: ASK_TIMEOUT_MS,
    })
  const before = new Map(present.map(({ id, restarts }) => [id, restarts]))
  return {
    async failure(atLeast = RESTARTS) {
      const ended = (await services(instance)).filter(
        ({ id, restarts }) => restarts - (before.get(id) ?? 0) >= atLeast,
      )
      return ended.length === 0 ? undefined : failureOf(ended)
    },
  }
}

/** @param {readonly Service[]} ended */
const failureOf = async (ended) => {
  const lines = []
  for (const { name, role } of ended) {
    if (ended.length > 1) lines.push(`${role}:`)
    lines.push(...(await lastWords(name)))
  }
  const which = ended.map(({ role }) => role).join(' and ')
  const isOne = ended.length === 1
  return new Failure(
    `the service${isOne ? '' : 's'} ${which} ended each time that ${isOne ? 'it was' : 'they were'} started. The log says:`,
    {
      lines,
      help: `Correct this and run npm start again. The whole log: ${ended.map(({ name }) => `docker logs ${name}`).join('; ')}`,
    },
  )
}

/**
 * The end of a service's log. A line that the service wrote at each start appears once.
 * @param {string} name
 */
export const lastWords = async (name) => {
  const args = ['logs', '--tail', String(READ_LINES), name]
  const { lines } = await attempt('docker', args, { timeoutMs: ASK_TIMEOUT_MS })
  return [...new Set(lines)].slice(-SHOWN_LINES)
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
  // If Compose replaces one of the containers meanwhile, inspect fails, and still prints the others.
  const { output } = await attempt('docker', ['inspect', '--format', FORMAT, ...ids], {
    timeoutMs: ASK_TIMEOUT_MS,
  })
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [id = '', name = '', role = '', restarts, status = '', health = ''] = line.split('\t')
      return { id, name: name.replace(/^\//, ''), role, restarts: Number(restarts), status, health }
    })
}
