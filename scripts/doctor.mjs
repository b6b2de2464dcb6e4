// @ts-check
// `npm run doctor`: the doctor of the spawner's image. It is told what only this machine knows, on its standard input,
// which nothing records.
import { readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { tellsOf } from './doctor-tells.mjs'
import { Failure } from './failure.mjs'
import { asScript, runInSpawner } from './in-spawner.mjs'
import { loadPresentSettings } from './settings.mjs'

const root = join(import.meta.dirname, '..')
/** Of those that Compose does not pass on to the spawner. */
const ASKED = ['OAUTH2_PROXY_OIDC_ISSUER_URL', 'OAUTH2_PROXY_PROVIDER']

/** @param {import('./settings.mjs').ScriptSettings} settings */
const readTells = async (settings) => {
  const { environmentFile } = settings
  const path = relative(process.cwd(), environmentFile)
  const text = await readFile(environmentFile, 'utf8').catch((error) => {
    throw new Failure(`${path} cannot be read: ${error.message}`, {
      help: 'Copy .env.example to .env and fill in its empty values; for the demo, run `npm start`.',
    })
  })
  const { mode } = await stat(environmentFile)
  const told = { path, mode: mode & 0o777 }
  return tellsOf({ text, env: process.env, environmentFile: told, settings })
}

await asScript(async () => {
  const settings = await loadPresentSettings(root, process.env)
  const input = JSON.stringify(await readTells(settings))
  const options = ASKED.filter((name) => process.env[name]).flatMap((name) => ['--env', name])
  const command = ['doctor', '--from-host', ...process.argv.slice(2)]
  return runInSpawner({ root, settings, options, command, input })
})
