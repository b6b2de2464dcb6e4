// Which images may become templates by their own labels: only those that a pattern of IMAGES_ALLOWED names.
import { familiarName, familiarReference, parseImageReference } from './image-reference.ts'

/** @param patterns references in which `*` stands for any characters except `/`; without a tag, `:latest` as in Docker
 * */
export function createAdmission(patterns: readonly string[]): (reference: string) => boolean {
  const shapes = patterns.map((pattern) => {
    const parts = textOf(pattern)
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${parts.join('[^/]*')}$`)
  })
  return (reference) => shapes.some((shape) => shape.test(familiarReference(reference)))
}

/** A `*` at the end of a pattern without a tag also matches every tag. */
function textOf(pattern: string): string {
  const { repository, tag } = parseImageReference(pattern)
  const coversTag = tag === undefined && repository.endsWith('*')
  return coversTag ? familiarName(pattern) : familiarReference(pattern)
}

/** `registry.example.com/team/My_App:1` -> `My_App` */
export function repositoryName(reference: string): string {
  return parseImageReference(reference).repository.replace(/^.*\//, '')
}
