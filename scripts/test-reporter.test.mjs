// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passedAll } from './test-parts.mjs'
import { report } from './test-reporter.mjs'

/** @typedef {import('./test-reporter.mjs').TestResults} TestResults */

const file = 'some/proof.test.ts'
const inside = { file, entryFile: file }
const summary = { passed: 1, failed: 1, cancelled: 0, skipped: 0, todo: 0 }
/** One file in a process of its own: a suite with a test that passes and one that fails. */
const events = [
  { type: 'test:complete', data: { name: 'good', nesting: 1, ...inside, details: ended(20) } },
  { type: 'test:start', data: { name: 'suite', nesting: 0, ...inside } },
  { type: 'test:start', data: { name: 'good', nesting: 1, ...inside } },
  { type: 'test:pass', data: { name: 'good', nesting: 1, ...inside, details: ended(20) } },
  { type: 'test:start', data: { name: 'bad', nesting: 1, ...inside } },
  {
    type: 'test:fail',
    data: { name: 'bad', nesting: 1, ...inside, details: ended(5, new Error('it broke')) },
  },
  {
    type: 'test:fail',
    data: {
      name: 'suite',
      nesting: 0,
      ...inside,
      details: ended(
        30,
        Object.assign(new Error('1 subtest failed'), { failureType: 'subtestsFailed' }),
      ),
    },
  },
  { type: 'test:summary', data: { file, counts: summary } },
  { type: 'test:complete', data: { name: file, file, nesting: 0, details: ended(1_234) } },
  { type: 'test:summary', data: { counts: summary } },
]

/**
 * @param {number} duration_ms
 * @param {Error} [error]
 */
function ended(duration_ms, error) {
  return { duration_ms, ...(error && { error }) }
}

/** @param {{ eachTest: boolean, of?: readonly import('./test-reporter.mjs').Event[] }} options */
const reported = async ({ eachTest, of = events }) => {
  /** @type {TestResults[]} */
  const results = []
  const source = (async function* () {
    yield* of
  })()
  let text = ''
  for await (const part of report(source, { eachTest, onResults: (all) => results.push(all) }))
    text += part
  const [only] = results
  assert.ok(only)
  return { text, results: only }
}

test('each test has a line below its suite, and each file its duration at the end', async () => {
  const { text } = await reported({ eachTest: true })
  assert.match(
    text,
    /^▶ suite\n {2}✔ good \(0\.02 s\)\n {2}✖ bad \(0\.01 s\)\n✖ suite \(0\.03 s\)\n/,
  )
  assert.match(text, /Duration of each file:\n +1\.23 s {2}some\/proof\.test\.ts\n/)
})

test('what failed is told once more at the end, with its suite, its file and its error', async () => {
  const { text, results } = await reported({ eachTest: true })
  assert.match(text, /\n✖ suite › bad\n {2}some\/proof\.test\.ts\n {2}Error: it broke\n/)
  assert.ok(text.endsWith('\n1 passed, 1 failed\n'))
  assert.deepEqual(
    results.failures.map(({ name }) => name),
    ['suite › bad'],
    'a suite that failed because of its test is no failure of its own',
  )
})

test('without a line for each test, the ones that failed still have theirs', async () => {
  const { text } = await reported({ eachTest: false })
  assert.ok(!text.includes('good'))
  assert.match(text, /^▶ suite\n {2}✖ bad/)
})

test('the results of several runs are added up', async () => {
  const { results } = await reported({ eachTest: false, of: [...events, ...events] })
  assert.equal(results.passed, 2)
  assert.equal(results.failed, 2)
  assert.deepEqual(results.files, [{ file, ms: 1_234 }])
})

test('hazard: a hook that fails after the last test counts as a failure, though the runner counts no test', async () => {
  const { results } = await reported({
    eachTest: false,
    of: [
      {
        type: 'test:fail',
        data: { name: 'suite', nesting: 0, file, details: ended(9, new Error('in after')) },
      },
      { type: 'test:summary', data: { counts: { ...summary, failed: 0 } } },
    ],
  })
  assert.equal(results.failed, 1)
})

test('hazard: a run without a test, with a skipped one or without results proves nothing', () => {
  const good = { passed: 3, failed: 0, skipped: 0, files: [], failures: [] }
  assert.equal(passedAll(good), true)
  assert.equal(passedAll({ ...good, passed: 0 }), false)
  assert.equal(passedAll({ ...good, failed: 1 }), false)
  assert.equal(passedAll({ ...good, skipped: 1 }), false)
  assert.equal(passedAll(undefined), false)
})
