// Whether a container is outdated: made from another description than the present one, or from a former image.
import type { Template } from '../../templates/template.ts'
import { isOfFormerKind } from '../seats/seat-table.ts'
import type { Container, State, Workspace } from '../domain.ts'

/** What is needed to tell; a draft has it as well as a state. */
type ImageFacts = Pick<State, 'config' | 'images'>

export function isOutdated(facts: ImageFacts, workspace: Workspace): boolean {
  return outdatedBy(facts, workspace) !== undefined
}

/** What has changed since the container was made: what its template says, or only the image of that name. */
export function outdatedBy(
  { config, images }: ImageFacts,
  workspace: Workspace,
): 'template' | 'image' | undefined {
  const { container, owner } = workspace
  const template = config.templates.get(workspace.template)
  if (container === undefined || template === undefined) return undefined
  if (isOfFormerKind(config, workspace)) return 'template'
  if (config.specOf(template, owner) !== container.spec) return 'template'
  if (isEntranceMoved(container, template)) return 'template'
  const latest = images.get(template.spec.image)
  const isFormer =
    latest !== undefined && container.imageId !== undefined && latest !== container.imageId
  return isFormer ? 'image' : undefined
}

/** The parts that differ from what the container was made from; none if that was not recorded. */
export function changedParts(
  { config }: Pick<State, 'config'>,
  { container, owner, template: name }: Workspace,
): readonly string[] {
  const template = config.templates.get(name)
  if (template === undefined || container === undefined) return []
  const before = partsIn(container.parts ?? '')
  if (before.size === 0) return []
  const now = partsIn(config.partsOf(template, owner))
  const parts = [...new Set([...now.keys(), ...before.keys()])]
  const changed = parts.filter((part) => now.get(part) !== before.get(part))
  return isEntranceMoved(container, template) ? [...changed, 'port'] : changed
}

function partsIn(text: string): ReadonlyMap<string, string> {
  const entries = text === '' ? [] : text.split(',')
  return new Map(entries.map((entry) => entry.split('=', 2) as [string, string]))
}

/** The application is reached as the container was made, until there is a new one. */
function isEntranceMoved({ port, scheme }: Container, { spec }: Template): boolean {
  return port !== undefined && (port !== spec.port || scheme !== spec.scheme)
}
