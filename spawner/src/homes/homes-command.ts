// What the commands about homes share: arguments, Ctrl+C, one line for each home, and an exit code.
import { readFileSync } from 'node:fs'
import { inspect, parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { BerthError } from '@berth/shared/problems'
import { readSettings, SettingsError } from '@berth/shared/settings'
import { config as loadDotenv } from 'dotenv'
import { spawnerSettings } from '../settings.ts'
import { ArchiveError } from './archive-folder.ts'

/** What the caller has to change. */
export class Refused extends Error {}

const explained = [Refused, ArchiveError, BerthError, SettingsError]
const interrupted = 130

export function parsed<T extends ParseArgsOptionsConfig>(usage: string, options: T) {
  try {
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    throw new Refused(`${wordsOf(error)}\n${usage}`)
  }
}

const { INSTANCE, DOCKER_HOST, INTERNAL_SECRET, LISTEN_PORT } = spawnerSettings
const needed = { INSTANCE, DOCKER_HOST, INTERNAL_SECRET, LISTEN_PORT }

/** Only what these commands need: a mistake in a template keeps nobody from a backup. */
export function homesSettings(env: Readonly<Record<string, string | undefined>>) {
  return readSettings(needed, env, (path) => readFileSync(path, 'utf8'))
}

/**
 * Runs a command until it is done or interrupted.
 *
 * @param work `false`: something failed, and was said
 */
export async function runCommand(
  name: string,
  work: (signal: AbortSignal) => Promise<boolean>,
): Promise<void> {
  loadDotenv({ quiet: true })
  const ending = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort())
  try {
    if (!(await work(ending.signal))) process.exitCode = 1
  } catch (error) {
    const isExplained = explained.some((kind) => error instanceof kind)
    process.stderr.write(`berth ${name}: ${isExplained ? wordsOf(error) : inspect(error)}\n`)
    process.exitCode = 1
  }
  if (ending.signal.aborted) process.exitCode = interrupted
}

/**
 * One home after the other, since a disk does not get faster by two.
 *
 * @param work returns the line that says what was done
 * @returns whether all succeeded
 */
export async function forEachHome<T extends { readonly volume: string }>(
  homes: readonly T[],
  work: (home: T) => Promise<string>,
  signal: AbortSignal,
): Promise<boolean> {
  const failed: string[] = []
  for (const home of homes) {
    if (signal.aborted) {
      process.stderr.write('interrupted: the homes after the last line were not reached\n')
      return false
    }
    try {
      process.stdout.write(`${home.volume}: ${await work(home)}\n`)
    } catch (error) {
      failed.push(home.volume)
      const told = explained.some((kind) => error instanceof kind) || error instanceof Error
      process.stderr.write(`${home.volume}: FAILED: ${told ? wordsOf(error) : inspect(error)}\n`)
    }
  }
  if (failed.length > 0)
    process.stderr.write(`${failed.length} of ${homes.length} failed: ${failed.join(', ')}\n`)
  return failed.length === 0
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
