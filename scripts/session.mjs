// @ts-check
// Runs a script: progress on standard output, each failure reported once, an orderly end when interrupted.
import { setTimeout as sleep } from 'node:timers/promises'
import { allowCommands, endCommands } from './command.mjs'
import { createProgress } from './progress.mjs'

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

/** How long the work may take to clean up after its commands were ended. */
const UNWIND_MS = 15_000

/**
 * @typedef {import('./progress.mjs').Progress} Progress
 * @param {(progress: Progress) => Promise<void>} work
 * @param {{ onInterrupt?: (progress: Progress) => Promise<void> }} [options] clean-up that must run after an interruption
 */
export const runScript = async (work, { onInterrupt } = {}) => {
  const progress = createProgress({ out: process.stdout, now: Date.now })
  let interrupted = false
  const working = work(progress).catch((error) => {
    // The command failed because it was ended. That needs no report.
    if (interrupted) return
    progress.failed(error)
    process.exitCode = 1
  })

  /** @param {NodeJS.Signals} signal */
  const interrupt = async (signal) => {
    progress.line(`\ninterrupted by ${signal}`)
    await endCommands()
    await Promise.race([working, sleep(UNWIND_MS)])
    allowCommands()
    await onInterrupt?.(progress)
  }
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, (/** @type {NodeJS.Signals} */ name) => {
      if (interrupted) return
      interrupted = true
      interrupt(name)
        .catch((error) => progress.failed(error))
        .finally(() => process.exit(code))
    })
  }
  await working
}
