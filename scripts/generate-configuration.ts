// Writes `.env.example`, `docs/configuration.md` and what is generated about templates from the settings and schemas
// themselves; with --check, says what is stale.
import { readFile, writeFile } from 'node:fs/promises'
import { format } from 'prettier'
import { configurationSections, type Row, type Section } from './configuration-sections.ts'
import { providerLines } from './identity-providers.ts'
import { templatesSchema, templatesTable } from './templates-reference.ts'

function environmentExample(sections: readonly Section[], providersPage: string): string {
  const head = [
    "# Berth's configuration. Copy to .env and fill in the first seven lines.",
    '# Lines that begin with # show the default, or an example where there is none.',
    '# A secret may also come from a file: <NAME>_FILE names it. Written by npm run generate.',
  ]
  const [first = [], ...others] = sections.map(exampleSection)
  const providers = [
    '',
    '# ---- Your identity provider',
    ...wrap(
      'Copy the lines of your provider in place of the lines above, and replace what is called example. docs/identity-providers.md says more about each provider. A provider that is not in this list needs such lines only if it differs from the defaults.',
    ),
    ...providerLines(providersPage).flatMap(({ provider, lines }) => [
      `# ${provider}:`,
      ...lines.map((line) => `#${line}`),
    ]),
  ]
  return [...head, ...first, ...providers, ...others.flat()].join('\n') + '\n'
}

function exampleSection(section: Section): string[] {
  const intro = section.intro === '' ? [] : wrap(section.intro)
  return [
    '',
    `# ---- ${section.title}`,
    ...intro,
    ...section.rows.flatMap((row) => exampleRow(row, section)),
  ]
}

function exampleRow(row: Row, section: Section): string[] {
  const doc = wrap(
    row.default === undefined && section.filledIn === 'no' ? `${row.doc} (example)` : row.doc,
  )
  switch (section.filledIn) {
    case 'by you':
      return [
        ...wrap(row.example === '' ? row.doc : `${row.doc}; for example ${row.example}`),
        `${row.name}=`,
      ]
    case 'with examples':
      return [...doc, `${row.name}=${row.example}`]
    case 'no':
      return [...doc, `#${row.name}=${row.default ?? row.example}`]
  }
}

function wrap(text: string, width = 110): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`# ${word}`)
  }
  return lines
}

async function reference(sections: readonly Section[]): Promise<string> {
  const head = [
    '# Configuration',
    '',
    'This page lists every variable. `npm run generate` writes it from the schemas by which the services read their settings. The variables stand in `.env` beside `docker-compose.yml`; variables of the environment win over that file. Durations are written as in Go and Compose (`500ms`, `15m`, `1h30m`), sizes as in Docker (`512m`, `2g`); `0` is off. A secret may also come from a file that `<NAME>_FILE` names. A service with a wrong setting does not start, and its log lists everything that is wrong at once.',
  ]
  const text = [...head, ...sections.flatMap(referenceSection)].join('\n')
  return format(text, { parser: 'markdown', printWidth: 100 })
}

function referenceSection(section: Section): string[] {
  const title = section.filledIn === 'by you' ? 'What must be set' : section.title
  const intro = section.filledIn === 'no' && section.intro !== '' ? [escape(section.intro), ''] : []
  return [
    '',
    `## ${title}`,
    '',
    ...intro,
    '| variable | default | what it is | read by |',
    '| --- | --- | --- | --- |',
    ...section.rows.map(referenceRow),
  ]
}

function referenceRow(row: Row): string {
  const value =
    row.default === undefined ? `none; such as \`${row.example}\`` : `\`${row.default}\``
  const shown = row.secret ? 'none' : value
  return `| \`${row.name}\` | ${cell(shown)} | ${cell(escape(row.doc))} | ${row.readBy.join(', ')} |`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
const escape = (text: string): string => text.replace(/[<>*]/g, '\\$&')

/** The page with the table of keys put anew between its two marks. */
async function templatesPage(page: string): Promise<string> {
  const [begin, end] = [/^<!-- keys:.*-->$/m, /^<!-- end of keys -->$/m].map((mark) =>
    mark.exec(page),
  )
  if (begin === undefined || begin === null || end === undefined || end === null)
    throw new Error('docs/templates.md has lost its marks')
  const head = page.slice(0, begin.index + begin[0].length)
  const text = `${head}\n\n${templatesTable()}\n\n${page.slice(end.index)}`
  return format(text, { parser: 'markdown', printWidth: 100, embeddedLanguageFormatting: 'off' })
}

async function presentText(path: string): Promise<string> {
  return readFile(new URL(path, root), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  })
}

const root = new URL('../', import.meta.url)
const sections = configurationSections()
const files = [
  ['.env.example', environmentExample(sections, await presentText('docs/identity-providers.md'))],
  ['docs/configuration.md', await reference(sections)],
  ['docs/templates.md', await templatesPage(await presentText('docs/templates.md'))],
  [
    'docs/templates.schema.json',
    await format(templatesSchema(), { parser: 'json', printWidth: 100 }),
  ],
] as const
const stale: string[] = []
for (const [path, text] of files) {
  if ((await presentText(path)) === text) continue
  stale.push(path)
  if (!process.argv.includes('--check')) await writeFile(new URL(path, root), text)
}
if (process.argv.includes('--check') && stale.length > 0) {
  process.stderr.write(`not current: ${stale.join(', ')}. Run: npm run generate\n`)
  process.exitCode = 1
} else {
  process.stdout.write(
    stale.length === 0 ? 'configuration: current\n' : `written: ${stale.join(', ')}\n`,
  )
}
