// @ts-check
// Prepares this machine for the end-to-end tests, and removes what they leave behind. The tests get these variables:
// BERTH_TEST_INSTANCE (the beginning of the names of all their instances), BERTH_TEST_GATEWAY (oauth2-proxy or apache), BERTH_TAG (of the images that were built for them), GATEWAY_IMAGE, CHROMIUM (the path of
// the browser), PROMETHEUS (the folder of its programs),
// CADDY and SCHEMATHESIS (paths of programs), ANSIBLE (the folder of its programs).
import { createCompose } from './compose.mjs'
import { buildDemoImages } from './demo-images.mjs'
import { chooseGateway } from './gateway.mjs'
import { ensureDownloadedTools } from './downloaded-tools.mjs'
import { prepareEngine } from './prerequisites.mjs'
import { loadSettings } from './settings.mjs'
import { removeTestInstances, testTag } from './test-instance.mjs'
import { ensureTestTools } from './test-tools.mjs'

/** Compose requires these variables even for a build. The instances that the tests start have their own values. */
const PLACEHOLDERS = {
  INTERNAL_SECRET: '-',
  OAUTH2_PROXY_OIDC_ISSUER_URL: '-',
  OAUTH2_PROXY_CLIENT_ID: '-',
}

/** @typedef {import('./progress.mjs').Progress} Progress */

/** @type {(own: string, progress: Progress) => Promise<unknown>} */
export const cleanUp = (own, progress) =>
  progress.step(
    'clean-up',
    (say) => removeTestInstances(own, say),
    (names) => (names.length === 0 ? 'nothing to remove' : `${names.join(', ')} removed`),
  )

/**
 * Installs and builds everything that the end-to-end tests need on this machine.
 * @param {{ root: string, own: string, progress: Progress }} deps `own`: the beginning of the names of their instances
 * @returns {Promise<NodeJS.ProcessEnv>} the environment for the tests
 */
export const prepareEndToEnd = async ({ root, own, progress }) => {
  const settings = await loadSettings(root, process.env)
  await prepareEngine({ root, settings, progress })
  const { chromium, prometheus, caddy, schemathesis, ansible } = await progress.step(
    'tools',
    async (say) => ({
      ...(await ensureTestTools(say, process.env)),
      ...(await ensureDownloadedTools(root, say)),
    }),
    () =>
      'browser, git, curl, a registry, Prometheus, Caddy, Schemathesis, Ansible and Paramiko are here',
  )
  const { gateway } = await progress.step(
    'gateway',
    (say) => chooseGateway({ ...settings, instance: own }, say),
    ({ why }) => why,
  )
  const compose = createCompose({
    root,
    settings: { ...settings, instance: own },
    gateway,
    env: { ...process.env, ...PLACEHOLDERS, BERTH_TAG: testTag(root) },
  })
  await progress.step(
    'images',
    (say) => Promise.all([buildDemoImages(root, say), compose.build(say)]),
    ([names]) => `${names.join(', ')} and the services built`,
  )
  await cleanUp(own, progress)
  return {
    ...process.env,
    BERTH_TEST_INSTANCE: own,
    BERTH_TEST_GATEWAY: gateway,
    BERTH_TAG: testTag(root),
    GATEWAY_IMAGE: settings.gatewayImage,
    CHROMIUM: chromium,
    PROMETHEUS: prometheus,
    CADDY: caddy,
    SCHEMATHESIS: schemathesis,
    ANSIBLE: ansible,
  }
}
