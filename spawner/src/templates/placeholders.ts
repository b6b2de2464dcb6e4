// Texts with `{placeholders}`. They are parsed once at the start, when an unknown name is an error, and rendered for
// each person.
import type { Person } from '@berth/shared/contract'
import { safeUserName, workspaceName } from '@berth/shared/names'
import { basePath, type Template } from './template.ts'

const placeholderNames = [
  'user',
  'username',
  'workspace',
  'template',
  'instance',
  'base_path',
  'prefix',
  'host',
  'origin',
  'email',
] as const
export type PlaceholderName = (typeof placeholderNames)[number]
export type PlaceholderValues = Readonly<Record<PlaceholderName, string>>

const notInMounts: readonly PlaceholderName[] = ['username', 'email', 'host', 'origin']

/** The placeholders that a volume or a path may contain. People choose the characters in a user name and an address of
 * e-mail, and an address of the web has colons. */
export const mountPlaceholders = placeholderNames.filter((name) => !notInMounts.includes(name))

/** What follows from the route of the template alone. */
export const addressPlaceholders = ['base_path', 'prefix', 'host', 'origin'] as const

type Part = { readonly text: string } | { readonly placeholder: PlaceholderName }

/** @returns the parts of a text, or a complaint that says what is wrong with the text */
function parse(
  source: string,
  allowed: readonly PlaceholderName[],
): { parts: readonly Part[] } | { complaint: string } {
  const parts: Part[] = []
  const token = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g
  for (const match of source.matchAll(token)) {
    const [whole, name] = match
    if (whole === '{{') parts.push({ text: '{' })
    else if (whole === '}}') parts.push({ text: '}' })
    else if (whole === '}') parts.push({ text: '}' })
    else if (whole === '{') return { complaint: 'has a brace that is not closed; {{ is a brace' }
    else if (name === undefined) parts.push({ text: whole })
    else {
      const known = placeholderNames.find((candidate) => candidate === name)
      if (known === undefined)
        return { complaint: `has the unknown placeholder {${name}}; write {{ for a brace` }
      if (!allowed.includes(known)) return { complaint: `may not contain {${name}}` }
      parts.push({ placeholder: known })
    }
  }
  return { parts }
}

/** @returns what is wrong with the text's placeholders; `undefined` if nothing is */
export function placeholderComplaint(
  source: string,
  allowed: readonly PlaceholderName[] = placeholderNames,
): string | undefined {
  const result = parse(source, allowed)
  return 'complaint' in result ? result.complaint : undefined
}

export function usesPlaceholder(source: string, ...names: readonly PlaceholderName[]): boolean {
  const result = parse(source, placeholderNames)
  if ('complaint' in result) return false
  return result.parts.some((part) => 'placeholder' in part && names.includes(part.placeholder))
}

/** @throws TypeError for a text that `placeholderComplaint` would have refused */
export function render(source: string, values: PlaceholderValues): string {
  const result = parse(source, placeholderNames)
  if ('complaint' in result) throw new TypeError(`"${source}" ${result.complaint}`)
  return result.parts
    .map((part) => ('text' in part ? part.text : values[part.placeholder]))
    .join('')
}

/**
 * The values for one workspace of one template. A shared workspace and a standby have no owner. Their values that name
 * a person are empty, and their templates may not use these placeholders.
 */
export function placeholderValues(
  template: Pick<Template, 'name' | 'prefix' | 'route' | 'origin'>,
  owner: Person | undefined,
  instance: string,
): PlaceholderValues {
  return {
    user: owner === undefined ? '' : safeUserName(template.prefix, owner.name),
    username: owner?.name ?? '',
    workspace: owner === undefined ? '' : workspaceName(template.prefix, owner.name),
    template: template.name,
    instance,
    base_path: basePath(template),
    prefix: template.route.path?.prefix ?? '',
    host: template.origin === undefined ? '' : new URL(template.origin).host,
    origin: template.origin ?? '',
    email: owner?.email ?? '',
  }
}
