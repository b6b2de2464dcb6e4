// The text of the file -> its templates, or everything that is wrong with it and where. Pure: files are read for it.
import { Secret } from '@berth/shared/secret'
import type { Document } from 'yaml'
import type { z } from 'zod'
import { fileSchema, secretSchema, templateSchema, type WrittenTemplate } from './file-schema.ts'
import { secretName } from './compose-keys.ts'
import { composeKeyComplaint } from './compose-other-keys.ts'
import { isMap, reasonOf, unreadable } from './file-fields.ts'
import { templateFromFile, type FileSurroundings } from './from-file.ts'
import { interpolate, type Variables } from './interpolate.ts'
import { jointComplaints } from './joint-rules.ts'
import { nearestWord } from './nearest-word.ts'
import { createPositions, type Path, type Position } from './positions.ts'
import { readYaml, type ReadableYaml } from './readable-yaml.ts'
import type { OwnHosts } from './route-overlaps.ts'
import type { Template } from './template.ts'
import { templateComplaints, type Surroundings } from './template-rules.ts'

export interface FileContext extends Surroundings {
  /** Folders of the host below which binds may lie. */
  readonly bindsAllowed: readonly string[]
  readonly hosts: OwnHosts
  /** What `${NAME}` stands for. */
  readonly variables: Variables
  /** The environment's: names and ways in must differ from theirs. */
  readonly beside: readonly Template[]
  /** A file of a secret or of variables, by the path that is written. Throws when it cannot be read. */
  readonly readBeside: (path: string) => string
}

export interface FileProblem extends Position {
  /** `templates.lab.image`; empty: the file as a whole. */
  readonly path: string
  readonly message: string
}

export type FileResult =
  { readonly templates: readonly Template[] } | { readonly problems: readonly FileProblem[] }

export function readTemplatesFile(text: string, context: FileContext): FileResult {
  const yaml = readYaml(text)
  const { document, lines, isPartial, incomplete } = yaml
  const problems: FileProblem[] = yaml.errors.map((error) => ({ ...error, path: '' }))
  if (document !== undefined) {
    const position = createPositions(document, lines)
    const complain = (path: Path, message: string, at?: 'key'): void => {
      problems.push({ ...position(path, at), path: path.join('.'), message })
    }
    const content = valueOf(document, isPartial, complain)
    const templates =
      content === undefined
        ? []
        : readContent(content, context, { isPartial, incomplete }, complain)
    if (problems.length === 0) return { templates }
  }
  return { problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) }
}

type Complain = (path: Path, message: string, at?: 'key') => void
type Content = Readonly<Record<string, unknown>>

/** Hundreds of templates may share an anchor. */
const maxAliasCount = 10_000

function valueOf(
  document: Document.Parsed,
  isPartial: boolean,
  complain: Complain,
): Content | undefined {
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount })
  } catch (error) {
    // So many aliases that their expansion would fill the memory.
    complain([], error instanceof Error ? error.message : String(error))
    return undefined
  }
  if (isMap(value)) return value
  if (!isPartial) complain([], reasonOf(value) ?? 'must be a map with the key templates')
  return undefined
}

function readContent(
  content: Content,
  context: FileContext,
  { isPartial, incomplete }: Pick<ReadableYaml, 'isPartial' | 'incomplete'>,
  complain: Complain,
): readonly Template[] {
  const known = Object.keys(fileSchema.shape)
  for (const key of Object.keys(content))
    if (!known.includes(key) && !key.startsWith('x-'))
      complain([key], unknownKey([key], known), 'key')
  const { templates: writtenTemplates, secrets: writtenSecrets } = filledIn(content, context)
  const secrets = readSecrets(writtenSecrets, context, complain)
  const surroundings = { ...context, secrets, lacksSecrets: isPartial }
  const wrongKeys = new Map<Template, ReadonlySet<string>>()
  const isLeftOut = isPartial && (writtenTemplates ?? undefined) === undefined
  const written = isLeftOut ? {} : writtenTemplates
  for (const [name, one] of entries(written, ['templates'], complain)) {
    if (incomplete.has(name)) continue
    const read = readTemplate(name, one, surroundings, complain)
    if (read !== undefined) wrongKeys.set(read.template, read.wrong)
  }
  const templates = [...wrongKeys.keys()]
  const complaints = jointComplaints([...context.beside, ...templates], context.hosts)
  for (const { templates: about, field, message } of complaints) {
    const last = about.at(-1)
    if (last?.source !== 'file') continue
    if (about.some((template) => wrongKeys.get(template)?.has(keyOf(field)))) continue
    complain(['templates', last.name, ...steps(field)], message, field === '' ? 'key' : undefined)
  }
  return templates
}

/** Only what is read: a key that begins with `x-` may be a note with a dollar sign in it. */
function filledIn({ templates, secrets }: Content, { variables }: FileContext): Content {
  const fill = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(fill)
    if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fill(v)]))
    if (typeof value !== 'string') return value
    // No path, variable or argument of a program can have one, and the engine would say so only at a start.
    if (value.includes('\0')) return unreadable('has a zero byte')
    const result = interpolate(value, variables)
    return 'value' in result ? result.value : unreadable(result.complaint)
  }
  return { templates: fill(templates), secrets: fill(secrets) }
}

const steps = (field: string): string[] => (field === '' ? [] : field.split('.'))
const keyOf = (field: string): string => steps(field)[0] ?? ''

function entries(value: unknown, path: Path, complain: Complain): [string, unknown][] {
  if (isMap(value)) return Object.entries(value)
  if (value === undefined) complain(path, 'is not set: it holds the templates by name')
  else complain(path, reasonOf(value) ?? 'must be a map')
  return []
}

