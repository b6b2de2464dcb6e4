// @ts-check
// Installs packages of Debian and Ubuntu with apt. The callers decide which packages are needed.
import { readFile, writeFile } from 'node:fs/promises'
import { buildLine } from './build-line.mjs'
import { attempt, run } from './command.mjs'
import { Failure } from './failure.mjs'

const APT_TIMEOUT_MS = 15 * 60_000
const APT_ENV = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' }
/** Another apt may be running (unattended upgrades): wait for it instead of failing. */
const WAIT_FOR_LOCK = ['-o', 'DPkg::Lock::Timeout=300']

/**
 * @typedef {{ id: string, codename: string }} Distribution
 * @typedef {{ uri: string, suite: string, keyring: string }} Mirror
 */

/** @returns {Promise<Distribution>} */
export const readDistribution = async () => {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return parseDistribution(text)
}

/**
 * @param {string} osRelease the text of /etc/os-release
 * @returns {Distribution}
 */
export const parseDistribution = (osRelease) => {
  /** @param {string} key */
  const value = (key) =>
    (new RegExp(`^${key}=(.*)$`, 'm').exec(osRelease)?.[1] ?? '').replace(/^["']|["']$/g, '')
  return {
    id: value('ID'),
    codename: value('VERSION_CODENAME'),
  }
}

/** @param {readonly string[]} names */
const missingPackages = async (names) => {
  const { output } = await attempt(
    'dpkg-query',
    ['-W', '-f', '${Package} ${db:Status-Status}\\n', ...names],
    { timeoutMs: 30_000 },
  )
  const installed = new Set(
    output
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  )
  return names.filter((name) => !installed.has(name))
}

export const refreshLists = () =>
  run('apt-get', ['update', '-q', ...WAIT_FOR_LOCK], { timeoutMs: APT_TIMEOUT_MS, env: APT_ENV })

/**
 * @param {readonly string[]} packages names, each perhaps with `/suite`
 * @param {(detail: string) => void} [onLine]
 */
export const installPackages = (packages, onLine) =>
  run(
    'apt-get',
    ['install', '-y', '-q', '--no-install-recommends', ...WAIT_FOR_LOCK, ...packages],
    {
      timeoutMs: APT_TIMEOUT_MS,
      env: APT_ENV,
      ...(onLine ? { onLine } : {}),
      help: 'Correct what apt reports above, and run the same command again.',
    },
  )

/**
 * Installs the missing packages. If none is missing, apt is not called.
 * @param {readonly string[]} names
 * @param {import('./progress.mjs').Say} say
 */
export const ensurePackages = async (names, say) => {
  const missing = await missingPackages(names)
  if (missing.length === 0) return
  if (process.getuid?.() !== 0) {
    throw new Failure(`these packages are needed: ${missing.join(' ')}`, {
      help: `As root: apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}`,
    })
  }
  say(`reading the package lists`)
  await refreshLists()
  say(`installing ${missing.join(', ')}`)
  await installPackages(missing, (line) =>
    say.passing(`installing ${missing.join(', ')}: ${buildLine(line)}`),
  )
}

/**
 * The Debian mirror that this machine already uses, from the configuration of apt.
 * @param {Distribution} distribution
 * @returns {Promise<Mirror>}
 */
export const findMirror = async ({ codename }) => {
  const found =
    (await configuredMirror(codename)) ??
    (await refreshLists().then(() => configuredMirror(codename)))
  if (found) return found
  throw new Failure(`apt knows no source for ${codename} main`, {
    help: 'Add the distribution’s own source to /etc/apt/sources.list.d and run the same command again.',
  })
}

/**
 * @param {string} codename
 * @returns {Promise<Mirror | undefined>}
 */
const configuredMirror = async (codename) => {
  const format = '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)'
  const { output } = await attempt(
    'apt-get',
    ['indextargets', '--format', format, 'Created-By: Packages'],
    {
      timeoutMs: 30_000,
      env: APT_ENV,
    },
  )
  return pickMirror(output, codename)
}

/**
 * @param {string} targets lines of `uri|release|component|keyring`
 * @param {string} codename
 * @returns {Mirror | undefined}
 */
export const pickMirror = (targets, codename) => {
  const [uri, , , signedBy] =
    targets
      .split('\n')
      .map((line) => line.split('|'))
      .find(([, release, component]) => release === codename && component === 'main') ?? []
  if (!uri) return undefined
  const keyring = signedBy?.startsWith('/')
    ? signedBy
    : '/usr/share/keyrings/debian-archive-keyring.gpg'
  return { uri, suite: codename, keyring }
}

/**
 * Adds another suite of the same mirror to apt, with a priority so low that apt installs nothing from it by itself.
 * @param {{ mirror: Mirror, suite: string, name: string, why: string }} source
 */
export const addPinnedSuite = async ({ mirror, suite, name, why }) => {
  await writeFile(
    `/etc/apt/sources.list.d/${name}.sources`,
    [
      `# ${why}`,
      'Types: deb',
      `URIs: ${mirror.uri}`,
      `Suites: ${suite}`,
      'Components: main',
      `Signed-By: ${mirror.keyring}`,
      '',
    ].join('\n'),
  )
  await writeFile(
    `/etc/apt/preferences.d/${name}`,
    [`Explanation: ${why}`, 'Package: *', `Pin: release n=${suite}`, 'Pin-Priority: 60', ''].join(
      '\n',
    ),
  )
  await refreshLists()
}
