// @ts-check
// `npm test`: sets up everything that the tests need, runs the checks, the unit tests and the end-to-end tests, and
// cleans up, also when interrupted.
import { join } from 'node:path'
import { isEnding } from './command.mjs'
import { cleanUp, prepareEndToEnd } from './end-to-end.mjs'
import { Failure } from './failure.mjs'
import { prepareDependencies } from './prerequisites.mjs'
import { formatElapsed } from './progress.mjs'
import { runScript } from './session.mjs'
import { testInstanceName } from './test-instance.mjs'
import { runPart } from './test-parts.mjs'
import { countsText, failuresText } from './test-reporter.mjs'

const root = join(import.meta.dirname, '..')
const own = testInstanceName(process.pid)

/** @typedef {import('./progress.mjs').Progress} Progress */

/**
 * @param {readonly import('./test-parts.mjs').PartResult[]} parts
 * @param {Progress} progress
 */
const tellResults = (parts, progress) => {
  progress.line()
  const tests = parts.flatMap(({ results }) => results ?? [])
  for (const line of failuresText(tests.flatMap(({ failures }) => failures))) progress.line(line)
  for (const { name, ok, ms, results } of parts) {
    progress.line(
      `${ok ? '✓' : '✗'} npm run ${name} (${formatElapsed(ms)})${results ? `: ${countsText(results)}` : ''}`,
    )
  }
  progress.line(`All of it took ${formatElapsed(progress.elapsedMs())}.`)
  progress.line(
    countsText({
      passed: tests.reduce((sum, { passed }) => sum + passed, 0),
      failed: tests.reduce((sum, { failed }) => sum + failed, 0),
    }),
  )
}

await runScript(
  async (progress) => {
    progress.line('Berth: checks, unit tests and end-to-end tests')
    await prepareDependencies({ root, progress })
    // These parts need no engine, so they run while the engine is prepared. Nothing runs beside the end-to-end tests.
    const checks = ['check', 'test:unit'].map((name) =>
      runPart(name, { root, env: process.env, progress }),
    )
    const [env, ...parts] = await Promise.all([prepareEndToEnd({ root, own, progress }), ...checks])
    if (isEnding()) return
    progress.line(`The gateway is ${env['BERTH_TEST_GATEWAY']}.`)
    try {
      parts.push(await runPart('test:e2e', { root, env, progress, live: true }))
    } finally {
      // After an interruption, the clean-up runs once everything has ended.
      if (!isEnding()) {
        progress.line()
        await cleanUp(own, progress)
      }
    }
    if (isEnding()) return
    tellResults(parts, progress)
    const failed = parts.filter(({ ok }) => !ok).map(({ name }) => name)
    if (failed.length > 0) throw new Failure(`failed: ${failed.join(', ')}`)
  },
  { onInterrupt: async (progress) => void (await cleanUp(own, progress)) },
)
