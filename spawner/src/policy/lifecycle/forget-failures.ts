// A failure is remembered so that an open page does not start it again and again. It is forgotten as soon as what failed has
// changed: the template, or its image.
import { isDeepStrictEqual } from 'node:util'
import { drop, type Draft } from '../state/draft.ts'
import type { PolicyConfig, State, Workspace } from '../domain.ts'

/** The templates were read again. */
export function forgetFailuresOfTemplates(draft: Draft, former: PolicyConfig): void {
  const isChanged = (name: string): boolean =>
    !isDeepStrictEqual(former.templates.get(name), draft.config.templates.get(name))
  forget(draft, ({ template }) => isChanged(template))
  for (const name of draft.standbyFailures.keys())
    if (isChanged(name)) draft.standbyFailures.delete(name)
}

/** An inventory told which images there are. */
export function forgetFailuresOfImages(draft: Draft, former: State['images']): void {
  forget(draft, ({ template, failure }) => {
    const image = draft.config.templates.get(template)?.spec.image
    const now = image === undefined ? undefined : draft.images.get(image)
    if (image === undefined || now === undefined) return false
    const before = former.get(image)
    // An image that the failed start itself pulled is no repair.
    return before === undefined ? failure?.code === 'image_missing' : before !== now
  })
}

function forget(draft: Draft, isRepaired: (workspace: Workspace) => boolean): void {
  for (const workspace of [...draft.workspaces.values()])
    if (workspace.phase === 'failed' && workspace.container === undefined && isRepaired(workspace))
      drop(draft, workspace)
}
