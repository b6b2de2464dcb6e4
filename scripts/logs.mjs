// @ts-check
// `npm run logs [service…]`: follows the logs of this instance's services in a readable format, until Ctrl-C.
import { join } from 'node:path'
import { followLogs } from './follow-logs.mjs'
import { loadPresentSettings } from './settings.mjs'

const root = join(import.meta.dirname, '..')
const named = process.argv.slice(2)
const { instance } = await loadPresentSettings(root, process.env)
await followLogs({
  root,
  instance,
  services: named.length > 0 ? named : ['director', 'spawner'],
})
