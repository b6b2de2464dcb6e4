// @ts-check
// `npm test`: sets up all that the tests need, runs the checks, the unit tests and the end-to-end tests, and cleans up,
// also when interrupted. The end-to-end tests are told: BERTH_TEST_INSTANCE (the name that all of theirs begin with),
// BERTH_TEST_GATEWAY (oauth2-proxy or apache), GATEWAY_IMAGE, CHROMIUM (the path of the browser).
import { join } from 'node:path'
import { createCompose } from './compose.mjs'
import { buildDemoImages } from './demo-images.mjs'
import { isEnding } from './command.mjs'
import { Failure } from './failure.mjs'
import { chooseGateway } from './gateway.mjs'
import { prepareDependencies, prepareEngine } from './prerequisites.mjs'
import { formatElapsed } from './progress.mjs'
import { runScript } from './session.mjs'
import { loadSettings } from './settings.mjs'
import { removeTestInstances, testInstanceName } from './test-instance.mjs'
import { runPart } from './test-parts.mjs'
import { countsText, failuresText } from './test-reporter.mjs'
import { ensureTestTools } from './test-tools.mjs'

const root = join(import.meta.dirname, '..')
const own = testInstanceName(process.pid)
/** Compose wants these to be set even to build; the instances that the tests start have values of their own. */
const PLACEHOLDERS = {
  INTERNAL_SECRET: '-',
  OAUTH2_PROXY_OIDC_ISSUER_URL: '-',
  OAUTH2_PROXY_CLIENT_ID: '-',
}

/** @typedef {import('./progress.mjs').Progress} Progress */

/** @type {(progress: Progress) => Promise<unknown>} */
const cleanUp = (progress) =>
  progress.step(
    'clean-up',
    (say) => removeTestInstances(own, say),
    (names) => (names.length === 0 ? 'nothing was left' : `${names.join(', ')} removed`),
  )

/**
 * Everything that the end-to-end tests need on this machine.
 * @param {Progress} progress
 * @returns {Promise<NodeJS.ProcessEnv>} what they are told
 */
const prepareEndToEnd = async (progress) => {
  const settings = await loadSettings(root, process.env)
  await prepareEngine({ root, settings, progress })
  const { chromium } = await progress.step(
    'tools',
    (say) => ensureTestTools(say, process.env),
    () => 'browser, git, curl and a registry are here',
  )
  const { gateway } = await progress.step(
    'gateway',
    (say) => chooseGateway({ ...settings, instance: own }, say),
    ({ why }) => why,
  )
  await progress.step(
    'workspaces',
    (say) => buildDemoImages(root, say),
    (names) => `${names.join(', ')} built`,
  )
  const compose = createCompose({
    root,
    settings: { ...settings, instance: own },
    gateway,
    env: { ...process.env, ...PLACEHOLDERS },
  })
  await progress.step(
    'services',
    (say) => compose.build(say),
    () => 'built',
  )
  await cleanUp(progress)
  return {
    ...process.env,
    BERTH_TEST_INSTANCE: own,
    BERTH_TEST_GATEWAY: gateway,
    GATEWAY_IMAGE: settings.gatewayImage,
    CHROMIUM: chromium,
  }
}

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
    // These need no engine, so they run beside the preparation of one; nothing runs beside the end-to-end tests.
    const checks = ['check', 'test:unit'].map((name) =>
      runPart(name, { root, env: process.env, progress }),
    )
    const [env, ...parts] = await Promise.all([prepareEndToEnd(progress), ...checks])
    if (isEnding()) return
    progress.line(`The gateway is ${env['BERTH_TEST_GATEWAY']}.`)
    try {
      parts.push(await runPart('test:e2e', { root, env, progress, live: true }))
    } finally {
      // When interrupted, it is done once everything has ended.
      if (!isEnding()) {
        progress.line()
        await cleanUp(progress)
      }
    }
    if (isEnding()) return
    tellResults(parts, progress)
    const failed = parts.filter(({ ok }) => !ok).map(({ name }) => name)
    if (failed.length > 0) throw new Failure(`failed: ${failed.join(', ')}`)
  },
  { onInterrupt: async (progress) => void (await cleanUp(progress)) },
)
