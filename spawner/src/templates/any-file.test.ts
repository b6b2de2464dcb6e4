// Whatever the file says, it is an answer: a fault that is thrown would end the spawner while it watches.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { templateSchema } from './file-schema.ts'
import { readTemplatesFile } from './read-templates-file.ts'
import { readYaml } from './readable-yaml.ts'
import { fileContext } from './testing/file-context.ts'

const keys = [
  ...Object.keys(templateSchema.shape),
  'x-a',
  '__proto__',
  'constructor',
  '<<',
  '',
  '0',
]
const values = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    '15m',
    '2g',
    '/a',
    'x',
    '{user}',
    'a:/b',
    'SIGINT',
    [],
    {},
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('path', 'prefix', 'hosts', 'port', 'id', '__proto__'), fc.string()),
)
const template = fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), values)
const name = fc.oneof(fc.constantFrom('lab', 'a', 'b', 'berth', '__proto__'), fc.string())
const file = fc.record(
  {
    templates: fc.oneof(fc.dictionary(name, fc.oneof(template, values)), values),
    secrets: fc.oneof(fc.dictionary(name, values), values),
  },
  { requiredKeys: [] },
)

function check(text: string): void {
  const result = readTemplatesFile(text, fileContext())
  if ('templates' in result) return
  assert.ok(result.problems.length > 0)
  const lines = text.split('\n').length
  for (const { line, column, message } of result.problems) {
    assert.ok(line >= 1 && line <= lines + 1 && column >= 1, `${line}:${column}`)
    assert.ok(message !== '')
  }
}

describe('any file with templates', () => {
  it('is taken or refused with a place for each problem, whatever values it has', () => {
    fc.assert(
      fc.property(file, (content) => check(stringify(content))),
      { numRuns: 500 },
    )
  })

  it('has no fault told that only follows from a syntax error', () => {
    const good = [
      'x-small: &small { cpus: 1 }',
      'secrets:',
      '  key: { file: key }',
      'templates:',
      '  a:',
      '    image: berth/a',
      '    port: 80',
      '    home:',
      '      path: /home/me',
      '    secrets: [key]',
      '  b:',
      '    <<: *small',
      '    image: "berth/b"',
      '    port: 80',
      '    route: { path: /b }',
      '    volumes:',
      '    - data:/data',
      '    - { source: d, target: /d }',
    ]
    const context = fileContext({ readBeside: () => 'secret' })
    assert.ok('templates' in readTemplatesFile(good.join('\n'), context))
    const mistake = fc.constantFrom('"', "'", '{', '}', '[', ']', '\t', ': ', '@', ' ', '*', '- ')
    const place = fc.record({ row: fc.nat(good.length - 1), at: fc.nat(30), mistake })
    fc.assert(
      fc.property(place, ({ row, at, mistake: text }) => {
        const rows = [...good]
        rows[row] = (rows[row] ?? '').slice(0, at) + text + (rows[row] ?? '').slice(at)
        const result = readTemplatesFile(rows.join('\n'), context)
        if ('templates' in result || readYaml(rows.join('\n')).errors.length === 0) return
        for (const { path, message } of result.problems)
          assert.doesNotMatch(
            message,
            /is not set|is empty|not a secret of the top level|same way in|must be set/,
            `${path} ${message}\n${rows.join('\n')}`,
          )
      }),
      { numRuns: 300 },
    )
  })

  it('is refused where a key is a map that yaml cannot write as text', () => {
    check('? !<tag:yaml.org,2002:merge> templates:\n*a')
    check('? !<tag:yaml.org,2002:merge> templates:\n: a')
  })

  it('is taken or refused, whatever text it is', () => {
    const pieces = fc.constantFrom(
      'templates:',
      '\n',
      '  ',
      'lab:',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '<<: *a',
      '- ',
      '? ',
      '!!binary ',
      '!!set ',
      '!!js/function ',
      '"',
      "'",
      '|',
      '>',
      '#',
      '%YAML 1.1',
      '---',
      '...',
      '\t',
      '\u0000',
      'image: x',
      'port: 80',
      ': ',
      ',',
      '!<tag:yaml.org,2002:merge> ',
    )
    const text = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''))
    fc.assert(fc.property(text, check), { numRuns: 2_000 })
  })
})
