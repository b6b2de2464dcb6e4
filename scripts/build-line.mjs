// @ts-check
// A line of output of a build or a package manager, shortened to fit behind the name of a step.

const WIDTH = 56

/** @param {string} line may begin with the number and time of a build step, and may contain the address of a mirror */
export const buildLine = (line) =>
  line
    .replace(/^#\d+\s+/, '')
    .replace(/^\d+\.\d+\s+/, '')
    .replace(/\s*\bhttps?:\/\/\S+/g, '')
    .trim()
    .slice(0, WIDTH)
