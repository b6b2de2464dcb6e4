// @ts-check
// What the tests run beside Berth: Prometheus and Caddy, from the distribution's packages, and Schemathesis, from PyPI. They
// are kept in node_modules/.cache, and nothing is installed on the machine: these packages would start services.
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { attempt, run } from './command.mjs'
import { ensurePackages, refreshLists } from './packages.mjs'

const SCHEMATHESIS = '4.32.5'
const TIMEOUT_MS = 5 * 60_000

/**
 * @param {string} root
 * @param {import('./progress.mjs').Say} say
 * @returns {Promise<{ prometheus: string, caddy: string, schemathesis: string }>} the folder with `prometheus` and
 *   `promtool`, and two programs
 */
export const ensureDownloadedTools = async (root, say) => {
  const cache = join(root, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  return {
    prometheus: await ensureExtracted(cache, 'prometheus', say),
    caddy: join(await ensureExtracted(cache, 'caddy', say), 'caddy'),
    schemathesis: await ensureSchemathesis(cache, say),
  }
}

/**
 * @param {string} cache
 * @param {string} name of a package, and of a program in it
 * @param {import('./progress.mjs').Say} say
 * @returns the folder of its programs
 */
const ensureExtracted = async (cache, name, say) => {
  const folder = join(cache, name)
  const programs = join(folder, 'usr/bin')
  if (await isThere(join(programs, name))) return programs
  say(`downloading ${name}`)
  const next = `${folder}.next`
  await rm(next, { recursive: true, force: true })
  await mkdir(next)
  const args = ['download', '-q', name]
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
  return programs
}

/**
 * @param {string} cache
 * @param {import('./progress.mjs').Say} say
 */
const ensureSchemathesis = async (cache, say) => {
  const folder = join(cache, `schemathesis-${SCHEMATHESIS}`)
  const program = join(folder, 'bin/schemathesis')
  if ((await attempt(program, ['--version'], { timeoutMs: 60_000 })).code === 0) return program
  // The module `venv` alone is there without the package, but cannot install pip.
  const { code } = await attempt('python3', ['-c', 'import venv, ensurepip'], { timeoutMs: 30_000 })
  if (code !== 0) await ensurePackages(['python3', 'python3-venv'], say)
  say(`installing schemathesis ${SCHEMATHESIS}`)
  await rm(folder, { recursive: true, force: true })
  await run('python3', ['-m', 'venv', folder], { timeoutMs: TIMEOUT_MS })
  await run(
    join(folder, 'bin/pip'),
    ['install', '-q', '--disable-pip-version-check', `schemathesis==${SCHEMATHESIS}`],
    { timeoutMs: TIMEOUT_MS, help: 'pip must reach its package index.' },
  )
  return program
}

/** @param {string} path */
const isThere = (path) =>
  access(path).then(
    () => true,
    () => false,
  )
