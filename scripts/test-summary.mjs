// @ts-check
// What node's test runner says of a whole run, out of all that it says.

const COUNTS = /^(?:ℹ|#)\s+(tests|pass|fail|cancelled|skipped|todo)\s+(\d+)$/

/**
 * @param {readonly string[]} lines the output of a run
 * @returns {string[]} such as `tests 12`, `pass 12`; zero counts that only bad news would raise are left out
 */
export const summaryOf = (lines) =>
  lines.flatMap((line) => {
    const [, what, count] = COUNTS.exec(stripColours(line).trim()) ?? []
    if (!what || (count === '0' && !['tests', 'pass', 'fail'].includes(what))) return []
    return [`${what} ${count}`]
  })

/** @param {readonly string[]} summary */
export const ranTests = (summary) => summary.some((line) => /^tests [1-9]/.test(line))

/** @param {string} text */
const stripColours = (text) => text.replace(/\x1b\[[0-9;]*m/g, '')
