// @ts-check
// Finds the Docker Engine of this machine, or installs one from the packages of the distribution and starts it.
// An engine that DOCKER_HOST or a docker context names is never replaced.
import { openSync, closeSync } from 'node:fs'
import { access, readFile, rm } from 'node:fs/promises'
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { attempt, run } from './command.mjs'
import { Failure } from './failure.mjs'
import {
  addPinnedSuite,
  findMirror,
  installPackages,
  readDistribution,
  refreshLists,
} from './packages.mjs'

const INFO_TIMEOUT_MS = 20_000
const START_TIMEOUT_MS = 60_000
const LOG_FILE = '/var/log/dockerd.log'
const PID_FILES = [
  { path: '/var/run/docker.pid', program: 'dockerd' },
  { path: '/var/run/docker/containerd/containerd.pid', program: 'containerd' },
]

/**
 * @typedef {import('./packages.mjs').Distribution} Distribution
 * @typedef {{ packages: readonly string[], composePackages: readonly string[], suite?: string }} EnginePackages
 * @typedef {{ version: string, how: 'found' | 'started' | 'installed' }} Engine
 */

/**
 * @param {{ mayInstall: boolean, chosenElsewhere: boolean, say: import('./progress.mjs').Say }} deps
 *   `chosenElsewhere`: DOCKER_HOST or DOCKER_CONTEXT says which engine is meant
 * @returns {Promise<Engine>}
 */
export const ensureEngine = async ({ mayInstall, chosenElsewhere, say }) => {
  say.passing('looking for a Docker Engine')
  /** @type {Engine['how']} */
  let how = 'found'
  let answer = await askEngine()
  if (!answer.version && (chosenElsewhere || (await usesContext()))) {
    throw new Failure(
      'the Docker Engine that DOCKER_HOST or the Docker context names does not answer',
      {
        lines: answer.lines,
        help: 'Start it; or, for an engine on this machine, unset DOCKER_HOST and `docker context use default`.',
      },
    )
  }
  if (!answer.version) {
    how = (await installed('dockerd')) ? 'started' : 'installed'
    if (how === 'installed') await installEngine({ mayInstall, say })
    say('starting the Docker Engine')
    answer = await startEngine()
  }
  await ensureCompose({ mayInstall, say })
  return { version: answer.version, how }
}

/** Whether `docker context use` has selected an engine. */
const usesContext = async () => {
  const { code, output } = await attempt('docker', ['context', 'show'], {
    timeoutMs: INFO_TIMEOUT_MS,
  })
  return code === 0 && !['', 'default'].includes(output.trim())
}

const askEngine = async () => {
  const { code, output, lines } = await attempt(
    'docker',
    ['info', '--format', '{{.ServerVersion}}'],
    {
      timeoutMs: INFO_TIMEOUT_MS,
    },
  )
  // An old client exits with 0 although the engine does not answer, so only the version counts.
  const version = code === 0 ? output.trim() : ''
  return { version: /^\d+\.\d+/.test(version) ? version : '', lines }
}

/** @param {{ mayInstall: boolean, say: import('./progress.mjs').Say }} deps */
const installEngine = async ({ mayInstall, say }) => {
  const distribution = await readDistribution()
  const wanted = installablePackages({ mayInstall, distribution, what: 'no Docker Engine answers' })
  await install(distribution, wanted, wanted.packages, say)
}

/** @param {{ mayInstall: boolean, say: import('./progress.mjs').Say }} deps */
const ensureCompose = async ({ mayInstall, say }) => {
  const compose = await attempt('docker', ['compose', 'version'], { timeoutMs: INFO_TIMEOUT_MS })
  const buildx = await attempt('docker', ['buildx', 'version'], { timeoutMs: INFO_TIMEOUT_MS })
  if (compose.code === 0 && buildx.code === 0) return
  const distribution = await readDistribution()
  const what = 'Docker is here, but not its Compose and Buildx plugins'
  const wanted = installablePackages({ mayInstall, distribution, what })
  await install(distribution, wanted, wanted.composePackages, say)
}

/**
 * The packages of an engine; `undefined` for a distribution that is not supported.
 * @param {Distribution} distribution
 * @returns {EnginePackages | undefined}
 */
