// Volumes in the short and the long form of Compose, and volumes that templates share by an id. A bind must be below an
// allowed folder.
import { text, type Parsed } from '@berth/shared/parse'
import type { z } from 'zod'
import * as field from './fields.ts'
import { choice, either, flag, section, value } from './file-fields.ts'
import { mountPlaceholders, placeholderComplaint } from './placeholders.ts'
import { optionsOf, tmpfsOfVolume } from './file-tmpfs.ts'
import type { Tmpfs, VolumeMount } from './template.ts'
import { mountPathComplaint, volumeNameComplaint } from './volume-list.ts'

const short = value(text, 'name:/path, /folder/of/the/host:/path, either with :ro behind it')
const long = section(
  {
    type: choice(['volume', 'bind', 'tmpfs'], 'volume, bind or tmpfs').optional(),
    source: value(text, 'the name of the volume, or the folder of the host').optional(),
    target: value(text, 'the path in the container').optional(),
    id: value(
      text,
      'the id of a volume that templates share, instead of type and source',
    ).optional(),
    path: value(text, 'the path in the container of a volume by id').optional(),
    read_only: flag('the container may only read it').optional(),
    tmpfs: tmpfsOfVolume.optional(),
  },
  'a volume in the long way of Compose, or a shared one by id and path',
)

/** The volume as written. `readVolume`, which knows the allowed folders, finds out what it means. */
export const volume = either(
  [short, long],
  'a text such as data:/data, or a map',
  'a volume, a folder of the host, or a volume that templates share by id',
)

export type Written = z.infer<typeof volume>

/** @returns the folder in memory that the entry means; `undefined` for a volume or a folder of the host */
export function readTmpfs(written: Written): Parsed<Tmpfs> | undefined {
  if (typeof written === 'string' || written.type !== 'tmpfs') return undefined
  const { source, target, read_only: readOnly, tmpfs = {}, id, path } = written
  if ([source, readOnly, id, path].some((each) => each !== undefined))
    return { complaint: 'has the type tmpfs, which goes with target and tmpfs only' }
  if (target === undefined) return { complaint: 'needs a target' }
  const result = field.plainPath(target)
  if ('complaint' in result) return { complaint: `"${target}" ${result.complaint}` }
  return { value: { target, options: optionsOf(tmpfs) } }
}

/** @returns the mount, or a complaint that says what is wrong */
export function readVolume(written: Written, bindsAllowed: readonly string[]): Parsed<VolumeMount> {
  const mount = typeof written === 'string' ? fromShort(written) : fromLong(written)
  if ('complaint' in mount) return mount
  const complaint = complaintAbout(mount.value, bindsAllowed)
  return complaint === undefined ? mount : { complaint }
}

function fromShort(written: string): Parsed<VolumeMount> {
  const [source = '', target, mode = 'rw', ...rest] = written.split(':')
  if (target === undefined || rest.length > 0 || !['ro', 'rw'].includes(mode))
    return { complaint: `"${written}" is not name:/path or name:/path:ro` }
  const kind = /^[/.~]/.test(source) ? 'bind' : 'volume'
  return { value: { kind, source, target, readOnly: mode === 'ro' } }
}

function fromLong(written: Exclude<Written, string>): Parsed<VolumeMount> {
  const { id, path, type, source, target, read_only: readOnly = false, tmpfs } = written
  if (type === 'tmpfs' || tmpfs !== undefined) return { complaint: 'needs type: tmpfs' }
  if (id !== undefined || path !== undefined) {
    if (type !== undefined || source !== undefined || target !== undefined)
      return { complaint: 'is either id and path, or type, source and target' }
    if (id === undefined || path === undefined) return { complaint: 'needs both id and path' }
    return { value: { kind: 'shared', source: id, target: path, readOnly } }
  }
  if (source === undefined || target === undefined)
    return { complaint: 'needs source and target, or id and path' }
  return { value: { kind: type ?? 'volume', source, target, readOnly } }
}

function complaintAbout(mount: VolumeMount, bindsAllowed: readonly string[]): string | undefined {
  const wrongTarget = mountPathComplaint(mount.target)
  if (wrongTarget !== undefined) return `"${mount.target}" ${wrongTarget}`
  const wrong = sourceComplaint(mount, bindsAllowed)
  return wrong === undefined ? undefined : `"${mount.source}" ${wrong}`
}

function sourceComplaint(
  { kind, source }: VolumeMount,
  bindsAllowed: readonly string[],
): string | undefined {
  switch (kind) {
    case 'volume':
      return volumeNameComplaint(source)
    case 'shared':
      return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/.test(source)
        ? undefined
        : 'must be an id of letters, digits, . _ and -, without placeholders'
    case 'bind': {
      const folder = field.hostFolder(source)
      if ('complaint' in folder) return folder.complaint
      if (!bindsAllowed.some((allowed) => isBelow(source, allowed)))
        return 'is a folder of the host that is not below a folder of BINDS_ALLOWED'
      return placeholderComplaint(source, mountPlaceholders)
    }
  }
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}
