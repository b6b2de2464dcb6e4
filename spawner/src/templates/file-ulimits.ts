// Limits on the resources of each process in the form of Compose.
import { custom, integer } from '@berth/shared/parse'
import type { z } from 'zod'
import { either, map, section, value } from './file-fields.ts'
import type { Ulimit } from './template.ts'

const names =
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  )

const limit = custom((written) => {
  if (written === '-1') return -1
  const parsed = integer(0, Number.MAX_SAFE_INTEGER)(written)
  return 'value' in parsed ? parsed.value : undefined
}, 'must be a whole number, or -1 for no limit')

export const ulimits = map(
  either(
    [
      value(limit, 'both limits'),
      section(
        {
          soft: value(limit, 'what applies'),
          hard: value(limit, 'how far a process may raise it'),
        },
        'soft and hard',
      ),
    ],
    'a number, or a map with soft and hard',
    'its limits',
  ),
  `Limits of each process by name, as a number or as \`{soft, hard}\`; \`-1\` is no limit. Names: ${names.join(', ')}`,
)

export function readUlimits(
  written: z.infer<typeof ulimits>,
  complain: (field: string, message: string) => void,
): readonly Ulimit[] {
  return [...written].map(([name, limits]) => {
    const { soft, hard } = typeof limits === 'number' ? { soft: limits, hard: limits } : limits
    if (!names.includes(name))
      complain(`ulimits.${name}`, `is not the name of a limit: ${names.join(', ')}`)
    if (name === 'nofile' && hard === -1)
      complain(`ulimits.${name}`, 'needs a number: the kernel has no nofile without a limit')
    if (hard !== -1 && (soft === -1 || soft > hard))
      complain(`ulimits.${name}`, 'has a soft limit above its hard limit')
    return { name, soft, hard }
  })
}
