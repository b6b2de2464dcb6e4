// @ts-check
// Provides the base images: a present image is used, otherwise it is pulled, otherwise an offline base image is made.
import { attempt } from './command.mjs'
import { Failure } from './failure.mjs'

/** How long a registry may take for its first line of output, and for the whole image. */
const FIRST_WORD_MS = 15_000
const PULL_TIMEOUT_MS = 10 * 60_000

/**
 * @typedef {import('./progress.mjs').Say} Say
 * @typedef {'present' | 'pulled' | 'made'} ImageSource
 * @typedef {{ name: string, make: (say: Say) => Promise<void> }} WantedImage
 */

/**
 * Pulls run in parallel, so that a silent registry costs only one deadline. Offline base images follow in order.
 * @param {readonly WantedImage[]} wanted
 * @param {Say} say
 * @returns {Promise<{ name: string, source: ImageSource }[]>}
 */
export const ensureImages = async (wanted, say) => {
  const found = await Promise.all(
    wanted.map(async (image) => ({ ...image, source: await findOrPull(image.name, say) })),
  )
  const result = []
  for (const { name, make, source } of found) {
    if (!source) await make(prefixed(say, name))
    result.push({ name, source: source ?? /** @type {const} */ ('made') })
  }
  return result
}

/**
 * @param {string} name
 * @param {Say} say
 * @returns {Promise<'present' | 'pulled' | undefined>}
 */
export const findOrPull = async (name, say) => {
  if (await isPresent(name)) return 'present'
  say(`pulling ${name}`)
  const { code } = await attempt('docker', ['pull', name], {
    timeoutMs: PULL_TIMEOUT_MS,
    firstLineMs: FIRST_WORD_MS,
    onLine: (line) => say.passing(`pulling ${name}: ${line.slice(0, 60)}`),
  })
  return code === 0 ? 'pulled' : undefined
}

/** @param {string} name */
export const isPresent = async (name) => {
  const { code, lines } = await attempt(
    'docker',
    ['image', 'inspect', '--format', '{{.Id}}', name],
    { timeoutMs: 20_000 },
  )
  if (code === 0) return true
  if (lines.some((line) => /no such image/i.test(line))) return false
  throw new Failure(`the engine did not say whether it has the image ${name}`, { lines })
}

/**
 * @param {Say} say
 * @param {string} name
 * @returns {Say}
 */
const prefixed = (say, name) =>
  Object.assign((/** @type {string} */ detail) => say(`${name}: ${detail}`), {
    passing: (/** @type {string} */ detail) => say.passing(`${name}: ${detail}`),
  })
