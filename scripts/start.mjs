// @ts-check
// `npm start`: from a bare machine to a demo that answers. Safe to run again: it converges.
// Runs on Node 20 with nothing installed, so it uses nothing but Node and its own neighbours.
import { randomBytes } from 'node:crypto'
import { basename, join } from 'node:path'
import { createCompose } from './compose.mjs'
import { ensureDemoEnvironment } from './demo-environment.mjs'
import { buildDemoImages } from './demo-images.mjs'
import { chooseGateway } from './gateway.mjs'
import { prepareDependencies, prepareEngine } from './prerequisites.mjs'
import { lookAtServices } from './smoke-check.mjs'
import { checkPorts } from './ports.mjs'
import { formatElapsed } from './progress.mjs'
import { runScript } from './session.mjs'
import { environmentFilePath, loadSettings } from './settings.mjs'

const root = join(import.meta.dirname, '..')
const STATE_WORDS = {
  made: 'made, with secrets of its own',
  completed: 'completed with what was missing',
  present: 'here already',
}

await runScript(async (progress) => {
  progress.line('Berth: from this machine to a running demo')
  await prepareDependencies({ root, progress })
  await prepareEngine({ root, settings: await loadSettings(root, process.env), progress })

  const path = environmentFilePath(root, process.env)
  await progress.step(
    'settings',
    () => ensureDemoEnvironment({ path, example: join(root, '.env.example'), random: randomBytes }),
    (state) => `${basename(path)} ${STATE_WORDS[state]}`,
  )
  const settings = await loadSettings(root, process.env)
  const { port, idpPort, apiPort, instance } = settings
  await progress.step(
    'ports',
    () =>
      checkPorts(
        [
          { variable: 'BERTH_PORT', port, what: 'the gateway' },
          { variable: 'IDP_PORT', port: idpPort, what: 'the identity provider' },
          ...(apiPort === undefined
            ? []
            : [{ variable: 'API_PORT', port: apiPort, what: 'the API for scripts' }]),
        ],
        instance,
      ),
    () => `${port} and ${idpPort}${apiPort === undefined ? '' : ` and ${apiPort}`}`,
  )
  const { gateway } = await progress.step(
    'gateway',
    (say) => chooseGateway(settings, say),
    ({ why }) => why,
  )
  await progress.step(
    'workspaces',
    (say) => buildDemoImages(root, say),
    (names) => `${names.join(', ')} built`,
  )
  const compose = createCompose({ root, settings, gateway, env: process.env })
  await progress.step(
    'services',
    (say) => compose.up(say),
    () => 'up and healthy',
  )
  await progress.step(
    'a look',
    (say) => lookAtServices(settings, say),
    () => 'every service answers',
  )

  progress.line()
  progress.line(`Berth is ready after ${formatElapsed(progress.elapsedMs())}.`)
  progress.line(`  open     http://localhost:${port} (and http://hello.localhost:${port})`)
  progress.line('  sign in  alice, with the password alice (also bob, carol and admin)')
  progress.line('  stop     npm stop       (people’s files stay; npm run reset removes them too)')
})
