// Where the engine keeps the output of a container, in the form of Compose.
import { pattern, text } from '@berth/shared/parse'
import type { z } from 'zod'
import { map, section, value } from './file-fields.ts'
import { defaultSpec } from './template-defaults.ts'
import type { TemplateSpec } from './template.ts'

export const logging = section(
  {
    driver: value(
      pattern(/^[a-z0-9][\w./:-]*$/i, 'is not the name of a driver'),
      `The driver of the engine. Unset: \`${defaultSpec.logging.driver}\``,
    ).optional(),
    options: map(
      value(text, 'its value'),
      'Options of the driver, such as `max-size`. Without a `driver` they are added to those of Berth: `max-size` 10m, `max-file` 2',
    ).optional(),
  },
  'Where the engine keeps the output. With a driver that the engine cannot read back (`none`), failure pages have no last lines',
)

export function readLogging({
  driver = defaultSpec.logging.driver,
  options,
}: z.infer<typeof logging>): TemplateSpec['logging'] {
  const isOurs = driver === defaultSpec.logging.driver
  return {
    driver,
    options: {
      ...(isOurs ? defaultSpec.logging.options : {}),
      ...Object.fromEntries(options ?? []),
    },
  }
}