export const enginePackages = ({ id, codename }) => {
  const debian = {
    packages: ['docker.io', 'docker-cli', 'docker-compose', 'docker-buildx', 'iptables'],
    composePackages: ['docker-compose', 'docker-buildx'],
  }
  if (id === 'ubuntu') {
    return {
      packages: ['docker.io', 'docker-compose-v2', 'docker-buildx', 'iptables'],
      composePackages: ['docker-compose-v2', 'docker-buildx'],
    }
  }
  if (id !== 'debian') return undefined
  // bookworm has no package of Compose 2. The packages of trixie work there. Older distributions have too old a libc.
  if (codename === 'bookworm') return { ...debian, suite: 'trixie' }
  return ['buster', 'bullseye'].includes(codename) ? undefined : debian
}

/**
 * Returns the packages if they may and can be installed here. Otherwise the error says what a person can do instead.
 * @param {{ mayInstall: boolean, distribution: Distribution, what: string }} state
 * @returns {EnginePackages}
 */
const installablePackages = ({ mayInstall, distribution, what }) => {
  const help =
    'Install Docker Engine 25 or newer with its Compose plugin (https://docs.docker.com/engine/install/), start it, and run the same command again.'
  if (!mayInstall) {
    throw new Failure(`${what}, and BERTH_INSTALL_ENGINE=0 forbids installing`, { help })
  }
  const packages = enginePackages(distribution)
  if (!packages)
    throw new Failure(`${what}, and this script cannot install one on this system`, { help })
  if (process.getuid?.() !== 0) {
    throw new Failure(`${what}, and only root can install it`, {
      help: `${help}\nOr run this command as root.`,
    })
  }
  return packages
}

/**
 * @param {Distribution} distribution
 * @param {EnginePackages} wanted
 * @param {readonly string[]} packages
 * @param {import('./progress.mjs').Say} say
 */
const install = async (distribution, { suite }, packages, say) => {
  say('reading the package lists')
  if (suite) {
    const mirror = await findMirror(distribution)
    await addPinnedSuite({
      mirror,
      suite,
      name: 'berth-docker',
      why: `Docker for Berth, from Debian ${suite}; nothing else is taken from there.`,
    })
  } else {
    await refreshLists()
  }
  say(
    `installing Docker from ${distribution.id === 'ubuntu' ? 'Ubuntu' : 'Debian'} ${suite ?? distribution.codename}`,
  )
  await installPackages(
    packages.map((name) => (suite && name !== 'iptables' ? `${name}/${suite}` : name)),
  )
}

const startEngine = async () => {
  if (process.getuid?.() !== 0) {
    throw new Failure('Docker is installed, but its engine does not answer this user', {
      help: 'Start it as root (`systemctl start docker`), or add this user to the group `docker` and sign in again.',
    })
  }
  const systemd = await exists('/run/systemd/system')
  // The installation may have started the engine already.
  const already = await askEngine()
  if (already.version) return already
  if (systemd) {
    await run('systemctl', ['enable', '--now', 'docker'], {
      timeoutMs: START_TIMEOUT_MS,
      help: 'See the log: journalctl -u docker',
    })
  } else {
    await removeStalePidFiles()
    startDetached()
  }
  return waitForEngine(systemd ? 'journalctl -u docker' : LOG_FILE)
}

/** A pid file with the number of another program would keep the engine from starting. */
const removeStalePidFiles = async () => {
  for (const { path, program } of PID_FILES) {
    const pid = (await readFile(path, 'utf8').catch(() => '')).trim()
    if (!pid) continue
    const runs = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim()
    if (runs !== program) await rm(path, { force: true })
  }
}

const startDetached = () => {
  const log = openSync(LOG_FILE, 'a')
  const child = spawn('dockerd', [], { detached: true, stdio: ['ignore', log, log], cwd: '/' })
  // Whether the engine runs is checked below by a request; an error here shows there.
  child.on('error', () => {})
  child.unref()
  closeSync(log)
}

/** @param {string} log where the log of the engine is */
const waitForEngine = async (log) => {
  const until = Date.now() + START_TIMEOUT_MS
  while (Date.now() < until) {
    const answer = await askEngine()
    if (answer.version) return answer
    await sleep(300)
  }
  const text = await readFile(LOG_FILE, 'utf8').catch(() => '')
  throw new Failure(`the Docker Engine did not answer within ${START_TIMEOUT_MS / 1000} s`, {
    lines: text.split('\n').filter(Boolean).slice(-15),
    help: `Its log is in ${log}.`,
  })
}

/** @param {string} program */
const installed = async (program) => {
  const places = (process.env['PATH'] ?? '').split(':').concat('/usr/sbin', '/sbin')
  for (const place of places) if (await exists(`${place}/${program}`)) return true
  return false
}

/** @param {string} path */
const exists = (path) =>
  access(path).then(
    () => true,
    () => false,
  )
