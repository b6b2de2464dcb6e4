// @ts-check
// A reporter for node's test runner. At the end it lists the duration of each file and repeats the failed tests.
// TEST_REPORT=files prints no line for passed tests. TEST_RESULTS names a file for the results as JSON.
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { inspect } from 'node:util'

/** Shorter files are listed as one sum. */
const LISTED_MS = 500

/**
 * @typedef {{ name: string, file?: string, entryFile?: string, nesting: number, details: Details, message?: string }} Data
 * @typedef {{ type?: string, duration_ms: number, error?: TestError }} Details
 * @typedef {Error & { failureType?: string }} TestError
 * @typedef {{ type: string, data: any }} Event as node:test emits them
 * @typedef {{ name: string, file: string, error: string }} FailedTest
 * @typedef {{ file: string, ms: number }} FileDuration
 * @typedef {{ passed: number, failed: number, skipped: number, files: FileDuration[], failures: FailedTest[] }} TestResults
 */

/** @param {AsyncIterable<Event>} source */
export default async function* testReporter(source) {
  const { TEST_REPORT, TEST_RESULTS } = process.env
  yield* report(source, {
    eachTest: TEST_REPORT !== 'files',
    onResults: (results) => {
      if (TEST_RESULTS) writeFileSync(TEST_RESULTS, JSON.stringify(results))
    },
  })
}

/**
 * @param {AsyncIterable<Event>} source
 * @param {{ eachTest: boolean, onResults: (results: TestResults) => void }} options
 */
export async function* report(source, { eachTest, onResults }) {
  const results = createResults()
  const parents = createParents()
  for await (const { type, data } of source) {
    if (type === 'test:start') parents.enter(data)
    results.add(type, data, parents.namesOf(data))
    if (type === 'test:pass' || type === 'test:fail') {
      const failed = type === 'test:fail'
      if (eachTest || (failed && !isOnlyParentOf(data))) {
        yield* parents.notYetShown(data)
        yield `${indent(data)}${failed ? '✖' : '✔'} ${data.name} (${seconds(data.details.duration_ms)})\n`
        if (failed && !isOnlyParentOf(data))
          yield `${indent(data)}  ${firstLineOf(data.details.error)}\n`
      }
    } else if (type === 'test:diagnostic' && data.nesting > 0) {
      yield `${indent(data)}ℹ ${data.message}\n`
    } else if (type === 'test:stdout' || type === 'test:stderr') {
      yield data.message
    } else if (type === 'test:complete' && isFile(data)) {
      yield `  ${nameOf(data.name)} ended after ${seconds(data.details.duration_ms)}\n`
    }
  }
  const result = results.result()
  onResults(result)
  yield closing(result)
}

/** The suites around a test. The runner reports a suite only after the tests in it. */
const createParents = () => {
  /** @type {{ name: string, shown: boolean }[]} */
  const path = []
  return {
    /** @param {Data} data */
    enter: ({ nesting, name }) => void path.splice(nesting, path.length, { name, shown: false }),

    /** @param {Data} data */
    namesOf: ({ nesting }) => path.slice(0, nesting).map(({ name }) => name),

    /** @param {Data} data */
    *notYetShown({ nesting }) {
      for (const [depth, parent] of path.slice(0, nesting).entries()) {
        if (!parent.shown) yield `${indent({ nesting: depth })}▶ ${parent.name}\n`
        parent.shown = true
      }
    },
  }
}

/** Adds up the results of one run, or of several runs in sequence. */
const createResults = () => {
  let [passed, failed, skipped] = [0, 0, 0]
  /** @type {Map<string, number>} */
  const inside = new Map()
  /** @type {Map<string, number>} */
  const whole = new Map()
  /** @type {FailedTest[]} */
  const failures = []

  return {
    /**
     * @param {string} type
     * @param {any} data
     * @param {readonly string[]} parents
     */
    add(type, data, parents) {
      if (type === 'test:complete' && isFile(data))
        whole.set(nameOf(data.name), data.details.duration_ms)
      // The last summary of a run covers all files.
      if (type === 'test:summary' && data.file === undefined) {
        passed += data.counts.passed
        failed += data.counts.failed + data.counts.cancelled
        skipped += data.counts.skipped + data.counts.todo
      }
      if (type !== 'test:pass' && type !== 'test:fail') return
      const file = nameOf(data.file)
      if (data.nesting === 0) inside.set(file, (inside.get(file) ?? 0) + data.details.duration_ms)
      if (type === 'test:pass' || isOnlyParentOf(data)) return
      const { error } = data.details
      failures.push({
        name: [...parents, data.name].join(' › '),
        file,
        error: inspect(error?.cause ?? error),
      })
    },

    /** @returns {TestResults} */
    result() {
      // For a file with its own process, the duration includes the start of that process.
      const durations = whole.size > 0 ? whole : inside
      const files = [...durations].map(([file, ms]) => ({ file, ms: Math.round(ms) }))
      files.sort((one, other) => other.ms - one.ms)
      // The runner's counts do not include a hook that fails after the last test.
      return { passed, failed: Math.max(failed, failures.length), skipped, files, failures }
    },
  }
}

/** @param {TestResults} results */
export const closing = ({ passed, failed, skipped, files, failures }) =>
  [
    '',
    ...durationsText(files),
    '',
    ...failuresText(failures),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    countsText({ passed, failed }),
    '',
  ].join('\n')

/** @param {readonly FileDuration[]} files the longest first */
const durationsText = (files) => {
  const long = files.filter(({ ms }) => ms >= LISTED_MS)
  const rest = files.slice(long.length)
  const sum = rest.reduce((total, { ms }) => total + ms, 0)
  return [
    'Duration of each file:',
    ...long.map(({ file, ms }) => `  ${seconds(ms).padStart(8)}  ${file}`),
    ...(rest.length > 0
      ? [
          `  ${seconds(sum).padStart(8)}  ${rest.length} files of less than ${seconds(LISTED_MS)} each`,
        ]
      : []),
  ]
}

/** @param {readonly FailedTest[]} failures */
export const failuresText = (failures) =>
  failures.flatMap(({ name, file, error }) => [
    `✖ ${name}`,
    `  ${file}`,
    ...error.split('\n').map((line) => `  ${line}`),
    '',
  ])

/** @param {{ passed: number, failed: number }} counts */
export const countsText = ({ passed, failed }) => `${passed} passed, ${failed} failed`

/**
 * The runner reports a file with its own process as a test around the tests in it.
 * @param {Data} data
 */
const isFile = ({ nesting, entryFile, name, file }) =>
  nesting === 0 && entryFile === undefined && file !== undefined && nameOf(file) === nameOf(name)

/**
 * The suite failed only because of a test in it. That test is reported itself.
 * @param {Data} data
 */
const isOnlyParentOf = ({ details }) => details.error?.failureType === 'subtestsFailed'

/** @param {TestError | undefined} error the whole of it follows at the end */
const firstLineOf = (error) => inspect(error?.cause ?? error).split('\n', 1)[0]

/** @param {{ nesting: number }} data */
const indent = ({ nesting }) => '  '.repeat(nesting)

/** @param {string | undefined} file */
const nameOf = (file) => (file === undefined ? '' : relative(process.cwd(), file) || file)

/** @param {number} ms */
const seconds = (ms) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
