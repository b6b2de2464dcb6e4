// @ts-check
// `npm run reset`: removes everything with the label of this instance, including people's files. Images and .env stay.
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { confirmReset } from './confirm-reset.mjs'
import {
  listContainers,
  listHomes,
  listInstances,
  listNetworks,
  listVolumes,
  nothingOf,
  removeContainers,
  removeNetworks,
  removeVolumes,
} from './instance.mjs'
import { runScript } from './session.mjs'
import { loadPresentSettings } from './settings.mjs'

const root = join(import.meta.dirname, '..')

/** @param {string} question */
const ask = async (question) => {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  try {
    // Ctrl+C and Ctrl+D close it without an answer.
    const closed = once(lines, 'close').then(() => '')
    return await Promise.race([lines.question(`\n${question}`), closed])
  } finally {
    lines.close()
  }
}

await runScript(async (progress) => {
  const { instance } = await loadPresentSettings(root, process.env)
  const instances = await listInstances()
  if (!instances.includes(instance)) {
    progress.line(nothingOf(instance, instances))
    return
  }
  const containers = (await listContainers(instance)).map(({ name }) => name)
  const networks = await listNetworks(instance)
  const volumes = await listVolumes(instance)
  progress.line(`What there is of ${instance}:`)
  for (const [what, names] of Object.entries({ containers, networks, volumes })) {
    progress.line(`  ${what.padEnd(12)}${names.join(', ') || 'none'}`)
  }
  const homes = await listHomes(instance)
  const others = containers.length + networks.length + volumes.length - homes.length
  const args = process.argv.slice(2)
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
  if (!(await confirmReset({ instance, homes, others, args, isTerminal, ask }))) {
    progress.line('\nNothing was removed.')
    process.exitCode = 1
    return
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
