// @ts-check
// `npm stop`: removes the services, workspaces and networks of this instance. People's volumes stay.
import { join } from 'node:path'
import { listInstances, nothingOf, removeContainers, removeNetworks } from './instance.mjs'
import { runScript } from './session.mjs'
import { loadPresentSettings } from './settings.mjs'

const root = join(import.meta.dirname, '..')

await runScript(async (progress) => {
  const { instance } = await loadPresentSettings(root, process.env)
  const instances = await listInstances()
  if (!instances.includes(instance)) {
    progress.line(nothingOf(instance, instances))
    return
  }
  progress.line(`Stopping ${instance}`)
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
  progress.line(
    '\nPeople’s files are kept. `npm start` starts everything again, `npm run reset` removes the files too.',
  )
})
