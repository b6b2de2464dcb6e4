// The templates of an application of the gallery, as the proof deploys them: with short idle steps, and with a prefix that no
// other deployment on this engine has.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { surroundings } from '../run/surroundings.ts'

export interface Way {
  readonly kind: 'host' | 'path'
  /** The first part of the names of its workspaces. */
  readonly prefix: string
  /** The host name that leads to it. */
  readonly host: string
  /** The path at which the application is served; ends in a slash. */
  readonly path: string
}

interface TemplateText {
  readonly route: {
    readonly hosts?: readonly string[]
    readonly path?: string | { readonly prefix: string }
  }
  readonly ready?: Readonly<Record<string, unknown>>
  readonly [key: string]: unknown
}

export interface TemplatesForTest {
  readonly text: string
  readonly ways: readonly Way[]
}

export function templatesForTest(
  folder: string,
  idle: Readonly<Record<string, string>>,
): TemplatesForTest {
  const file = join(surroundings.root, 'gallery', folder, 'template.yml')
  const { templates } = parse(readFileSync(file, 'utf8'), { merge: true }) as {
    templates: Readonly<Record<string, TemplateText>>
  }
  const changed: Record<string, unknown> = {}
  const ways = Object.entries(templates).map(([name, template]): Way => {
    const prefix = `g${name}${process.pid.toString(36)}`.slice(0, 20)
    const { hosts, path } = template.route
    const ready = { ...template.ready, timeout: '5m' }
    changed[name] = { ...template, prefix, idle, ready }
    if (path === undefined) return { kind: 'host', prefix, host: hosts?.[0] ?? '', path: '/' }
    const text = typeof path === 'string' ? path : path.prefix
    return { kind: 'path', prefix, host: hosts?.[0] ?? 'localhost', path: `${text}/` }
  })
  return { text: stringify({ templates: changed }), ways }
}
