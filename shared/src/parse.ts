// How a text becomes a value: the one protocol for variables, the templates file and the labels of images.
import { parseDuration } from './duration.ts'

/** A complaint continues a sentence that begins with the name of what was parsed. */
export type Parsed<T> = { readonly value: T } | { readonly complaint: string }
export type Parse<T> = (text: string) => Parsed<T>

/** @param parse answers `undefined` for a text that it rejects */
export function custom<T>(parse: (text: string) => T | undefined, complaint: string): Parse<T> {
  return (text) => {
    const value = parse(text)
    return value === undefined ? { complaint } : { value }
  }
}

/** Any text, as it is. */
export const text: Parse<string> = (value) => ({ value })

export const pattern = (shape: RegExp, complaint: string): Parse<string> =>
  custom((value) => (shape.test(value) ? value : undefined), complaint)

/**
 * A duration that `accepts`, in milliseconds.
 *
 * @param which continues "must be a duration"
 */
export const durationThat =
  (accepts: (ms: number) => boolean, which: string): Parse<number> =>
  (text) => {
    const ms = parseDuration(text)
    if (ms !== undefined && accepts(ms)) return { value: ms }
    const given = text.trim()
    // Nobody sees in "must be a duration" that `30` is not one.
    const lacksUnit = ms === undefined && parseDuration(`${given}s`) !== undefined
    const complaint = `must be a duration ${which}`
    return {
      complaint: lacksUnit ? `has no unit (${given}s, ${given}m …), and ${complaint}` : complaint,
    }
  }

/** A time that a timer can wait: Node runs a timer of more than 31 bits of milliseconds after 1 ms. */
export const duration = durationThat(
  (ms) => ms <= 24 * 86_400_000,
  'of at most 24d, such as 90s or 1h30m',
)

export const integer = (min: number, max: number): Parse<number> => {
  const parse = custom((value) => {
    const number = /^\d{1,15}$/.test(value.trim()) ? Number(value) : Number.NaN
    return number >= min && number <= max ? number : undefined
  }, `must be a whole number from ${min} to ${max}`)
  return (value) => (isPadded(value) ? { complaint: notPadded } : parse(value))
}

/** `010` is 8 to YAML 1.1 and to Compose, and 10 to others. */
export const isPadded = (value: string): boolean => /^\s*0\d/.test(value)
export const notPadded = 'must not begin with a zero: some programs read such a number as octal'

export const port = integer(1, 65_535)

/** Both ends are in it. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** `5432`, or `15000-15010`, as Compose writes it. */
export const portRange = custom((value): PortRange | undefined => {
  const ends = value.split('-').map((end) => port(end))
  const [first, last = first, ...rest] = ends.map((end) => ('value' in end ? end.value : NaN))
  if (first === undefined || last === undefined || rest.length > 0) return undefined
  return first <= last ? { first, last } : undefined
}, 'must be a port, or a range of ports such as 15000-15010')

export const flag = custom((value) => {
  const word = value.trim()
  return word === 'true' ? true : word === 'false' ? false : undefined
}, 'must be true or false')

export const choice = <const T extends string>(...values: readonly T[]): Parse<T> =>
  custom(
    (value) => values.find((known) => known === value.trim()),
    `must be one of ${values.join(', ')}`,
  )

/** Items separated by commas, each parsed; the complaint names the first item that is wrong. */
export const listOf =
  <T>(parse: Parse<T>): Parse<readonly T[]> =>
  (value) => {
    const items: T[] = []
    for (const item of value.split(',').map((part) => part.trim())) {
      if (item === '') continue
      const result = parse(item)
      if ('complaint' in result) return { complaint: `has "${item}", which ${result.complaint}` }
      items.push(result.value)
    }
    return { value: items }
  }

export const list = listOf(text)

/** A list that must not be empty: where an empty one would mean no restriction, a text such as `,` is a mistake. */
export const someOf =
  <T>(parse: Parse<T>): Parse<readonly T[]> =>
  (value) => {
    const result = listOf(parse)(value)
    return 'value' in result && result.value.length === 0 ? { complaint: 'names nothing' } : result
  }

/** A base URL without path, query or fragment: `https://berth.example.com`. */
export const originUrl = custom((value) => {
  if (!URL.canParse(value)) return undefined
  const url = new URL(value)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  return url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
    ? url.origin
    : undefined
}, 'must be a URL with scheme and host only, such as https://berth.example.com')
