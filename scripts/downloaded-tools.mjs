// @ts-check
// What the tests run beside Berth: Prometheus and Caddy, from the distribution's packages, and Schemathesis, Ansible and
// Paramiko, from PyPI. They are kept in node_modules/.cache, and nothing is installed on the machine: these packages would start services.
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { attempt, run } from './command.mjs'
import { ensurePackages, refreshLists } from './packages.mjs'

/** What is installed from PyPI, by the program that it is needed for. */
const SCHEMATHESIS = ['schemathesis==4.32.5']
const ANSIBLE = ['ansible-core==2.19.14', 'paramiko==5.1.0']
const TIMEOUT_MS = 5 * 60_000

/**
 * @param {string} root
 * @param {import('./progress.mjs').Say} say
 * @returns {Promise<{ prometheus: string, caddy: string, schemathesis: string, ansible: string }>} the folder with
 *   `prometheus` and `promtool`, two programs, and the folder with `ansible-playbook` and a `python` that has Paramiko
 */
export const ensureDownloadedTools = async (root, say) => {
  const cache = join(root, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  return {
    prometheus: dirname(await ensureExtracted(cache, ['prometheus'], 'usr/bin/prometheus', say)),
    caddy: await ensureExtracted(cache, ['caddy'], 'usr/bin/caddy', say),
    schemathesis: join(
      await ensurePython(cache, SCHEMATHESIS, 'schemathesis', say),
      'schemathesis',
    ),
    ansible: await ensurePython(cache, ANSIBLE, 'ansible-playbook', say),
  }
}

/**
 * @param {string} cache
 * @param {readonly [string, ...string[]]} packages that are extracted into one folder
 * @param {string} program its path in them
 * @param {import('./progress.mjs').Say} say
 * @returns the path of the program
 */
export const ensureExtracted = async (cache, packages, program, say) => {
  const [name] = packages
  const folder = join(cache, name)
  const path = join(folder, program)
  if (await isThere(path)) return path
  say(`downloading ${name}`)
  const next = `${folder}.next`
  await rm(next, { recursive: true, force: true })
  await mkdir(next)
  const args = ['download', '-q', ...packages]
  const options = { cwd: next, timeoutMs: TIMEOUT_MS }
  // The lists of a machine may be old, or missing.
  if ((await attempt('apt-get', args, options)).code !== 0) {
    await refreshLists()
    await run('apt-get', args, options)
  }
  for (const file of (await readdir(next)).filter((name) => name.endsWith('.deb')))
    await run('dpkg-deb', ['-x', join(next, file), next], { timeoutMs: TIMEOUT_MS })
  await rm(folder, { recursive: true, force: true })
  await rename(next, folder)
  return path
}

/**
 * @param {string} cache
 * @param {readonly string[]} packages with their versions
 * @param {string} program that they bring
 * @param {import('./progress.mjs').Say} say
 * @returns the folder of their programs
 */
const ensurePython = async (cache, packages, program, say) => {
  const folder = join(cache, packages.join('+').replaceAll('==', '-'))
  const programs = join(folder, 'bin')
  const isInstalled = await attempt(join(programs, program), ['--version'], { timeoutMs: 60_000 })
  if (isInstalled.code === 0) return programs
  // The module `venv` alone is there without the package, but cannot install pip.
  const { code } = await attempt('python3', ['-c', 'import venv, ensurepip'], { timeoutMs: 30_000 })
  if (code !== 0) await ensurePackages(['python3', 'python3-venv'], say)
  say(`installing ${packages.join(' and ')}`)
  await rm(folder, { recursive: true, force: true })
  await run('python3', ['-m', 'venv', folder], { timeoutMs: TIMEOUT_MS })
  await run(join(programs, 'pip'), ['install', '-q', '--disable-pip-version-check', ...packages], {
    timeoutMs: TIMEOUT_MS,
    help: 'pip must reach its package index.',
  })
  return programs
}

/** @param {string} path */
const isThere = (path) =>
  access(path).then(
    () => true,
    () => false,
  )
