// The lines that docs/identity-providers.md gives for each provider, as settings.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { surroundings } from '../run/surroundings.ts'
import type { Settings } from './templates.ts'

/** @param provider the heading of its section */
export async function settingsFor(provider: string): Promise<Settings> {
  const page = await readFile(join(surroundings.root, 'docs/identity-providers.md'), 'utf8')
  const [, section = ''] = page.split(`\n## ${provider}\n`)
  const [, lines = ''] = /```sh\n([^]*?)```/.exec(section.split('\n## ')[0] ?? '') ?? []
  const settings = lines.split('\n').flatMap((line) => {
    const [, name, value] = /^([A-Z0-9_]+)=(.+)$/.exec(line) ?? []
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  if (settings.length === 0)
    throw new Error(`docs/identity-providers.md has no lines for ${provider}`)
  return Object.fromEntries(settings)
}
