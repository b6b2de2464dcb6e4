#!/usr/bin/env node
// A process of its own that prints what keeps a workspace in use: docker compose exec spawner idle-report <workspace>
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { abortAfter } from '@berth/shared/deadline'
import { internalPaths, problemSchema } from '@berth/shared/contract'
import { readSettings, SettingsError } from '@berth/shared/settings'
import { config as loadDotenv } from 'dotenv'
import { reportSchema, reportText } from '../idle-report.ts'
import { spawnerSettings } from '../settings.ts'

const { LISTEN_PORT, INTERNAL_SECRET } = spawnerSettings
const needed = { LISTEN_PORT, INTERNAL_SECRET }

class Refused extends Error {}

async function main(): Promise<void> {
  loadDotenv({ quiet: true })
  const [name, ...more] = process.argv.slice(2)
  if (name === undefined || more.length > 0)
    throw new Refused('name one workspace, for example: idle-report lab-alice')
  const { LISTEN_PORT: port, INTERNAL_SECRET: secret } = readSettings(needed, process.env, (path) =>
    readFileSync(path, 'utf8'),
  )
  const answer = await fetch(`http://127.0.0.1:${port}${internalPaths.use(name)}`, {
    headers: { authorization: `Bearer ${secret.reveal()}` },
    signal: abortAfter(10_000),
  })
  const body: unknown = await answer.json()
  if (!answer.ok) throw new Refused(problemSchema.parse(body).detail)
  process.stdout.write(reportText(name, reportSchema.parse(body)))
}

main().catch((error: unknown) => {
  const isExplained = error instanceof Refused || error instanceof SettingsError
  const words = isExplained ? error.message : inspect(error)
  process.stderr.write(`berth idle-report: ${words}\n`)
  process.exitCode = 1
})
