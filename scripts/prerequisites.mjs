// @ts-check
// What the demo and the tests need first: packages, an engine, base images.
import { ensureDependencies } from './dependencies.mjs'
import { ensureEngine } from './engine.mjs'
import { ensureImages } from './images.mjs'
import { makeDebian, makeNode } from './offline-base-images.mjs'

const DEBIAN = 'debian:bookworm-slim'
const NODE = 'node:24-bookworm-slim'
const ENGINE_WORDS = { found: '', started: ', started', installed: ', installed and started' }
const IMAGE_WORDS = {
  present: 'present',
  pulled: 'pulled',
  made: 'made from packages, as no registry answers',
}

/** @typedef {import('./progress.mjs').Progress} Progress */

/** @param {{ root: string, progress: Progress }} deps */
export const prepareDependencies = ({ root, progress }) =>
  progress.step(
    'dependencies',
    (say) => ensureDependencies(root, say),
    (state) => state,
  )

/** @param {{ root: string, settings: import('./settings.mjs').ScriptSettings, progress: Progress }} deps */
export const prepareEngine = async ({ root, settings, progress }) => {
  await progress.step(
    'engine',
    (say) =>
      ensureEngine({
        mayInstall: settings.mayInstallEngine,
        chosenElsewhere: settings.engineChosenElsewhere,
        say,
      }),
    ({ version, how }) => `Docker ${version}${ENGINE_WORDS[how]}`,
  )
  await progress.step(
    'base images',
    (say) =>
      ensureImages(
        [
          { name: DEBIAN, make: (tell) => makeDebian(DEBIAN, { root, say: tell }) },
          { name: NODE, make: (tell) => makeNode(NODE, { root, base: DEBIAN, say: tell }) },
        ],
        say,
      ),
    (images) => {
      const sources = new Set(images.map(({ source }) => source))
      const [only] = sources
      return sources.size === 1 && only
        ? IMAGE_WORDS[only]
        : images.map(({ name, source }) => `${name} ${source}`).join(', ')
    },
  )
}
