// @ts-check
// What the tests run beside Berth: Prometheus and Caddy, from the distribution's packages. They are kept in
// node_modules/.cache, and nothing is installed on the machine: the packages would start services.
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { attempt, run } from './command.mjs'
import { refreshLists } from './packages.mjs'

const TIMEOUT_MS = 5 * 60_000

/**
 * @param {string} root
 * @param {import('./progress.mjs').Say} say
 * @returns {Promise<{ prometheus: string, caddy: string }>} the folder with `promtool`, and the path of a program
 */
export const ensureDownloadedTools = async (root, say) => {
  const cache = join(root, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  return {
    prometheus: await ensureExtracted(cache, 'prometheus', say),
    caddy: join(await ensureExtracted(cache, 'caddy', say), 'caddy'),
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

/** @param {string} path */
const isThere = (path) =>
  access(path).then(
    () => true,
    () => false,
  )
