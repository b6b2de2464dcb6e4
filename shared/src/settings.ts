// Settings, and how a service reads them from the environment. Every problem is reported at once, with the variable's name.
import { custom, type Parse } from './parse.ts'
import { Secret } from './secret.ts'

export interface Setting<T> {
  /** Parses the text of the variable. */
  readonly parse: Parse<T>
  /** One line for `.env.example` and the reference. */
  readonly doc: string
  /** A valid value, shown in errors and in the reference. */
  readonly example: string
  /** As text. Without a default, an unset variable is an error, or `undefined` if the setting is optional. */
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

export function required<T>(parse: Parse<T>, words: Words): Setting<T> {
  return { parse, ...words, optional: false, secret: false }
}

export function optional<T>(parse: Parse<T>, words: Words): Setting<T | undefined> {
  return { parse, ...words, optional: true, secret: false }
}

/** The same setting, made optional. */
export function orUnset<T>(setting: Setting<T>): Setting<T | undefined> {
  return { ...setting, optional: true }
}

/** @param value the default, as text; also the example unless `words` has one */
export function withDefault<T>(
  parse: Parse<T>,
  value: string,
  words: { doc: string; example?: string },
): Setting<T> {
  const example = words.example ?? value
  return { parse, doc: words.doc, example, default: value, optional: false, secret: false }
}

/** A secret: it is never printed, and may be read from the file that `<NAME>_FILE` names. */
export function secret(words: Words): Setting<Secret> {
  return { ...required(secretText, words), secret: true }
}

export function optionalSecret(words: Words): Setting<Secret | undefined> {
  return { ...optional(secretText, words), secret: true }
}

/** What a header can carry: a secret is sent in one. */
const secretText = custom(
  (text) => (/^[\x20-\x7e]{16,}$/.test(text.trim()) ? new Secret(text.trim()) : undefined),
  'must have at least 16 characters on one line: ASCII letters, digits, punctuation or blanks',
)

/** Every problem of a configuration, one line each. */
export class SettingsError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`the configuration has ${problems.length} problem(s)\n  ${problems.join('\n  ')}`)
    this.name = 'SettingsError'
    this.problems = problems
  }
}

/**
 * Reads each setting once. An empty variable counts as unset: Compose passes unset variables as empty ones. A secret may
 * also be in the file that `<NAME>_FILE` names.
 *
 * @param readFile reads a secret's file; throws when it cannot
 * @throws SettingsError with every problem
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
    const result = setting.parse(given)
    if ('value' in result) {
      values[name] = result.value
      continue
    }
    const shown = setting.secret ? '' : ` "${given}"`
    problems.push(`${name}${shown} ${result.complaint} (example: ${name}=${setting.example})`)
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
