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

test('prints a line for each test below its suite, and the duration of each file at the end', async () => {
  const { text } = await reported({ eachTest: true })
  assert.match(
    text,
    /^▶ suite\n {2}✔ good \(0\.02 s\)\n {2}✖ bad \(0\.01 s\)\n {4}Error: it broke\n✖ suite \(0\.03 s\)\n/,
  )
  assert.match(text, /Duration of each file:\n +1\.23 s {2}some\/proof\.test\.ts\n/)
})

test('adds up the durations of short files', async () => {
  const { text } = await reported({
    eachTest: false,
    of: ['a', 'b'].flatMap((name) => [
      { type: 'test:pass', data: { name, file: name, nesting: 0, details: ended(200) } },
    ]),
  })
  assert.match(text, / +0\.40 s {2}2 files of less than 0\.50 s each\n/)
})

test('repeats failed tests at the end, with suite, file and error', async () => {
  const { text, results } = await reported({ eachTest: true })
  assert.match(text, /\n✖ suite › bad\n {2}some\/proof\.test\.ts\n {2}Error: it broke\n/)
  assert.ok(text.endsWith('\n1 passed, 1 failed\n'))
  assert.deepEqual(
    results.failures.map(({ name }) => name),
    ['suite › bad'],
    'a suite that failed because of a test in it is not listed',
  )
})

test('prints a line for each failed test, even without lines for the others', async () => {
  const { text } = await reported({ eachTest: false })
  assert.ok(!text.includes('good'))
  assert.match(text, /^▶ suite\n {2}✖ bad/)
})

test('adds up the results of several runs', async () => {
  const { results } = await reported({ eachTest: false, of: [...events, ...events] })
  assert.equal(results.passed, 2)
  assert.equal(results.failed, 2)
  assert.deepEqual(results.files, [{ file, ms: 1_234 }])
})

test('hazard: counts a hook that fails after the last test, though the runner does not count it', async () => {
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

test('hazard: does not accept a run without tests, with skipped tests or without results', () => {
  const good = { passed: 3, failed: 0, skipped: 0, files: [], failures: [] }
  assert.equal(passedAll(good), true)
  assert.equal(passedAll({ ...good, passed: 0 }), false)
  assert.equal(passedAll({ ...good, failed: 1 }), false)
  assert.equal(passedAll({ ...good, skipped: 1 }), false)
  assert.equal(passedAll(undefined), false)
})
