// @ts-check
// The text of an environment file: reads its values, and fills in lines without changing the others.
// This module reads no file and generates no secret.

/**
 * A line `NAME=value`, also after `export`, and as Compose takes it with a colon. A quoted value may have several lines. A carriage
 * return before the end of a line belongs to the end of the line.
 */
const entry =
  /^[^\S\n]*(?:export[^\S\n]+)?(?<name>[^\s=:#][^\s=:]*)[^\S\n]*[=:](?<blank>[^\S\n]*)(?:"(?<double>(?:\\[^]|[^"\\])*)"|'(?<single>(?:\\[^]|[^'\\])*)')?(?<plain>[^\n]*)/gm

/**
 * The values that the file sets, without quotes and without expansion, as Compose reads them: for `util.parseEnv` the value of `A=b#c`
 * would be `b`, and a secret that begins with `#` would seem to be missing.
 * @param {string} text
 * @returns {Record<string, string>}
 */
export const parseEnvironment = (text) => {
  /** @type {Record<string, string>} */
  const values = {}
  for (const { groups = {} } of text.matchAll(entry)) {
    const { name = '', blank, double, single, plain = '' } = groups
    values[name] =
      double?.replaceAll(/\\([^])/g, (_, letter) => ESCAPES[letter] ?? letter) ??
      single?.replaceAll("\\'", "'") ??
      withoutComment(plain, blank !== '')
  }
  return values
}

/** @type {Record<string, string>} */
const ESCAPES = { n: '\n', r: '\r', t: '\t' }

/**
 * @param {string} text
 * @param {boolean} afterBlank a value that begins with `#` directly after the equals sign is none
 */
const withoutComment = (text, afterBlank) =>
  afterBlank && text.startsWith('#') ? '' : text.replace(/ #[^]*$/, '').trim()

/**
 * Sets each variable that has no value yet. A variable with a value keeps it.
 * @param {string} text
 * @param {Readonly<Record<string, string>>} values
 * @returns {{ text: string, added: readonly string[] }}
 */
export const fillIn = (text, values) => {
  const present = parseEnvironment(text)
  const missing = Object.entries(values).filter(([name]) => !present[name])
  return { text: setAll(text, Object.fromEntries(missing)), added: missing.map(([name]) => name) }
}

/**
 * Sets each variable in the line that it already has; `undefined` comments the line out.
 * A commented-out line of the same name stays, since it is an explanation. The new line follows it.
 * @param {string} text
 * @param {Readonly<Record<string, string | undefined>>} values
 */
export const setAll = (text, values) => {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  for (const [name, value] of Object.entries(values)) {
    const active = lastIndex(lines, new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`))
    const commented = lastIndex(lines, new RegExp(`^#\\s?${name}=`))
    if (value === undefined) {
      if (active >= 0) lines[active] = `#${lines[active]}`
      continue
    }
    const line = `${name}=${value}`
    if (active >= 0) lines[active] = line
    else if (commented >= 0) lines.splice(commented + 1, 0, line)
    else lines.push(line)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/**
 * @param {readonly string[]} lines
 * @param {RegExp} pattern
 */
const lastIndex = (lines, pattern) => {
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    if (pattern.test(lines[index] ?? '')) return index
  }
  return -1
}
