// @ts-check
// A failure that a person can act on: what went wrong, the last lines of output about it, and what to do.

export class Failure extends Error {
  /**
   * @param {string} message what went wrong, in one line
   * @param {{ help?: string | undefined, lines?: readonly string[] | undefined, cause?: unknown }} [more]
   */
  constructor(message, { help, lines = [], cause } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'Failure'
    this.help = help
    this.lines = lines
  }
}
