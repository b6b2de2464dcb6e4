#!/usr/bin/env node
// A process of its own that copies people's volumes into archives:
// docker compose run --rm -v "$PWD/backups:/backups" spawner backup-home alice
import { systemClock as clock } from '@berth/shared/clock'
import { about } from '../doctor/finding.ts'
import { openHomeFiles } from '../docker/volumes/home-files.ts'
import { readManifests } from '../homes/archive-folder.ts'
import { backUp, type BackedUp } from '../homes/back-up.ts'
import { chosen, wishComplaint } from '../homes/chosen.ts'
import { createHold } from '../homes/hold.ts'
import { forEachHome, homesSettings, parsed, Refused, runCommand } from '../homes/homes-command.ts'

const usage = 'backup-home PERSON | --volume NAME | --all  [--folder FOLDER] [--skip-present]'

const states = {
  unused: '',
  frozen: ', frozen meanwhile',
  running: '. WARNING: a container used it meanwhile, so files that changed may be incomplete',
} as const

const done = ({ bytes, unpackedBytes, state }: BackedUp): string =>
  `${about(unpackedBytes)} backed up into ${about(bytes)}${states[state]}`

await runCommand('backup-home', async (signal) => {
  const { values, positionals } = parsed(usage, {
    volume: { type: 'string' },
    all: { type: 'boolean', default: false },
    folder: { type: 'string', default: '/backups' },
    'skip-present': { type: 'boolean', default: false },
  })
  const { volume, all, folder, 'skip-present': skipPresent } = values
  const wish = { person: positionals[0], volume, all }
  const complaint = positionals.length > 1 ? 'name one person' : wishComplaint(wish)
  if (complaint !== undefined) throw new Refused(`${complaint}\n${usage}`)
  const settings = homesSettings(process.env)
  const { INSTANCE: instance, DOCKER_HOST: dockerHost } = settings
  const { INTERNAL_SECRET: secret, LISTEN_PORT: port } = settings
  using files = openHomeFiles({ dockerHost, instance, clock })
  await files.sweep(signal)
  const homes = chosen(await files.list(signal), wish)
  if (homes.length === 0) throw new Refused('there is no such volume of this instance')
  const present = new Set((await readManifests(folder)).map((manifest) => manifest.volume))
  const left = skipPresent ? homes.filter((home) => !present.has(home.volume)) : homes
  const now = () => new Date(clock.wall())
  const { SPAWNER_HOST: host = 'spawner' } = process.env
  const hold = createHold({ url: `http://${host}:${port}`, secret })
  const deps = { files, instance, folder, now, hold }
  return forEachHome(left, async (home) => done(await backUp(deps, home, signal)), signal)
})
