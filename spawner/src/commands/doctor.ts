#!/usr/bin/env node
// A process of its own that checks engine, machine, networks, sign-in and images: docker compose run --rm spawner doctor
import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { inspect, parseArgs } from 'node:util'
import { systemClock as clock } from '@berth/shared/clock'
import { abortAfter } from '@berth/shared/deadline'
import { parseSize } from '@berth/shared/size'
import { config as loadDotenv } from 'dotenv'
import { z } from 'zod'
import { checkSettings, checkTemplates, type Files } from '../check-settings.ts'
import { mend, type SpawnerConfig } from '../config.ts'
import { createDockerEngine } from '../docker/docker-engine.ts'
import { openDoctor } from '../docker/doctor/open-doctor.ts'
import { examine, type Examination } from '../doctor/examine.ts'
import type { DataFolderFacts, Offered, TellsFromHost } from '../doctor/facts.ts'
import type { Finding } from '../doctor/finding.ts'
import { findingsJson, findingsText, isInOrder } from '../doctor/report.ts'
import { SettingsConflict } from '../loop/engine.ts'

/** What the caller has to change. */
class Refused extends Error {}

const usage = 'doctor [--json] [--min-disk SIZE] [--from-host]'
const interrupted = 130

const files: Files = {
  read: (path) => readFileSync(path, 'utf8'),
  beside: (file, path) => resolve(dirname(file), path),
}

const tellsSchema = z.object({
  secrets: z.record(z.string(), z.string()),
  ports: z.record(z.string(), z.string()),
  environmentFile: z.object({ path: z.string(), mode: z.number() }).optional(),
})

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        'min-disk': { type: 'string', default: '5g' },
        // JSON on the standard input, by `npm run doctor`: what no container can know.
        'from-host': { type: 'boolean', default: false },
      },
    })
    const leastFreeBytes = parseSize(values['min-disk'])
    if (leastFreeBytes === undefined) throw new Refused('--min-disk must be a size such as 10g')
    return { json: values.json, leastFreeBytes, fromHost: values['from-host'] }
  } catch (error) {
    throw new Refused(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
  }
}

async function offered(config: SpawnerConfig, signal: AbortSignal): Promise<Offered> {
  const { INSTANCE: instance, NETWORK_POOL: pool, DOCKER_HOST: dockerHost } = config.settings
  const observer = { called: () => undefined, failed: () => undefined }
  using engine = createDockerEngine({ dockerHost, instance, pool, clock, observer })
  const { templates } = checkTemplates(config, files, await engine.images(signal))
  try {
    await engine.takeInventory(signal)
    return { templates, conflict: undefined }
  } catch (error) {
    if (!(error instanceof SettingsConflict)) throw error
    return { templates, conflict: error.message }
  }
}

async function dataFolder(path: string): Promise<DataFolderFacts> {
  const file = join(path, `.doctor-${process.pid}`)
  try {
    await writeFile(file, '')
    await rm(file)
    return { path }
  } catch (error) {
    return { path, failure: error instanceof Error ? error.message : String(error) }
  }
}

async function main(): Promise<void> {
  loadDotenv({ quiet: true })
  const { json, leastFreeBytes, fromHost } = readArguments()
  const told = fromHost ? tellsSchema.parse(JSON.parse(await readAll(process.stdin))) : undefined
  const tellsFromHost: TellsFromHost = told ?? { secrets: {} }
  const { problems, config = mend(process.env, files.read)?.config } = checkSettings(
    process.env,
    files,
  )
  const ending = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => ending.abort())
  const env = { ...process.env, ...told?.ports }
  const about = { problems, env, tellsFromHost, leastFreeBytes }
  const findings = await look(about, config, ending.signal)
  if (ending.signal.aborted) {
    process.stderr.write('berth doctor: interrupted\n')
    process.exitCode = interrupted
    return
  }
  process.stdout.write(json ? findingsJson(findings) : findingsText(findings))
  if (!isInOrder(findings)) process.exitCode = 1
}

async function look(
  about: Omit<Examination, 'subject'>,
  config: SpawnerConfig | undefined,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (config === undefined) return examine({ ...about, subject: undefined }, signal)
  const { DOCKER_HOST: dockerHost, INSTANCE: instance, NETWORK_POOL: pool } = config.settings
  const dockerConfig = config.settings.REGISTRY_CONFIG
  using doctor = openDoctor({ dockerHost, instance, pool, clock, dockerConfig })
  // Without an engine, the examination says so.
  await doctor.sweep(AbortSignal.any([signal, abortAfter(20_000)])).catch(() => undefined)
  const examined = { ...doctor, offered, dataFolder }
  return examine({ ...about, subject: { config, examined } }, signal)
}

main().catch((error: unknown) => {
  const words = error instanceof Refused ? error.message : inspect(error)
  process.stderr.write(`berth doctor: ${words}\n`)
  process.exitCode = 1
})
