// What the proof of the gallery saw, and the table of it in `docs/gallery.md`.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format } from 'prettier'
import { surroundings } from '../run/surroundings.ts'

/** What is proven of an application; the proof has a test for each. */
export const claims = [
  'opens',
  'works',
  'files',
  'saves',
  'freezes',
  'click after a freeze',
  'typing after a freeze',
  'reload after a freeze',
  'stops',
  'click after a stop',
  'typing after a stop',
  'reload after a stop',
  'keeps',
] as const
export type Claim = (typeof claims)[number]

export interface Seen {
  /** Of each way, the claims that held, and those that did not. Claims that were left out are in neither. */
  readonly host: ReadonlyMap<Claim, boolean>
  readonly path: ReadonlyMap<Claim, boolean> | undefined
  readonly version: string
  /** The day of the proof, in UTC: 2026-11-27. */
  readonly day: string
  /** What ran beside the application: `Docker 26.1.5, Chromium 156`. */
  readonly beside: string
}

interface Described {
  readonly folder: string
  readonly title: string
  readonly remarks: readonly string[]
}

const page = join(surroundings.root, 'docs/gallery.md')
const begin = '<!-- results: written by npm run gallery -->\n'
const end = '<!-- end of results -->\n'

const head = [
  'Application',
  'Version',
  'Tried',
  'By host name',
  'By path',
  'Freezes',
  'Back from a freeze by',
  'Stops',
  'Back from a stop by',
  '20 MiB',
  'Remarks',
]

/** Replaces the row of one application, and keeps those of the others. */
export async function writeResult(application: Described, seen: Seen): Promise<void> {
  const text = await readFile(page, 'utf8')
  const lastRun = `Last run: ${seen.day}, with ${seen.beside}.`
  const next = withRow(text, lastRun, application.title, rowOf(application, seen))
  await writeFile(page, await format(next, { parser: 'markdown' }))
}

export function withRow(text: string, lastRun: string, title: string, row: string): string {
  const from = text.indexOf(begin) + begin.length
  const to = text.indexOf(end)
  if (from < begin.length || to < from)
    throw new Error('docs/gallery.md has no place for the results')
  const kept = text
    .slice(from, to)
    .split('\n')
    .filter((line) => line.startsWith('| ['))
  const rows = [...kept.filter((line) => !line.startsWith(`| [${title}]`)), row]
  rows.sort((one, other) => one.localeCompare(other, 'en'))
  const table = [cells(head), cells(head.map(() => '---')), ...rows].join('\n')
  return `${text.slice(0, from)}\n${lastRun}\n\n${table}\n\n${text.slice(to)}`
}

export function rowOf(
  { title, folder, remarks }: Described,
  { host, path, version, day }: Omit<Seen, 'beside'>,
): string {
  const both = path === undefined ? [host] : [host, path]
  const held = (claim: Claim): string => {
    const all = both.flatMap((way) => way.get(claim) ?? [])
    return all.length === 0 ? '–' : all.every(Boolean) ? 'yes' : '**no**'
  }
  const whole = (way: ReadonlyMap<Claim, boolean> | undefined): string => {
    if (way === undefined) return '–'
    const failed = [...way].filter(([, isTrue]) => !isTrue).map(([claim]) => claim)
    return failed.length === 0 ? 'yes' : `**no:** ${failed.join(', ')}`
  }
  const back = (from: string): string => {
    const gestures = ['click', 'typing', 'reload'] as const
    const good = gestures.filter((gesture) => held(`${gesture} after a ${from}` as Claim) === 'yes')
    const tried = gestures.some((gesture) => held(`${gesture} after a ${from}` as Claim) !== '–')
    return good.join(', ') || (tried ? '**nothing**' : '–')
  }
  return cells([
    `[${title}](../gallery/${folder}/README.md)`,
    version,
    day,
    whole(host),
    whole(path),
    held('freezes'),
    back('freeze'),
    held('stops'),
    back('stop'),
    held('files'),
    remarks.join('; '),
  ])
}

const cells = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`
