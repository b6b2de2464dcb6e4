// @ts-check
// `npm run gallery -- [NAME…]`: builds the images of the gallery, proves the applications in a browser, all or those that are
// named by their folders, and writes what it saw into docs/gallery.md. It needs the package registries and takes three to six
// minutes for each application once its image is built.
import { join } from 'node:path'
import { attempt, isEnding } from './command.mjs'
import { buildGalleryImages, galleryFolders } from './demo-images.mjs'
import { cleanUp, prepareEndToEnd } from './end-to-end.mjs'
import { Failure } from './failure.mjs'
import { prepareDependencies } from './prerequisites.mjs'
import { runScript } from './session.mjs'
import { testInstanceName } from './test-instance.mjs'

const root = join(import.meta.dirname, '..')
const own = testInstanceName(process.pid)
const TIMEOUT_MINUTES = 6 * 60

/**
 * @param {readonly string[]} named
 * @returns {readonly string[]}
 */
const foldersOf = (named) => {
  const all = galleryFolders(root)
  const unknown = named.filter((name) => !all.includes(name))
  if (unknown.length > 0)
    throw new Failure(`the gallery has no ${unknown.join(', ')}`, {
      help: `It has: ${all.join(', ')}`,
    })
  return named.length > 0 ? named : all
}

await runScript(
  async (progress) => {
    const folders = foldersOf(process.argv.slice(2))
    await prepareDependencies({ root, progress })
    const env = await prepareEndToEnd({ root, own, progress })
    await progress.step(
      'gallery',
      (say) => buildGalleryImages(root, folders, say),
      (names) => `${names.join(', ')} built`,
    )
    try {
      const { code } = await attempt(
        join(root, 'node_modules/.bin/node'),
        ['scripts/test-e2e.mjs', 'e2e/gallery/gallery.test.ts'],
        {
          cwd: root,
          env: { ...env, GALLERY: folders.join(), TEST_FILE_MINUTES: String(TIMEOUT_MINUTES) },
          timeoutMs: TIMEOUT_MINUTES * 60_000,
          onLine: (line) => progress.line(`  ${line}`),
        },
      )
      if (code !== 0 && !isEnding())
        throw new Failure('not everything holds: docs/gallery.md has what was seen')
    } finally {
      if (!isEnding()) await cleanUp(own, progress)
    }
  },
  { onInterrupt: async (progress) => void (await cleanUp(own, progress)) },
)
