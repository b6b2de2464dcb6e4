// What is generated about the file with templates: its JSON Schema for editors, and the table of its keys.
import { z } from 'zod'
import { fileSchema } from '../spawner/src/templates/file-schema.ts'

interface Schema {
  readonly $schema?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly enum?: readonly string[]
}

const schema = jsonSchema(fileSchema)

function jsonSchema(of: z.ZodType): Schema {
  return z.toJSONSchema(of, {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema: written }) {
      if (!(zodSchema instanceof z.ZodMap)) return
      const values = jsonSchema(zodSchema.valueType as z.ZodType)
      Object.assign(written, {
        type: 'object',
        propertyNames: { type: 'string' },
        additionalProperties: { ...values, $schema: undefined },
      })
    },
  }) as Schema
}

/** The JSON Schema, as text. */
export function templatesSchema(): string {
  const whole = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Templates of Berth',
    ...schema,
    patternProperties: { '^x-': {} },
  }
  return JSON.stringify(whole, undefined, 2) + '\n'
}

/** A row for every key of a template and of a secret, in the order of the schema. */
export function templatesTable(): string {
  const { templates, secrets } = schema.properties ?? {}
  return [
    '| key | value | what it is |',
    '| --- | --- | --- |',
    ...rows(itemOf(templates), ''),
    '',
    'Under `secrets:`, by name:',
    '',
    '| key | value | what it is |',
    '| --- | --- | --- |',
    ...rows(itemOf(secrets), ''),
  ].join('\n')
}

function itemOf(map: Schema | undefined): Schema {
  return typeof map?.additionalProperties === 'object' ? map.additionalProperties : {}
}

function rows({ properties = {}, required = [] }: Schema, above: string): string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const key = `${above}${name}`
    const need = required.includes(name)
      ? above === ''
        ? ' **Required**'
        : ' **Required there**'
      : ''
    const row = `| \`${key}\` | ${kindOf(field)} | ${cell(field.description ?? '')}.${need} |`
    return [row, ...(field.properties === undefined ? [] : rows(field, `${key}.`))]
  })
}

function kindOf(field: Schema): string {
  if (field.enum !== undefined) return field.enum.map((word) => `\`${word}\``).join(', ')
  if (field.anyOf !== undefined) return field.anyOf.map(kindOf).join(', or ')
  if (field.type === 'array') return `list of ${field.items?.enum ? kindOf(field.items) : 'texts'}`
  if (field.type === 'object') return 'map'
  if (field.type === 'boolean') return '`true`, `false`'
  return 'text'
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
