// What the engine says about a path at which the image has no folder, in words for people. Pure.
import { BerthError } from '@berth/shared/problems'
import { isFault } from '../client/fault.ts'

const kinds: readonly [shape: RegExp, found: string][] = [
  [/too many links in (\S+)/i, 'a loop of links'],
  [/source (\S+) is not (?:a )?directory/i, 'a file instead of a folder'],
  [/lstat (\S+): not a directory/i, 'a file instead of a folder on the way'],
  [/extraction point is not a directory/i, 'a file instead of a folder on the way'],
]

/** @returns the same error, with what the image has at the path if that is what is wrong */
export function aboutPath(error: unknown): unknown {
  if (!isFault(error)) return error
  for (const [shape, found] of kinds) {
    const match = shape.exec(error.message)
    if (match === null) continue
    // The engine names the folder in which it keeps the image.
    const path = match[1]?.replace(/^.*\/merged(?=\/)/, '')
    const where = path === undefined ? '' : ` (${path})`
    return new BerthError(
      'start_failed',
      `A volume or a secret of the template cannot be put in its place${where}, because the image has ${found} there: choose another path.`,
      { cause: error },
    )
  }
  return error
}
