// The forms of fields in YAML: text, number, list or map. `fields.ts` has the rules for their values.
import type { Parse } from '@berth/shared/parse'
import { z } from 'zod'

/** Stands for a value that could not be read, and says why: no schema accepts a symbol. */
export const unreadable = (complaint: string): symbol => Symbol(complaint)

export const reasonOf = (value: unknown): string | undefined =>
  typeof value === 'symbol' ? value.description : undefined

/** The complaint about a value of the wrong type. */
const kindOf =
  (what: string) =>
  ({ input }: { readonly input?: unknown }): string => {
    if (input === undefined) return 'is not set'
    if (input === null) return 'is empty: write a value, or leave it out'
    return reasonOf(input) ?? `must be ${what}`
  }

const textKind = kindOf('a text')

/** Numbers and booleans arrive as the texts that the file has (`as-written.ts`). Editors know them by their kind. */
const scalar = z.union([z.string(), z.number(), z.boolean()], { error: textKind })

/** @param description the text about the field in the reference and in editors */
export function value<T>(parse: Parse<T>, description: string) {
  return scalar
    .transform((given, context): T => {
      const result = parse(String(given))
      if ('value' in result) return result.value
      context.addIssue({ code: 'custom', message: result.complaint, input: given })
      return z.NEVER
    })
    .meta({ description })
}

export function choice<const T extends readonly [string, ...string[]]>(
  values: T,
  description: string,
) {
  return z.enum(values, { error: kindOf(`one of ${values.join(', ')}`) }).meta({ description })
}

/** The text arrives as the file has it, in quotes or not, as Compose takes it. */
export function flag(description: string) {
  const read = (given: unknown): unknown => {
    const word = typeof given === 'string' ? given.toLowerCase() : given
    return word === 'true' ? true : word === 'false' ? false : given
  }
  return z.preprocess(read, z.boolean({ error: kindOf('true or false') })).meta({ description })
}

export function list<S extends z.ZodType>(item: S, description: string) {
  return z.array(item, { error: kindOf('a list') }).meta({ description })
}

/**
 * A map with any keys, whose values all have the same type. It is parsed as a `Map`, because zod drops the key
 * `__proto__` of a record, and this key is a valid name here.
 */
export function map<S extends z.ZodType>(item: S, description: string) {
  const entries = z.map(z.string(), item, { error: kindOf('a map') })
  return z
    .preprocess((given) => (isMap(given) ? new Map(Object.entries(given)) : given), entries)
    .meta({ description })
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A map with these keys and no others. Each unknown key gets its own complaint, see `unknownKeys`. */
export function section<S extends z.ZodRawShape>(shape: S, description: string) {
  return z
    .strictObject(shape, {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : kindOf('a map')(issue),
    })
    .meta({ description })
}

/** A value in one of two forms. */
export function either<A extends z.ZodType, B extends z.ZodType>(
  ways: readonly [A, B],
  what: string,
  description: string,
) {
  return z.union(ways, { error: kindOf(what) }).meta({ description })
}

/** `-1` means no limit in Compose, as `0` does here. */
export const boundOrNone =
  (parse: Parse<number>): Parse<number> =>
  (text) =>
    text === '-1' ? { value: 0 } : parse(text)

/** The last sentence of the description of a key that has a default. */
export const unset = (value: string): string => `Unset: \`${value}\``
