// The text of an `env_file` -> variables, in the format of Compose. Pure.
import type { Parsed } from '@berth/shared/parse'
import { interpolate, type Variables } from './interpolate.ts'

export type Pair = readonly [name: string, text: string]

/** A name, then a value in single quotes (taken as it is), in double quotes, or up to the end of the row. */
const assignment =
  /[ \t]*(?:export[ \t]+)?([^\s=#'"]+)[ \t]*=[ \t]*(?:'([^']*)'|"((?:\\[^]|[^"\\])*)"|([^'"\n\r][^\n\r]*)?)[ \t]*(?:#[^\n\r]*)?(?:\r?\n|$)/y
const rawAssignment = /[ \t]*([^\s=#'"]+)=([^\n\r]*)(?:\r?\n|$)/y
const nothing = /[ \t]*(?:#[^\n\r]*)?(?:\r?\n|$)/y

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/**
 * @param isRaw nothing is quoted, filled in or a comment behind a value
 * @returns the pairs in the order of the file; a complaint names the row
 */
export function parseEnvFile(
  text: string,
  isRaw: boolean,
  variables: Variables,
): Parsed<readonly Pair[]> {
  const pairs: Pair[] = []
  // Editors of Windows begin a file with a byte order mark.
  let at = text.startsWith('\ufeff') ? 1 : 0
  const next = (shape: RegExp): RegExpExecArray | null => {
    shape.lastIndex = at
    return shape.exec(text)
  }
  // As in Compose, a variable may use those above it.
  const known: Variables = (name) => {
    const above = pairs.findLast(([other]) => other === name)
    return above === undefined ? variables(name) : { value: above[1] }
  }
  while (at < text.length) {
    const row = text.slice(0, at).split('\n').length
    const found = next(nothing) ?? next(isRaw ? rawAssignment : assignment)
    if (found === null)
      return { complaint: `has in row ${row} no NAME=value, or a quote that is not closed` }
    at += found[0].length
    const [, name, ...values] = found
    if (name === undefined) continue
    const value = isRaw ? { value: values[0] ?? '' } : valueOf(values, known)
    if ('complaint' in value)
      return { complaint: `has in row ${row} ${name}, which ${value.complaint}` }
    pairs.push([name, value.value])
  }
  return { value: pairs }
}

function valueOf(
  [single, double, plain = '']: readonly (string | undefined)[],
  variables: Variables,
): Parsed<string> {
  if (single !== undefined) return { value: single }
  if (double === undefined) return interpolate(plain.replace(/ #.*$/, '').trim(), variables)
  const filled = interpolate(double.replaceAll('\\$', '$$$$'), variables)
  if ('complaint' in filled) return filled
  const unescaped = filled.value.replaceAll(
    /\\([^])/g,
    (_whole, letter: string) => escapes[letter] ?? letter,
  )
  return { value: unescaped }
}
