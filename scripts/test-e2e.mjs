// @ts-check
// `npm run test:e2e [file…]`: runs the contract tests and proofs, several at a time, and then, one at a time, those that measure load.
// TEST_NAMES selects tests by a pattern of their names.
import { globSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { run } from 'node:test'
import testReporter from './test-reporter.mjs'

const root = join(import.meta.dirname, '..')
const PATTERNS = ['e2e/proofs/**/*.test.ts', 'spawner/src/docker/**/*.contract.ts']
/** The tests mostly wait for timeouts, starts and stops. More at a time would compete for two processors. */
const AT_A_TIME = 3
/**
 * These measure memory, the use of processors, short times, or how many containers run at once, which other tests would
 * distort.
 */
const ALONE = ['/proofs/alone/', '/contract/freezing.contract.ts']
/** @param {string} file */
const isAlone = (file) => ALONE.some((part) => file.includes(part))
/** The longest files run first, so that none of them is left alone at the end. */
const LONGEST = [
  '17-freeze',
  '05-18-37-own-engine',
  '09-failures',
  '11-networks',
  '04-idle-and-lifetime',
  '05-recovery',
  '03-limits-and-queue',
  '15-seats',
  '07-clients-that-wait',
]

/** @param {string} file */
const rank = (file) => {
  const place = LONGEST.findIndex((name) => basename(file).startsWith(name))
  return place === -1 ? LONGEST.length : place
}

const named = process.argv.slice(2)
const files = (named.length > 0 ? named : globSync(PATTERNS, { cwd: root }).sort())
  .map((file) => resolve(root, file))
  .sort((one, other) => rank(one) - rank(other))

const wanted = process.env['TEST_NAMES']
const execArgv = ['--import', join(import.meta.dirname, 'file-deadline.mjs')]
const options = { cwd: root, execArgv, ...(wanted && { testNamePatterns: new RegExp(wanted) }) }

async function* events() {
  const beside = files.filter((file) => !isAlone(file))
  const alone = files.filter(isAlone)
  if (beside.length > 0) yield* run({ files: beside, concurrency: AT_A_TIME, ...options })
  if (alone.length > 0) yield* run({ files: alone, concurrency: 1, ...options })
}

for await (const text of testReporter(watched(events()))) process.stdout.write(text)

/** @param {AsyncIterable<import('./test-reporter.mjs').Event>} source */
async function* watched(source) {
  for await (const event of source) {
    if (event.type === 'test:fail') process.exitCode = 1
    yield event
  }
}
