// The templates files that proof 19 deploys use every key of the published schema. Needs no deployment.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { changingFile, lifeFile } from './templates-files.ts'
import { surroundings } from '../run/surroundings.ts'

/** Keys without an effect on an engine, with the reason. */
const unseen: Readonly<Record<string, string>> = {
  'templates.*.banner': 'proof 22 deploys it',
  'templates.*.kind=ssh': 'is refused: not offered yet',
  'templates.*.kind=tcp': 'proof 37 deploys it',
  'templates.*.sources.*[]': 'proof 37 deploys it',
  'templates.*.allow.certificates': 'proof 37 deploys it',
  'templates.*.seats_by=address': 'proof 37 deploys it',
  'templates.*.seats_by=connection': 'proof 37 deploys it',
  'templates.*.ssh.method=attach': 'proof 36 deploys it',
  'templates.*.ssh.method=connect': 'proof 40 deploys it',
  'templates.*.ssh.port': 'proof 40 deploys it',
}

/** The parts of JSON Schema that the published schema uses. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | false
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly string[]
}

/** From the top to a value: a key, `*` for any key, `[]` for any item, `=word` for the value itself. */
type Way = readonly string[]

/** Every way to a value, and of values that are one of a few words each of these. */
function* waysOf(schema: Schema, way: Way = []): Generator<Way> {
  const { properties, additionalProperties, items, anyOf } = schema
  if (anyOf !== undefined) for (const each of anyOf) yield* waysOf(each, way)
  else if (properties !== undefined)
    for (const [key, each] of Object.entries(properties)) yield* waysOf(each, [...way, key])
  else if (additionalProperties) yield* waysOf(additionalProperties, [...way, '*'])
  else if (items !== undefined) yield* waysOf(items, [...way, '[]'])
  else if (schema.enum !== undefined) for (const word of schema.enum) yield [...way, `=${word}`]
  else yield way
}

function says(content: unknown, [step, ...rest]: Way): boolean {
  if (step === undefined) return content !== undefined && typeof content !== 'object'
  if (step.startsWith('=')) return content === step.slice(1)
  if (step === '[]') return Array.isArray(content) && content.some((item) => says(item, rest))
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return false
  const values: readonly unknown[] = Object.entries(content)
    .filter(([key]) => step === '*' || step === key)
    .map(([, value]) => value as unknown)
  return values.some((value) => says(value, rest))
}

const nameOf = (way: Way): string => way.join('.').replaceAll('.[]', '[]').replaceAll('.=', '=')

describe('the templates files of proof 19', () => {
  const published = join(surroundings.root, 'docs/templates.schema.json')
  const ways = [...waysOf(JSON.parse(readFileSync(published, 'utf8')) as Schema)]
  const files = [
    changingFile({
      prefixes: {
        full: 'full',
        dock: 'dock',
        pier: 'pier',
        rig: 'rig',
        screen: 'screen',
        frame: 'frame',
      },
      network: 'further',
      pier: '',
    }),
    lifeFile({
      own: '',
      registry: 'registry.example.com',
      folder: '/srv',
      certificate: { key: '', cert: '' },
    }),
  ].map((text): unknown => parse(text, { merge: true }))
  const unsaid = ways
    .filter((way) => !files.some((file) => says(file, way)))
    .map((way) => nameOf(way))

  it('finds keys of every kind in the schema', () => {
    const found = ways.map(nameOf)
    for (const name of [
      'secrets.*.file',
      'templates.*.environment.*',
      'templates.*.environment[]',
      'templates.*.pass.tokens[]=id',
      'templates.*.route.path',
      'templates.*.route.path.strip',
      'templates.*.volumes[].read_only',
    ])
      assert.ok(found.includes(name), name)
  })

  it('finds each key in a deployed file, except those without an effect on an engine', () => {
    assert.deepEqual(unsaid.toSorted(), Object.keys(unseen).toSorted())
  })
})
