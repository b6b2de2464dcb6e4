// The current templates, from environment, file and images. The source reads the file again when it changes. If the new
// file has an error, the source refuses the whole file and keeps the old templates. The caller passes in the access to
// the disk.
import type { Log } from '@berth/shared/log'
import { SettingsError } from '@berth/shared/settings'
import type { LabelledImage } from './from-image.ts'
import type { Variables } from './interpolate.ts'
import { joinTemplates, type JoinContext } from './join-templates.ts'
import { readTemplatesFile, type FileProblem } from './read-templates-file.ts'
import type { Template } from './template.ts'

export interface TemplateContext extends JoinContext {
  /** The folders of the host below which a template may bind folders. */
  readonly bindsAllowed: readonly string[]
  /** What `${NAME}` stands for in the file. */
  readonly variables: Variables
}

export interface TemplateSourceDeps {
  /** The path of the templates file. Absent: there is no file. */
  readonly path: string | undefined
  readonly environment: Iterable<Template>
  readonly context: TemplateContext
  /** Throws if the file cannot be read. */
  readonly readFile: (path: string) => string
  /** Calls `changed` each time the file may have changed. */
  readonly watch: (path: string, look: () => void) => Disposable
  /** A path relative to the folder of the file. */
  readonly beside: (file: string, path: string) => string
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** Called after the templates have changed. */
  readonly changed: (templates: ReadonlyMap<string, Template>) => void
}

export interface TemplateSource extends Disposable {
  templates(): ReadonlyMap<string, Template>
  /** Reads the file again and logs the result. */
  reload(): void
  /** The labelled images that the engine has now, allowed or not. */
  images(seen: readonly LabelledImage[]): void
}

/** @throws SettingsError if the file has an error or cannot be read at the start */
export function createTemplateSource(deps: TemplateSourceDeps): TemplateSource {
  const { path, context, log } = deps
  const environment = [...deps.environment]
  let seen: readonly LabelledImage[] = []
  let texts: string | undefined
  let fromFile: readonly Template[] = []
  let joined = joinTemplates(environment, seen, context)
  let identity = ''
  const told = new Set<string>()

  /** @returns problems as lines, or the templates; `undefined`: the content has not changed */
  function read(
    file: string,
  ): { lines: readonly string[] } | { templates: readonly Template[] } | undefined {
    const parts: string[] = []
    const text = attempt(() => deps.readFile(file))
    if ('failure' in text) {
      parts.push(text.failure)
      return isNew(parts) ? { lines: [`${file} cannot be read: ${text.failure}`] } : undefined
    }
    parts.push(text.value)
    const result = readTemplatesFile(text.value, {
      ...context,
      beside: environment,
      readBeside: (secret) => {
        const content = attempt(() => deps.readFile(deps.beside(file, secret)))
        parts.push('failure' in content ? content.failure : content.value)
        if ('failure' in content) throw new Error(content.failure)
        return content.value
      },
    })
    if (!isNew(parts)) return undefined
    return 'problems' in result ? { lines: result.problems.map((p) => lineOf(file, p)) } : result
  }

  function isNew(parts: readonly string[]): boolean {
    const all = JSON.stringify(parts)
    if (all === texts) return false
    texts = all
    return true
  }

  function join(): void {
    joined = joinTemplates([...environment, ...fromFile], seen, context)
    for (const sentence of joined.leftOut) if (!told.has(sentence)) log.warn(sentence)
    told.clear()
    for (const sentence of joined.leftOut) told.add(sentence)
  }

  function tellIfChanged(): void {
    const now = identityOf(joined.templates)
    if (now === identity) return
    identity = now
    deps.changed(joined.templates)
  }

  function look(): void {
    const result = path === undefined ? undefined : read(path)
    if (result === undefined) return
    if ('lines' in result) {
      for (const problem of result.lines)
        log.error({ problem }, 'templates file refused; the old one stays')
      return
    }
    fromFile = result.templates
    log.info({ file: path, templates: fromFile.map(({ name }) => name) }, 'templates file read')
    warnOf(fromFile)
    join()
    tellIfChanged()
  }

  function warnOf(templates: readonly Template[]): void {
    for (const { name: template, weakened } of templates)
      if (weakened.length > 0) log.warn({ template, weakened }, 'template weakens the hardening')
  }

  if (path !== undefined) {
    const result = read(path)
    if (result === undefined || 'lines' in result)
      throw new SettingsError((result?.lines ?? []).map((line) => `TEMPLATES_FILE ${line}`))
    fromFile = result.templates
    warnOf(fromFile)
  }
  join()
  identity = identityOf(joined.templates)
  const watching = path === undefined ? undefined : deps.watch(path, look)

  return {
    templates: () => joined.templates,
    reload() {
      // The administrator asked for this read, so log a result even if nothing has changed.
      texts = undefined
      look()
    },
    images(images) {
      seen = images
      join()
      tellIfChanged()
    },
    [Symbol.dispose]: () => watching?.[Symbol.dispose](),
  }
}

function attempt(read: () => string): { value: string } | { failure: string } {
  try {
    return { value: read() }
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) }
  }
}

/** The format that editors and terminals turn into a link to the place. */
function lineOf(file: string, { line, column, path, message }: FileProblem): string {
  return `${file}:${line}:${column} ${path}${path === '' ? '' : ' '}${message}`
}

/** A secret prints as stars, so the comparison needs its content in addition. */
function identityOf(templates: ReadonlyMap<string, Template>): string {
  const secrets = [...templates.values()].flatMap(({ spec }) =>
    spec.secrets.map(({ value }) => value.reveal()),
  )
  return JSON.stringify([[...templates], secrets])
}
