// Which template Docker Spawner's `container_id` means: one by its name, or the one that has this image. Pure.
import type { State } from '../../policy/domain.ts'
import { canonicalReference } from '../../templates/image-reference.ts'
import type { Template } from '../../templates/template.ts'

const shortestId = 12

/** Images that no template has are not known, whatever is on the engine: default deny. */
export function findTemplate(
  { config, images }: Pick<State, 'config' | 'images'>,
  containerId: string,
): Template | undefined {
  const named = config.templates.get(containerId)
  if (named !== undefined) return named
  const templates = [...config.templates.values()]
  const reference = canonicalReference(containerId)
  const byReference = templates.find(({ spec }) => canonicalReference(spec.image) === reference)
  return byReference ?? templates.find(({ spec }) => isId(containerId, images.get(spec.image)))
}

function isId(text: string, id: string | undefined): boolean {
  if (id === undefined) return false
  const bare = text.replace(/^sha256:/, '')
  return bare.length >= shortestId && /^[0-9a-f]+$/.test(bare) && id.startsWith(`sha256:${bare}`)
}
