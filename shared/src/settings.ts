// What a setting is, and how a service's settings are read from the environment: all problems at once, by name.
import { z } from 'zod'
import { parseDuration } from './duration.ts'
import { Secret } from './secret.ts'

export interface Setting<T> {
  /** Parses the text of the variable. */
  readonly schema: z.ZodType<T, string>
  /** One line for `.env.example` and the reference. */
  readonly doc: string
  /** A valid value, shown in errors and in the reference. */
  readonly example: string
  /** As one would write it. Without one, an unset variable is an error, or `undefined` where optional. */
  readonly default?: string
  readonly optional: boolean
  readonly secret: boolean
}

export type Settings = Readonly<Record<string, Setting<unknown>>>
export type Values<S extends Settings> = {
  readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never
}

interface Words {
  readonly doc: string
  readonly example: string
}

export function required<T>(schema: z.ZodType<T, string>, words: Words): Setting<T> {
  return { schema, ...words, optional: false, secret: false }
}

export function optional<T>(schema: z.ZodType<T, string>, words: Words): Setting<T | undefined> {
  return { schema, ...words, optional: true, secret: false }
}

/** The same setting where it may also be left out. */
export function orUnset<T>(setting: Setting<T>): Setting<T | undefined> {
  return { ...setting, optional: true }
}

/** @param value the default, as one would write it; also the example unless another is given */
export function withDefault<T>(
  schema: z.ZodType<T, string>,
  value: string,
  words: { doc: string; example?: string },
): Setting<T> {
  const example = words.example ?? value
  return { schema, doc: words.doc, example, default: value, optional: false, secret: false }
}

/** A secret: never printed, also read from the file that `<NAME>_FILE` names. */
export function secret(words: Words): Setting<Secret> {
  return { ...required(secretText, words), secret: true }
}

export function optionalSecret(words: Words): Setting<Secret | undefined> {
  return { ...optional(secretText, words), secret: true }
}

function parsed<T>(
  parse: (text: string) => T | undefined,
  complaint: string,
): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: complaint, input: text })
    return z.NEVER
  })
}

const secretText = parsed(
  (text) => (text.trim().length >= 16 ? new Secret(text.trim()) : undefined),
  'must have at least 16 characters',
)

export const text = z.string()
/** A wait that a timer keeps: Node takes what does not fit in 31 bits of milliseconds for 1 ms. */
export const duration = parsed((value) => {
  const ms = parseDuration(value)
  return ms !== undefined && ms <= 24 * 86_400_000 ? ms : undefined
}, 'must be a duration of at most 24d, such as 90s or 1h30m')
export const integer = (min: number, max: number): z.ZodType<number, string> =>
  parsed((value) => {
    const number = /^\d{1,15}$/.test(value.trim()) ? Number(value) : Number.NaN
    return number >= min && number <= max ? number : undefined
  }, `must be a whole number from ${min} to ${max}`)
export const flag = parsed((value) => {
  const word = value.trim()
  return word === 'true' ? true : word === 'false' ? false : undefined
}, 'must be true or false')
export const port = integer(1, 65_535)
export const list = z.string().transform((value): readonly string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)
export const choice = <const T extends string>(...values: readonly T[]): z.ZodType<T, string> =>
  parsed(
    (value) => values.find((known) => known === value.trim()),
    `must be one of ${values.join(', ')}`,
  )
export const pattern = (shape: RegExp, complaint: string): z.ZodType<string, string> =>
  parsed((value) => (shape.test(value) ? value : undefined), complaint)
/** A base URL without path, query or fragment: `https://berth.example.com`. */
export const originUrl = parsed((value) => {
  if (!URL.canParse(value)) return undefined
  const url = new URL(value)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  return url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
    ? url.origin
    : undefined
}, 'must be a URL with scheme and host and nothing behind them')
/** Any parser that answers `undefined` for what it does not take. */
export const custom = parsed

/** Everything that is wrong with a configuration, one line each. */
export class SettingsError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`the configuration has ${problems.length} problem(s)\n  ${problems.join('\n  ')}`)
    this.name = 'SettingsError'
    this.problems = problems
  }
}

/**
 * Reads each setting once. An empty variable counts as unset (Compose passes those). A secret may also be given
 * as a file by `<NAME>_FILE`.
 *
 * @param readFile reads a secret's file; throws when it cannot
 * @throws SettingsError with every problem there is
 */
export function readSettings<S extends Settings>(
  settings: S,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): Values<S> {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(settings)) {
    const raw = rawText(name, setting, env, readFile, problems)
    if (raw === unreadable) continue
    const given = raw ?? setting.default
    if (given === undefined) {
      if (!setting.optional)
        problems.push(`${name} is not set: ${setting.doc} (example: ${name}=${setting.example})`)
      values[name] = undefined
      continue
    }
    const result = setting.schema.safeParse(given)
    if (result.success) {
      values[name] = result.data
      continue
    }
    const complaint = result.error.issues[0]?.message ?? 'is not valid'
    const shown = setting.secret ? '' : ` "${given}"`
    problems.push(`${name}${shown} ${complaint} (example: ${name}=${setting.example})`)
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return Object.freeze(values) as Values<S>
}

const unreadable = Symbol('unreadable')

function rawText(
  name: string,
  setting: Setting<unknown>,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
  problems: string[],
): string | undefined | typeof unreadable {
  const direct = env[name]
  if (direct !== undefined && direct !== '') return direct
  const path = setting.secret ? env[`${name}_FILE`] : undefined
  if (path === undefined || path === '') return undefined
  try {
    return readFile(path)
  } catch (error) {
    problems.push(`${name}_FILE ${path} cannot be read: ${String(error)}`)
    return unreadable
  }
}
