// A list of `name:/path[:ro]`, separated by commas. The source must be a volume: a path of the host is refused.
import type { Parsed } from '@berth/shared/parse'
import { mountPlaceholders, placeholderComplaint } from './placeholders.ts'
import type { VolumeMount } from './template.ts'

/** The characters that the name of a volume may have, apart from placeholders. */
const sourceShape = /^[a-zA-Z0-9{][a-zA-Z0-9_.{}-]*$/

/** @returns a complaint, or `undefined` for an absolute path of at least one part, without `..`, `,` and `:` */
export function mountPathComplaint(path: string): string | undefined {
  if (
    !/^\/[^:,]+$/.test(path) ||
    path.split('/').some((part) => part === '..' || part === '.') ||
    plainMountPath(path) === ''
  )
    return 'must be an absolute path in the container, such as /home/me'
  if (isOfKernel(path)) return 'is a folder of the kernel, where nothing can be mounted'
  return placeholderComplaint(path, mountPlaceholders)
}

/** The engine mounts these folders last, over everything that was put there. */
export function isOfKernel(path: string): boolean {
  return /^\/(proc|sys)(\/|$)/.test(plainMountPath(path))
}

/** The path as the engine compares it: without empty parts and a slash at its end. */
export function plainMountPath(path: string): string {
  return path.replaceAll(/\/+/g, '/').replace(/\/$/, '')
}

/** @returns a complaint, or `undefined` for a valid name of a volume */
export function volumeNameComplaint(name: string): string | undefined {
  if (!sourceShape.test(name))
    return 'must be the name of a volume (letters, digits, . _ and -), not a path'
  return placeholderComplaint(name, mountPlaceholders)
}

export function parseVolumes(text: string): Parsed<readonly VolumeMount[]> {
  const mounts: VolumeMount[] = []
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue
    const [source, target, mode, ...rest] = item.split(':')
    if (source === undefined || target === undefined || rest.length > 0 || !isMode(mode))
      return { complaint: `has "${item}", which is not name:/path or name:/path:ro` }
    const complaint = volumeNameComplaint(source) ?? mountPathComplaint(target)
    if (complaint !== undefined) return { complaint: `has "${item}", which ${complaint}` }
    if (mounts.some((mount) => plainMountPath(mount.target) === plainMountPath(target)))
      return { complaint: `has the path ${target} twice` }
    mounts.push({ kind: 'volume', source, target, readOnly: mode === 'ro' })
  }
  return { value: mounts }
}

function isMode(mode: string | undefined): boolean {
  return mode === undefined || mode === 'ro' || mode === 'rw'
}
