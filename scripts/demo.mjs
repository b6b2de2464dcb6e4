// @ts-check
// What `npm start` and `npm run dev` do before they bring the services up.
import { randomBytes } from 'node:crypto'
import { basename, join } from 'node:path'
import { ensureDemoEnvironment } from './demo-environment.mjs'
import { buildDemoImages } from './demo-images.mjs'
import { chooseGateway } from './gateway.mjs'
import { checkPorts } from './ports.mjs'
import { prepareDependencies, prepareEngine } from './prerequisites.mjs'
import { environmentFilePath, loadSettings } from './settings.mjs'

const STATE_WORDS = {
  made: 'created, with new secrets',
  completed: 'completed with missing values',
  present: 'present',
}

/** @param {{ root: string, progress: import('./progress.mjs').Progress }} deps */
export const prepareDemo = async ({ root, progress }) => {
  await prepareDependencies({ root, progress })
  await prepareEngine({ root, settings: await loadSettings(root, process.env), progress })

  const path = environmentFilePath(root, process.env)
  await progress.step(
    'settings',
    () => ensureDemoEnvironment({ path, example: join(root, '.env.example'), random: randomBytes }),
    (state) => `${basename(path)} ${STATE_WORDS[state]}`,
  )
  const settings = await loadSettings(root, process.env)
  const { port, idpPort, apiPort, sshPort, instance } = settings
  const further = [
    { variable: 'API_PORT', port: apiPort, what: 'the API for scripts' },
    { variable: 'SSH_PORT', port: sshPort, what: 'SSH' },
  ].flatMap(({ port, ...rest }) => (port === undefined ? [] : [{ port, ...rest }]))
  const wanted = [
    { variable: 'BERTH_PORT', port, what: 'the gateway' },
    { variable: 'IDP_PORT', port: idpPort, what: 'the identity provider' },
    ...further,
  ]
  await progress.step(
    'ports',
    () => checkPorts(wanted, instance),
    () => wanted.map(({ port }) => port).join(', '),
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
  return { settings, gateway }
}
