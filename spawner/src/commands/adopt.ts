#!/usr/bin/env node
// A process of its own that copies a volume from before Berth into a volume of a template:
// docker compose run --rm spawner adopt VOLUME --template lab --user alice --subject 1234
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { systemClock as clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { abortAfter } from '@berth/shared/deadline'
import { parseUserName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import { SettingsError } from '@berth/shared/settings'
import { config as loadDotenv } from 'dotenv'
import { checkTemplates } from '../check-settings.ts'
import { readConfig, type SpawnerConfig } from '../config.ts'
import { createDockerEngine } from '../docker/docker-engine.ts'
import { openAdoption } from '../docker/volumes/adopt-volume.ts'
import { targetOfAdoption } from '../docker/volumes/target-of-adoption.ts'

/** What the caller has to change. */
class Refused extends Error {}

const usage =
  'adopt VOLUME --template NAME [--user NAME] [--subject SUBJECT] [--path PATH] [--merge]\n' +
  '  copies the files of VOLUME into the volume that the template has at PATH (unset: its home)'

const files = {
  read: (path: string) => readFileSync(path, 'utf8'),
  beside: (file: string, path: string) => resolve(dirname(file), path),
}

function readArguments() {
  try {
    const text = { type: 'string' } as const
    return parseArgs({
      allowPositionals: true,
      options: {
        template: text,
        user: text,
        subject: text,
        path: text,
        merge: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new Refused(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
  }
}

/** What the engine shows now: the images that are templates, and to whom the names of people belong. */
async function look(config: SpawnerConfig) {
  const { INSTANCE: instance, NETWORK_POOL: pool, DOCKER_HOST: dockerHost } = config.settings
  const observer = { called: () => undefined, failed: () => undefined }
  using engine = createDockerEngine({ dockerHost, instance, pool, clock, observer })
  const images = await engine.images(abortAfter(30_000))
  const { subjects } = await engine.takeInventory(abortAfter(30_000))
  return { ...checkTemplates(config, files, images), subjects }
}

function personOf(
  user: string | undefined,
  subject: string | undefined,
  subjects: ReadonlyMap<string, string>,
): Person | undefined {
  if (user === undefined) return undefined
  const name = parseUserName(user)
  if (name === undefined) throw new Refused(`"${user}" is not the name of a person`)
  const known = subjects.get(name)
  if (subject !== undefined && known !== undefined && subject !== known)
    throw new Refused(`the volumes of ${user} belong to the subject ${known}, not to ${subject}`)
  const sub = subject ?? known
  if (sub === undefined)
    throw new Refused(
      `--subject is needed: ${user} has no volume yet that tells their subject. It is the claim sub of your provider`,
    )
  return { name, subject: sub, groups: [] }
}

async function main(): Promise<void> {
  loadDotenv({ quiet: true })
  const { values, positionals } = readArguments()
  const [from, ...more] = positionals
  if (from === undefined || more.length > 0 || values.template === undefined)
    throw new Refused(usage)
  const config = readConfig(process.env, files.read)
  const { INSTANCE: instance, DOCKER_HOST: dockerHost } = config.settings
  const { templates, subjects } = await look(config)
  const template = templates.find(({ name }) => name === values.template)
  if (template === undefined)
    throw new Refused(
      `there is no template ${values.template}: there are ${templates.map(({ name }) => name).join(', ')}`,
    )
  const person = personOf(values.user, values.subject, subjects)
  const target = targetOfAdoption(template, { path: values.path, person }, instance)
  if ('complaint' in target) throw new Refused(target.complaint)

  const ending = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort())
  using adoption = openAdoption({ dockerHost, instance, clock })
  const image = (await adoption.ownImage(ending.signal)) ?? 'berth/spawner'
  await adoption.adopt({ from, ...target, merge: values.merge, image }, ending.signal)
  process.stdout.write(`the files of ${from} are in ${target.to}; ${from} is as it was\n`)
}

main().catch((error: unknown) => {
  const isExplained = [Refused, BerthError, SettingsError].some((kind) => error instanceof kind)
  const words = isExplained ? (error as Error).message : inspect(error)
  process.stderr.write(`berth adopt: ${words}\n`)
  process.exitCode = 1
})
