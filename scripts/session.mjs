// @ts-check
// How every script runs: progress to standard output, failures told once, an orderly end when interrupted.
import { endCommands } from './command.mjs'
import { createProgress } from './progress.mjs'

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

/**
 * @param {(progress: import('./progress.mjs').Progress) => Promise<void>} work
 * @param {{ onInterrupt?: (progress: import('./progress.mjs').Progress) => Promise<void> }} [options] what must still be done when interrupted
 */
export const runScript = async (work, { onInterrupt } = {}) => {
  const progress = createProgress({ out: process.stdout, now: Date.now })
  let interrupted = false
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      if (interrupted) return
      interrupted = true
      progress.line(`\ninterrupted by ${signal}`)
      endCommands()
        .then(() => onInterrupt?.(progress))
        .catch((error) => progress.failed(error))
        .finally(() => process.exit(code))
    })
  }
  try {
    await work(progress)
  } catch (error) {
    // A command that was ended fails; that is no news. The handler above ends the process.
    if (interrupted) return
    progress.failed(error)
    process.exitCode = 1
  }
}
