// Finds the template that `container_id` of Docker Spawner means, by the name of the template or by its image. Pure.
import type { State } from '../../policy/domain.ts'
import { canonicalReference } from '../../templates/image-reference.ts'
import type { Template } from '../../templates/template.ts'

const shortestId = 12

/** Only images of templates are found. Other images on the engine are refused: default deny. */
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
