// @ts-check
// The folder of this machine with the backups of homes, which the container of the command sees as /backups.
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Failure } from './failure.mjs'
import { asScript, runInSpawner } from './in-spawner.mjs'
import { listInstances, nothingOf } from './instance.mjs'
import { loadPresentSettings } from './settings.mjs'

const root = join(import.meta.dirname, '..')

/**
 * @param {readonly string[]} args
 * @returns {{ folder: string, rest: string[] }} `--folder` names the folder; the other arguments are those of the command
 */
export const takeFolder = (args) => {
  const at = args.indexOf('--folder')
  if (at < 0) return { folder: 'backups', rest: [...args] }
  return { folder: args[at + 1] ?? '', rest: [...args.slice(0, at), ...args.slice(at + 2)] }
}

/** @param {'backup-home' | 'restore-home'} command */
export const runWithFolder = (command) =>
  asScript(async () => {
    const { folder, rest } = takeFolder(process.argv.slice(2))
    const path = resolve(folder || 'backups')
    await mkdir(path, { recursive: true, mode: 0o700 })
    const settings = await loadPresentSettings(root, process.env)
    // Compose would make networks and volumes of an instance whose name is misspelt. A backup is restored before the first start, too.
    const instances = command === 'backup-home' ? await listInstances() : [settings.instance]
    if (!instances.includes(settings.instance))
      throw new Failure(nothingOf(settings.instance, instances))
    // The folder may belong to another user than root, and the archives are to belong to the owner of the folder.
    const rights = ['DAC_OVERRIDE', 'CHOWN'].flatMap((name) => ['--cap-add', name])
    const options = [...rights, '--volume', `${path}:/backups`]
    return runInSpawner({ root, settings, options, command: [command, ...rest] })
  })
