#!/usr/bin/env node
// A process of its own that brings people's volumes back from archives of `backup-home`:
// docker compose run --rm -v "$PWD/backups:/backups" spawner restore-home alice
import { systemClock as clock } from '@berth/shared/clock'
import { openHomeFiles } from '../docker/volumes/home-files.ts'
import { readManifests } from '../homes/archive-folder.ts'
import { chosen, wishComplaint } from '../homes/chosen.ts'
import { forEachHome, homesSettings, parsed, Refused, runCommand } from '../homes/homes-command.ts'
import { restore } from '../homes/restore.ts'

const usage =
  'restore-home PERSON | --volume NAME | --all  [--folder FOLDER] [--replace]\n' +
  '             [--into VOLUME] [--subject SUBJECT]   (for one archive)'

await runCommand('restore-home', async (signal) => {
  const { values, positionals } = parsed(usage, {
    volume: { type: 'string' },
    all: { type: 'boolean', default: false },
    folder: { type: 'string', default: '/backups' },
    replace: { type: 'boolean', default: false },
    into: { type: 'string' },
    subject: { type: 'string' },
  })
  const { volume, all, folder, replace, into, subject } = values
  const wish = { person: positionals[0], volume, all }
  const complaint = positionals.length > 1 ? 'name one person' : wishComplaint(wish)
  if (complaint !== undefined) throw new Refused(`${complaint}\n${usage}`)
  const { INSTANCE: instance, DOCKER_HOST: dockerHost } = homesSettings(process.env)
  const manifests = chosen(await readManifests(folder), wish)
  if (manifests.length === 0) throw new Refused(`there is no such backup in ${folder}`)
  const owners = new Set(manifests.map(({ user }) => user))
  if (into !== undefined && manifests.length > 1) throw new Refused('--into needs one archive')
  if (subject !== undefined && owners.size > 1) throw new Refused('--subject needs one person')
  using files = openHomeFiles({ dockerHost, instance, clock })
  await files.sweep(signal)
  const wished = { replace, into, subject }
  return forEachHome(
    manifests,
    async (manifest) => {
      const home = await restore({ files, instance, folder }, manifest, wished, signal)
      return `restored into ${home.volume}, as of ${manifest.takenAt}`
    },
    signal,
  )
})
