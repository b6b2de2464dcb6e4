// @ts-check
// Docker Compose with the files, profile and variables of one instance.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildLine } from './build-line.mjs'
import { attempt, run } from './command.mjs'
import { Failure } from './failure.mjs'
import { createServiceWatch, lastWords } from './service-watch.mjs'

const UP_TIMEOUT_MS = 15 * 60_000
const HEALTHY_WITHIN_S = 180
const ASK_TIMEOUT_MS = 30_000
const WATCH_EVERY_MS = 1_000
/** Variables whose names are chosen by the user. Compose passes a variable on only if a compose file names it. */
const FREE_NAMES = [
  { service: 'spawner', prefix: 'CONTAINER_ENV_' },
  { service: 'gateway', prefix: 'OAUTH2_PROXY_' },
]

/**
 * @typedef {import('./settings.mjs').ScriptSettings} ScriptSettings
 * @typedef {{ root: string, settings: ScriptSettings, gateway: import('./settings.mjs').Gateway, env: NodeJS.ProcessEnv, more?: readonly string[] }} ComposeDeps
 *   `more`: further compose files, below the root
 */

/** @param {ComposeDeps} deps */
export const createCompose = ({ root, settings, gateway, env, more = [] }) => {
  const files = [
    'docker-compose.yml',
    ...(gateway === 'apache' ? ['docker-compose.apache.yml'] : []),
    ...(settings.apiPort === undefined ? [] : ['docker-compose.api.yml']),
    ...(settings.sshPort === undefined ? [] : ['docker-compose.ssh.yml']),
    ...more,
  ]
  const input = JSON.stringify(passedOn(env))
  const base = [
    'compose',
    '--project-directory',
    root,
    ...files.flatMap((file) => ['--file', join(root, file)]),
    '--file',
    '-',
    // A build needs no environment file, and the first test run has none yet.
    ...(existsSync(settings.environmentFile) ? ['--env-file', settings.environmentFile] : []),
    '--profile',
    'demo',
    '--progress',
    'plain',
  ]
  const environment = {
    ...env,
    INSTANCE: settings.instance,
    BERTH_ENV_FILE: settings.environmentFile,
    ...socketOf(env),
  }

  return {
    /**
     * Any other command of Compose, such as `['restart', 'director']`.
     * @param {readonly string[]} args
     */
    call: (args) =>
      run('docker', [...base, ...args], {
        timeoutMs: UP_TIMEOUT_MS,
        env: environment,
        input,
        cwd: root,
      }),

    /** @param {import('./progress.mjs').Say} say */
    build: (say) =>
      run('docker', [...base, 'build'], {
        timeoutMs: UP_TIMEOUT_MS,
        env: environment,
        input,
        cwd: root,
        onLine: (line) => say.passing(buildLine(line)),
      }),

    /** @param {import('./progress.mjs').Say} say */
    async up(say) {
      const watch = await createServiceWatch(settings.instance)
      const ended = new AbortController()
      const upping = attempt(
        'docker',
        [
          ...base,
          'up',
          '--detach',
          '--build',
          '--wait',
          '--wait-timeout',
          String(HEALTHY_WITHIN_S),
        ],
        {
          timeoutMs: UP_TIMEOUT_MS,
          env: environment,
          input,
          cwd: root,
          onLine: (line) => say.passing(buildLine(line)),
          signal: ended.signal,
        },
      ).finally(() => ended.abort())
      const failure = await firstFailure(watch, ended.signal)
      ended.abort()
      const result = await upping
      if (failure) throw failure
      if (result.code === 0) return
      throw (
        (await watch.failure(1)) ??
        (await explainTrouble(settings.instance)) ??
        new Failure('`docker compose up` failed', { lines: result.lines })
      )
    },
  }
}

/**
 * The spawner gets the socket of the engine that runs it. A rootless engine has a socket of its own.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Record<string, string>}
 */
export const socketOf = (env) => {
  const [, path] = /^unix:\/\/(\/.+)$/.exec(env['DOCKER_HOST'] ?? '') ?? []
  // Docker Desktop's socket is outside of its virtual machine. Inside, the usual path is right.
  return path && !env['DOCKER_SOCKET'] && !path.includes('/desktop/') ? { DOCKER_SOCKET: path } : {}
}

/**
 * A compose file that passes on the variables whose names are chosen by the user. It contains no values.
 * @param {NodeJS.ProcessEnv} env
 */
export const passedOn = (env) => {
  const services = FREE_NAMES.map(({ service, prefix }) => {
    const names = Object.keys(env).filter((name) => name.startsWith(prefix) && env[name])
    return [service, { environment: Object.fromEntries(names.map((name) => [name, null])) }]
  })
  return { services: Object.fromEntries(services) }
}

/**
 * Compose waits for a service that is not ready, and does not report that a service which it depends on has failed.
 * @param {import('./service-watch.mjs').ServiceWatch} watch
 * @param {AbortSignal} signal
 */
const firstFailure = async (watch, signal) => {
  while (!signal.aborted) {
    await sleep(WATCH_EVERY_MS, undefined, { signal }).catch(() => undefined)
    const failure = signal.aborted ? undefined : await watch.failure()
    if (failure) return failure
  }
  return undefined
}

/**
 * Names the service that is not ready, with the end of its log.
 * @param {string} instance
 */
const explainTrouble = async (instance) => {
  const filter = ['--filter', `label=berth.instance=${instance}`, '--filter', 'label=berth.role']
  const format = '{{.Names}}\t{{.Label "berth.role"}}\t{{.Status}}'
  const { output } = await attempt('docker', ['ps', '--all', ...filter, '--format', format], {
    timeoutMs: ASK_TIMEOUT_MS,
  })
  const [name, role, status] =
    output
      .split('\n')
      .map((line) => line.split('\t'))
      .filter(([, , text]) => isTroubled(text ?? ''))
      .sort(([, , one], [, , other]) => blame(other) - blame(one))[0] ?? []
  if (!name) return undefined
  return new Failure(
    `the service ${role} is not ready (${(status ?? '').toLowerCase()}). The log says:`,
    {
      lines: await lastWords(name),
      help: `The whole log: docker logs ${name}`,
    },
  )
}

/**
 * A service that has ended is the cause; one that was never started waits for another.
 * @param {string | undefined} status
 */
const blame = (status = '') =>
  /^(Exited|Restarting|Dead)/.test(status) ? 2 : /^Up/.test(status) ? 1 : 0

/** @param {string} status as `docker ps` says it */
export const isTroubled = (status) =>
  /^(Exited|Restarting|Dead|Created)/.test(status) ||
  /\((unhealthy|health: starting)\)/.test(status)