function readSecrets(
  value: unknown,
  context: FileContext,
  complain: Complain,
): ReadonlyMap<string, Secret | undefined> {
  const secrets = new Map<string, Secret | undefined>()
  if (value === undefined || value === null) return secrets
  for (const [name, written] of entries(value, ['secrets'], complain)) {
    secrets.set(name, undefined)
    const path = ['secrets', name]
    const wrongName = secretName(name)
    if ('complaint' in wrongName) complain(path, wrongName.complaint, 'key')
    const result = checked(secretSchema, written, path, complain)
    if (result === undefined) continue
    try {
      secrets.set(name, new Secret(context.readBeside(result.file)))
    } catch (error) {
      complain(
        [...path, 'file'],
        `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
  return secrets
}

function readTemplate(
  name: string,
  written: unknown,
  context: FileContext & FileSurroundings,
  complain: Complain,
): { template: Template; wrong: ReadonlySet<string> } | undefined {
  const path = ['templates', name]
  const isName = /^[a-z][a-z0-9_-]{0,62}$/.test(name)
  if (!isName) complain(path, 'must be lower-case letters, digits, - and _, a letter first', 'key')
  const mended = mend(written, path, complain)
  if (mended === undefined) return undefined
  const { value, placeOf } = mended
  const wrong = new Set([...mended.wrong, ...(isName ? [] : ['prefix'])])
  const { template, complaints, places } = templateFromFile(name, value, context)
  const pathOf = (field: string): Path => [...path, ...steps(placeOf(field))]
  const rules = templateComplaints(template, context).map(({ fields, message }) => {
    const [first, ...others] = fields
    const place = (field: string): string => places.get(field) ?? field
    return { fields: [place(first), ...others.map(place)] as const, message }
  })
  for (const { fields, message } of [...complaints, ...rules])
    if (fields.every((field) => !wrong.has(keyOf(field)))) complain(pathOf(fields[0]), message)
  return { template, wrong }
}

interface Mended {
  readonly value: WrittenTemplate
  /** Keys that nothing may be concluded from, and items of lists (`volumes.2`), which are left out. */
  readonly wrong: ReadonlySet<string>
  /** Where a field of the value is in what was written. */
  readonly placeOf: (field: string) => string
}

/** Tells what is wrong, and leaves that out, so that all else can be looked at all the same. */
function mend(written: unknown, path: Path, complain: Complain): Mended | undefined {
  const result = templateSchema.safeParse(written)
  if (result.success) return { value: result.data, wrong: new Set(), placeOf: (field) => field }
  for (const issue of result.error.issues) tell(issue, path, complain)
  if (!isMap(written)) return undefined
  const wrong = new Set(result.error.issues.flatMap(wrongBy))
  const isLeft = (key: string, index: number): boolean => !wrong.has(`${key}.${index}`)
  const rest = Object.entries(written)
    .filter(([key]) => !wrong.has(key))
    .map(([key, value]): [string, unknown] => [
      key,
      Array.isArray(value) ? value.filter((_item, index) => isLeft(key, index)) : value,
    ])
  const again = templateSchema.safeParse({ image: 'x', ...Object.fromEntries(rest) })
  if (!again.success) return undefined
  return {
    value: again.data,
    wrong,
    placeOf(field) {
      const [key = '', index] = field.split('.')
      const list = written[key]
      if (!Array.isArray(list) || index === undefined) return field
      const left = [...list.keys()].filter((at) => isLeft(key, at))
      return `${key}.${left[Number(index)]}`
    },
  }
}

function wrongBy(issue: z.core.$ZodIssue): string[] {
  const [key, index] = issue.path
  if (typeof index === 'number') return [`${String(key)}.${index}`]
  if (key !== undefined) return [String(key)]
  if (issue.code !== 'unrecognized_keys') return []
  // What was meant may stand there as well, or be missing.
  const known = Object.keys(templateSchema.shape)
  return issue.keys.flatMap((unknown) => {
    const meant = nearestWord(unknown, known)
    return meant === undefined ? [unknown] : [unknown, meant]
  })
}

/** @returns what the schema makes of it; every problem is told otherwise */
function checked<S extends z.ZodType>(
  schema: S,
  value: unknown,
  path: Path,
  complain: Complain,
): z.infer<S> | undefined {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  for (const issue of result.error.issues) tell(issue, path, complain)
  return undefined
}

function tell(issue: z.core.$ZodIssue, above: Path, complain: Complain): void {
  const path = [...above, ...issue.path.map((step) => (typeof step === 'symbol' ? '' : step))]
  if (issue.code === 'unrecognized_keys') {
    // `section` hands over what is known there.
    const known = issue.message.split(' ')
    for (const key of issue.keys) complain([...path, key], unknownKey([...path, key], known), 'key')
    return
  }
  const [meant, ...others] = issue.code === 'invalid_union' ? issue.errors.filter(isOfKind) : []
  if (meant === undefined || others.length > 0) complain(path, issue.message)
  else for (const inner of meant) tell(inner, path, complain)
}

/** Of several ways of writing it, the one that was meant: the value itself is of its kind, if not what is in it. */
function isOfKind(issues: readonly z.core.$ZodIssue[]): boolean {
  return !issues.some(
    ({ code, path }) => path.length === 0 && (code === 'invalid_type' || code === 'invalid_union'),
  )
}

function unknownKey(path: Path, known: readonly string[]): string {
  const ofCompose = composeKeyComplaint(path)
  if (ofCompose !== undefined) return ofCompose
  const nearest = nearestWord(String(path.at(-1)), known)
  return nearest === undefined ? 'is not known here' : `is not known here; did you mean ${nearest}?`
}
