// @ts-check
// The npm packages of the lockfile, including Node 24. They are installed again only when the lockfile has changed.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { attempt, run } from './command.mjs'

const INSTALL_TIMEOUT_MS = 10 * 60_000
const NODE_MAJOR = 24

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} LockedPackage
 * @typedef {{ packages?: Record<string, LockedPackage> }} Lockfile
 */

/**
 * @param {string} root
 * @param {import('./progress.mjs').Say} say
 * @returns {Promise<'up to date' | 'installed'>}
 */
export const ensureDependencies = async (root, say) => {
  const [wanted, present] = await Promise.all([
    readLockfile(join(root, 'package-lock.json')),
    readLockfile(join(root, 'node_modules/.package-lock.json')),
  ])
  if (isUpToDate(wanted, present) && (await hasNode(root))) return 'up to date'
  say('npm ci')
  await run('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    timeoutMs: INSTALL_TIMEOUT_MS,
    onLine: (line) => say.passing(`npm ci: ${line.slice(0, 60)}`),
    help: 'npm must reach its package registry. Once it does, run the same command again.',
  })
  return 'installed'
}

/**
 * Whether every package of the lockfile is installed in that version. Optional packages are for other systems.
 * @param {Lockfile} wanted
 * @param {Lockfile} present the lockfile that npm wrote when it last installed
 */
export const isUpToDate = (wanted, present) => {
  const there = present.packages ?? {}
  return Object.entries(wanted.packages ?? {})
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.optional && !entry.link)
    .every(
      ([path, { version, integrity }]) =>
        there[path]?.version === version && there[path]?.integrity === integrity,
    )
}

/** @param {string} root */
const hasNode = async (root) => {
  const { output } = await attempt(join(root, 'node_modules/.bin/node'), ['--version'], {
    timeoutMs: 10_000,
  })
  return output.startsWith(`v${NODE_MAJOR}.`)
}

/**
 * @param {string} path
 * @returns {Promise<Lockfile>}
 */
const readLockfile = async (path) => JSON.parse(await readFile(path, 'utf8').catch(() => '{}'))
