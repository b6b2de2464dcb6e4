#!/usr/bin/env node
// A process of its own that checks the settings before services are replaced: docker compose run --rm spawner check
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { inspect } from 'node:util'
import { systemClock as clock } from '@berth/shared/clock'
import { abortAfter } from '@berth/shared/deadline'
import { config as loadDotenv } from 'dotenv'
import { checkSettings, checkTemplates, type Files } from '../check-settings.ts'
import type { SpawnerConfig } from '../config.ts'
import { createDockerEngine } from '../docker/docker-engine.ts'
import { SettingsConflict } from '../loop/engine.ts'

const files: Files = {
  read: (path) => readFileSync(path, 'utf8'),
  beside: (file, path) => resolve(dirname(file), path),
}

/** With these settings, does the engine answer, and do the workspaces that run stay reachable? */
async function checkEngine(config: SpawnerConfig): Promise<readonly string[]> {
  const { INSTANCE: instance, NETWORK_POOL: pool, DOCKER_HOST: dockerHost } = config.settings
  const observer = { called: () => undefined, failed: () => undefined }
  using engine = createDockerEngine({ dockerHost, instance, pool, clock, observer })
  try {
    await engine.takeInventory(abortAfter(30_000))
    const images = await engine.images(abortAfter(30_000))
    const { templates, warnings } = checkTemplates(config, files, images)
    const missing = await engine.missing(templates, abortAfter(30_000))
    report({ templates, warnings: [...warnings, ...missing] })
    return []
  } catch (error) {
    if (error instanceof SettingsConflict) return [error.message]
    const reason = error instanceof Error ? error.message : String(error)
    return [`DOCKER_HOST ${dockerHost} cannot be used: ${reason}`]
  }
}

function report({ templates, warnings }: ReturnType<typeof checkTemplates>): void {
  for (const warning of warnings) process.stdout.write(`warning: ${warning}\n`)
  if (templates.length === 0) process.stdout.write('warning: no template is offered\n')
  for (const { name, source, spec } of templates)
    process.stdout.write(`template ${name} (${source}): ${spec.image}\n`)
}

async function main(): Promise<void> {
  loadDotenv({ quiet: true })
  const { problems, config } = checkSettings(process.env, files)
  const all = config === undefined ? problems : await checkEngine(config)
  if (all.length === 0) return void process.stdout.write('the settings are in order\n')
  process.stderr.write(`berth check: ${all.length} problem(s)\n  ${all.join('\n  ')}\n`)
  process.exitCode = 1
}

main().catch((error: unknown) => {
  process.stderr.write(`berth check: ${inspect(error)}\n`)
  process.exitCode = 1
})
