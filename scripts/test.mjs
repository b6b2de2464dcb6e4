// @ts-check
// `npm test`: sets up all that the tests need, runs the checks, the unit tests and the end-to-end tests, and cleans up,
// also when interrupted. The end-to-end tests are told: BERTH_TEST_INSTANCE (the name that all of theirs begin with),
// BERTH_TEST_GATEWAY (oauth2-proxy or apache), GATEWAY_IMAGE, CHROMIUM (the path of the browser).
import { join } from 'node:path'
import { createCompose } from './compose.mjs'
import { buildDemoImages } from './demo-images.mjs'
import { attempt, isEnding } from './command.mjs'
import { Failure } from './failure.mjs'
import { chooseGateway } from './gateway.mjs'
import { prepareGround } from './prerequisites.mjs'
import { formatElapsed } from './progress.mjs'
import { runScript } from './session.mjs'
import { loadSettings } from './settings.mjs'
import { removeTestInstances, testInstanceName } from './test-instance.mjs'
import { ranTests, summaryOf } from './test-summary.mjs'
import { ensureTestTools } from './test-tools.mjs'

const root = join(import.meta.dirname, '..')
const own = testInstanceName(process.pid)
/** Compose wants these to be set even to build; the instances that the tests start have values of their own. */
const PLACEHOLDERS = {
  INTERNAL_SECRET: '-',
  OAUTH2_PROXY_OIDC_ISSUER_URL: '-',
  OAUTH2_PROXY_CLIENT_ID: '-',
}
const PARTS_TIMEOUT_MS = 90 * 60_000

/** @type {(progress: import('./progress.mjs').Progress) => Promise<unknown>} */
const cleanUp = (progress) =>
  progress.step(
    'clean-up',
    (say) => removeTestInstances(own, say),
    (names) => (names.length === 0 ? 'nothing was left' : `${names.join(', ')} removed`),
  )

/**
 * Runs one part, its output as it comes.
 * @param {string} name an npm script
 * @param {NodeJS.ProcessEnv} env
 * @param {import('./progress.mjs').Progress} progress
 */
const runPart = async (name, env, progress) => {
  const startedAt = progress.elapsedMs()
  progress.line(`\n▶ npm run ${name} (at ${formatElapsed(startedAt)})`)
  /** @type {string[]} */
  const lines = []
  const { code } = await attempt('npm', ['run', '--silent', name], {
    cwd: root,
    env,
    timeoutMs: PARTS_TIMEOUT_MS,
    onLine: (line) => {
      lines.push(line)
      progress.line(`  ${line}`)
    },
  })
  const summary = summaryOf(lines)
  // A run that found no test at all proves nothing, whatever its exit code.
  const ok = code === 0 && (!name.startsWith('test:') || ranTests(summary))
  return { name, ok, took: progress.elapsedMs() - startedAt, summary }
}

await runScript(
  async (progress) => {
    progress.line('Berth: checks, unit tests and end-to-end tests')
    const settings = await loadSettings(root, process.env)
    await prepareGround({ root, settings, progress })
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

    const env = {
      ...process.env,
      BERTH_TEST_INSTANCE: own,
      BERTH_TEST_GATEWAY: gateway,
      GATEWAY_IMAGE: settings.gatewayImage,
      CHROMIUM: chromium,
    }
    const parts = []
    try {
      for (const name of ['check', 'test:unit', 'test:e2e']) {
        parts.push(await runPart(name, env, progress))
        if (isEnding()) return
      }
    } finally {
      // When interrupted, it is done once everything has ended.
      if (!isEnding()) {
        progress.line()
        await cleanUp(progress)
      }
    }

    progress.line()
    for (const { name, ok, took, summary } of parts) {
      progress.line(
        `${ok ? '✓' : '✗'} npm run ${name} (${formatElapsed(took)})${summary.length > 0 ? `: ${summary.join(', ')}` : ''}`,
      )
    }
    progress.line(
      `The gateway was ${gateway}. All of it took ${formatElapsed(progress.elapsedMs())}.`,
    )
    const failed = parts.filter(({ ok }) => !ok).map(({ name }) => name)
    if (failed.length > 0) throw new Failure(`failed: ${failed.join(', ')}`)
  },
  { onInterrupt: async (progress) => void (await cleanUp(progress)) },
)
