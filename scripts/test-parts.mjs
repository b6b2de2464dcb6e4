// @ts-check
// Runs one part of `npm test`: an npm script. Returns its duration and, for tests, their results.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attempt } from './command.mjs'
import { formatElapsed } from './progress.mjs'

const TIMEOUT_MS = 90 * 60_000

/**
 * @typedef {import('./test-reporter.mjs').TestResults} TestResults
 * @typedef {{ name: string, ok: boolean, ms: number, results?: TestResults | undefined }} PartResult
 * @typedef {object} PartOptions
 * @property {string} root
 * @property {NodeJS.ProcessEnv} env
 * @property {import('./progress.mjs').Progress} progress
 * @property {boolean} [live] prints the output at once; otherwise all of it when the part has ended
 */

/**
 * @param {string} name an npm script
 * @param {PartOptions} options
 * @returns {Promise<PartResult>}
 */
export const runPart = async (name, { root, env, progress, live = false }) => {
  const startedAt = progress.elapsedMs()
  const title = `\n▶ npm run ${name} (at ${formatElapsed(startedAt)})`
  if (live) progress.line(title)
  /** @type {string[]} */
  const lines = []
  const folder = await mkdtemp(join(tmpdir(), 'berth-test-'))
  try {
    const resultsFile = join(folder, 'results.json')
    const { code } = await attempt('npm', ['run', '--silent', name], {
      cwd: root,
      env: { ...env, TEST_RESULTS: resultsFile },
      timeoutMs: TIMEOUT_MS,
      onLine: live ? (line) => progress.line(`  ${line}`) : (line) => lines.push(`  ${line}`),
    })
    if (!live) for (const line of [title, ...lines, '']) progress.line(line)
    const results = await readResults(resultsFile)
    const ok = code === 0 && (!name.startsWith('test:') || passedAll(results))
    return { name, ok, ms: progress.elapsedMs() - startedAt, results }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/**
 * A run that found no test proves nothing, whatever its exit code.
 * @param {TestResults | undefined} results
 */
export const passedAll = (results) =>
  results !== undefined && results.passed > 0 && results.failed === 0 && results.skipped === 0

/**
 * @param {string} file
 * @returns {Promise<TestResults | undefined>} `undefined` if the run ended before it wrote results
 */
const readResults = async (file) => {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : JSON.parse(text)
}
