// @ts-check
// `npm run idle-report NAME`: prints what counted as use of a workspace of this instance in the last minutes.
import { join } from 'node:path'
import { attempt } from './command.mjs'
import { listContainers } from './instance.mjs'
import { loadPresentSettings } from './settings.mjs'

const root = join(import.meta.dirname, '..')
const { instance } = await loadPresentSettings(root, process.env)
const spawner = (await listContainers(instance)).find(({ role }) => role === 'spawner')
if (spawner === undefined) {
  process.stderr.write(`The spawner of ${instance} does not run: start it with \`npm start\`.\n`)
  process.exit(1)
}
const { code, lines, output } = await attempt(
  'docker',
  ['exec', spawner.name, 'idle-report', ...process.argv.slice(2)],
  { timeoutMs: 30_000 },
)
process.stdout.write(output)
if (code !== 0) process.stderr.write(`${lines.join('\n')}\n`)
process.exitCode = code
