// @ts-check
// Shows which step is running and how long it has taken: one line per step. It knows nothing about the steps.
import { Failure } from './failure.mjs'

const TICK_MS = 500
const STILL_MS = 20_000
const NAME_WIDTH = 14
const SHOWN_LINES = 15

/**
 * @typedef {object} Saying
 * @property {(detail: string) => void} passing the same for details that change quickly: shown on a terminal only
 * @typedef {((detail: string) => void) & Saying} Say shows what the step is doing
 * @typedef {object} Progress
 * @property {<T>(name: string, work: (say: Say) => Promise<T>, summary: (result: T) => string) => Promise<T>} step
 * @property {(text?: string) => void} line
 * @property {(error: unknown) => void} failed
 * @property {() => number} elapsedMs
 */

/**
 * @param {{ out: NodeJS.WriteStream, now: () => number }} deps
 * @returns {Progress}
 */
export const createProgress = ({ out, now }) => {
  const startedAt = now()
  const live = out.isTTY === true

  /** @param {string} text */
  const write = (text) => out.write(live ? `\r\x1b[2K${text}\n` : `${text}\n`)
  /** @param {string} text */
  const overwrite = (text) => out.write(`\r\x1b[2K${text.slice(0, (out.columns ?? 80) - 1)}`)

  return {
    elapsedMs: () => now() - startedAt,
    line: (text = '') => write(text),
    failed: (error) => write(failureText(error)),

    async step(name, work, summary) {
      const stepStartedAt = now()
      let detail = ''
      let saidAt = stepStartedAt
      const label = name.padEnd(NAME_WIDTH)
      const elapsed = () => formatElapsed(now() - stepStartedAt)
      const tick = () => {
        if (live) {
          overwrite(`  … ${label} ${detail} (${elapsed()})`)
          return
        }
        if (now() - saidAt < STILL_MS) return
        saidAt = now()
        write(`  … ${label} ${detail} (${elapsed()})`)
      }
      /** @param {string} next */
      const passing = (next) => {
        detail = next
        if (live) tick()
      }
      /** @param {string} next */
      const milestone = (next) => {
        if (next === detail) return
        passing(next)
        if (live) return
        saidAt = now()
        write(`  … ${label} ${detail}`)
      }
      const say = Object.assign(milestone, { passing })
      const timer = setInterval(tick, TICK_MS)
      try {
        const result = await work(say)
        write(`  ✓ ${label} ${summary(result)} (${elapsed()})`)
        return result
      } catch (error) {
        write(`  ✗ ${label} failed after ${elapsed()}`)
        throw error
      } finally {
        clearInterval(timer)
      }
    },
  }
}

/** @param {number} ms */
export const formatElapsed = (ms) => {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}

/** @param {unknown} error */
export const failureText = (error) => {
  if (!(error instanceof Failure))
    return `\n${error instanceof Error ? error.stack : String(error)}`
  const lines = error.lines.slice(-SHOWN_LINES).map((line) => `    | ${line}`)
  return ['', error.message, ...lines, ...(error.help ? ['', error.help] : [])].join('\n')
}
