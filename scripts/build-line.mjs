// @ts-check
// A line of a build or of a package manager, short enough to stand behind a step.

const WIDTH = 56

/** @param {string} line perhaps with a step's number and time in front, or the address of a mirror in it */
export const buildLine = (line) =>
  line
    .replace(/^#\d+\s+/, '')
    .replace(/^\d+\.\d+\s+/, '')
    .replace(/\s*\bhttps?:\/\/\S+/g, '')
    .trim()
    .slice(0, WIDTH)
