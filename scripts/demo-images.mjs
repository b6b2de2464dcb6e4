// @ts-check
// The images that run as workspaces in the demo. They are built here and never pulled. Compose has no service for them:
// only the spawner runs them.
import { join } from 'node:path'
import { buildLine } from './build-line.mjs'
import { run } from './command.mjs'

const BUILD_TIMEOUT_MS = 20 * 60_000
const IMAGES = [
  { name: 'berth/hello', folder: 'demo/hello' },
  { name: 'berth/lab', folder: 'demo/lab' },
]

/**
 * @param {string} root
 * @param {import('./progress.mjs').Say} say
 * @returns {Promise<string[]>} their names
 */
export const buildDemoImages = async (root, say) => {
  for (const { name, folder } of IMAGES) {
    say(`building ${name}`)
    await run('docker', ['build', '--progress', 'plain', '--tag', name, join(root, folder)], {
      timeoutMs: BUILD_TIMEOUT_MS,
      onLine: (line) => say.passing(`building ${name}: ${buildLine(line)}`),
      help: 'A build needs Debian’s packages, npm and PyPI. Once they can be reached, run the same command again.',
    })
  }
  return IMAGES.map(({ name }) => name)
}
