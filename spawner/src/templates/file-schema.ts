// The schema of the templates file: its templates and secrets. The reference is generated from it.
import { text } from '@berth/shared/parse'
import type { z } from 'zod'
import { berthKeys } from './berth-keys.ts'
import { composeKeys } from './compose-keys.ts'
import { map, section, value } from './file-fields.ts'

export const templateSchema = section(
  { ...composeKeys, ...berthKeys },
  'A template. Its name is `[a-z][a-z0-9]*`; with a `prefix` it may also contain - and _',
)

export const secretSchema = section(
  { file: value(text, 'The file with its content; relative to the templates file') },
  'A secret: its content is read whenever the templates file is read',
)

export const fileSchema = section(
  {
    templates: map(templateSchema, 'Templates by name'),
    secrets: map(secretSchema, 'Secrets by name').optional(),
  },
  'Templates of Berth. Keys that begin with x- are ignored, as in Compose',
)

export type WrittenTemplate = z.infer<typeof templateSchema>
