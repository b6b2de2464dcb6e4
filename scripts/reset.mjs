// @ts-check
// `npm run reset`: all that carries this instance's label goes, people's files with it. Images and .env stay.
import { join } from 'node:path'
import {
  listContainers,
  listNetworks,
  listVolumes,
  removeContainers,
  removeNetworks,
  removeVolumes,
} from './instance.mjs'
import { runScript } from './session.mjs'
import { loadSettings } from './settings.mjs'

const root = join(import.meta.dirname, '..')

await runScript(async (progress) => {
  const { instance } = await loadSettings(root, process.env)
  const containers = (await listContainers(instance)).map(({ name }) => name)
  const networks = await listNetworks(instance)
  const volumes = await listVolumes(instance)
  progress.line(`Removing all of ${instance}:`)
  for (const [what, names] of Object.entries({ containers, networks, volumes })) {
    progress.line(`  ${what.padEnd(12)}${names.join(', ') || 'none'}`)
  }
  await progress.step(
    'containers',
    (say) => removeContainers(instance, say),
    (count) => `${count} removed`,
  )
  await progress.step(
    'networks',
    () => removeNetworks(instance),
    (count) => `${count} removed`,
  )
  await progress.step(
    'volumes',
    () => removeVolumes(instance),
    (count) => `${count} removed`,
  )
})
