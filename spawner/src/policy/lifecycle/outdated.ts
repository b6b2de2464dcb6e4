// Whether a container is outdated: made from another description than the present one, or from a former image.
import type { State, Workspace } from '../domain.ts'

/** What is needed to tell; a draft has it as well as a state. */
type ImageFacts = Pick<State, 'config' | 'images'>

export function isOutdated({ config, images }: ImageFacts, workspace: Workspace): boolean {
  const { container, owner } = workspace
  const template = config.templates.get(workspace.template)
  if (container === undefined || template === undefined) return false
  if (config.specOf(template, owner) !== container.spec) return true
  const latest = images.get(template.spec.image)
  return latest !== undefined && container.imageId !== undefined && latest !== container.imageId
}
