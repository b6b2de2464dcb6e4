// @ts-check
// The images that run as workspaces in the demo and in the gallery. They are built here and never pulled. Compose has no
// service for them: only the spawner runs them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildLine } from './build-line.mjs'
import { run } from './command.mjs'

const BUILD_TIMEOUT_MS = 20 * 60_000
const IMAGES = [
  { name: 'berth/hello', folder: 'demo/hello' },
  { name: 'berth/lab', folder: 'demo/lab' },
]

/**
 * The folders of the gallery: an application each.
 * @param {string} root
 */
export const galleryFolders = (root) =>
  readdirSync(join(root, 'gallery'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()

/**
 * @param {string} root
 * @param {import('./progress.mjs').Say} say
 */
export const buildDemoImages = (root, say) => buildImages(root, IMAGES, say)

/**
 * @param {string} root
 * @param {readonly string[]} folders
 * @param {import('./progress.mjs').Say} say
 */
export const buildGalleryImages = (root, folders, say) =>
  buildImages(
    root,
    folders.map((name) => ({ name: `berth/gallery-${name}`, folder: `gallery/${name}` })),
    say,
  )

/**
 * One at a time.
 * @param {string} root
 * @param {readonly { name: string, folder: string }[]} images
 * @param {import('./progress.mjs').Say} say
 * @returns {Promise<string[]>} their names
 */
const buildImages = async (root, images, say) => {
  for (const { name, folder } of images) {
    say(`building ${name}`)
    await run('docker', ['build', '--progress', 'plain', '--tag', name, join(root, folder)], {
      timeoutMs: BUILD_TIMEOUT_MS,
      onLine: (line) => say.passing(`building ${name}: ${buildLine(line)}`),
      help: 'A build needs Debian’s packages, npm and PyPI. Once they can be reached, run the same command again.',
    })
  }
  return images.map(({ name }) => name)
}
