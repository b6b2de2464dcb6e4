// Folders in memory in the forms of Compose. Nothing in them outlives the container.
import { pattern, type Parse } from '@berth/shared/parse'
import type { z } from 'zod'
import { either, list, section, value } from './file-fields.ts'
import * as field from './fields.ts'
import type { Tmpfs } from './template.ts'

const option =
  /^(size=\d+[bkmg]?|size=\d+%|mode=[0-7]{3,4}|(uid|gid|nr_inodes)=\d+|ro|rw|exec|noexec|nosuid|nodev)$/i

const tmpfsText: Parse<Tmpfs> = (written) => {
  const [path = '', options = '', ...rest] = written.split(':')
  const target = field.plainPath(path)
  if ('complaint' in target) return { complaint: `"${path}" ${target.complaint}` }
  const wrong = options === '' ? undefined : options.split(',').find((each) => !option.test(each))
  if (wrong !== undefined || rest.length > 0)
    return {
      complaint: `has the option "${wrong ?? rest.join(':')}"; known are size=64m, mode=1777, uid, gid, nr_inodes, ro, rw, exec and noexec`,
    }
  return { value: { target: target.value, options } }
}

export const tmpfs = either(
  [value(tmpfsText, 'a path'), list(value(tmpfsText, 'a path'), 'paths')],
  'a path, or a list of paths',
  'Folders in memory, empty at each start: `/path`, or `/path:size=64m,mode=1777`, one or a list. They count as memory of the container',
)

/** The part of a volume of the type `tmpfs`. */
export const tmpfsOfVolume = section(
  {
    size: value(
      pattern(/^\d+([bkmg]b?)?$/i, 'must be a size such as 64m'),
      'how large it may become',
    ).optional(),
    mode: value(
      pattern(/^(0o?)?[0-7]{3,4}$/, 'must be a mode such as 1777'),
      'its mode, in octal digits',
    ).optional(),
  },
  'of the type tmpfs: its size and mode',
)

export function optionsOf({ size, mode }: z.infer<typeof tmpfsOfVolume>): string {
  return [
    ...(size === undefined ? [] : [`size=${size.replace(/b$/i, '') || '0'}`]),
    ...(mode === undefined ? [] : [`mode=${mode.replace(/^0o?(?=.{3})/, '')}`]),
  ].join(',')
}
