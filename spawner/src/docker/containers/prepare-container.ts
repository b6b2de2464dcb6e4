// What a container gets after it is made and before its first start: writable volumes, secrets, networks.
import type { Template } from '../../templates/template.ts'
import type { Mount } from './container-options.ts'
import type { FurtherNetworks } from '../networks/additional-networks.ts'
import type { Homes } from '../volumes/writable-volumes.ts'
import type { PutSecretsOrder } from './secrets.ts'

export interface FinishingOrder {
  readonly container: string
  readonly template: Template
  readonly mounts: readonly Mount[]
  readonly image: { readonly id: string; readonly user: string }
}

/** Again is no harm. */
export type Finish = (order: FinishingOrder, signal: AbortSignal) => Promise<void>

export function createFinish(deps: {
  homes: Homes
  putSecrets: (order: PutSecretsOrder, signal: AbortSignal) => Promise<void>
  furtherNetworks: FurtherNetworks
}): Finish {
  return async ({ container, template: { spec }, mounts, image }, signal) => {
    const user = spec.user === '' ? image.user : spec.user
    const inside = { container, imageId: image.id, user }
    const paths = mounts.filter(({ ofUser }) => ofUser).map(({ target }) => target)
    const open = mounts.filter(({ kind, readOnly }) => kind === 'shared' && !readOnly)
    await deps.homes.prepare({ ...inside, paths }, signal)
    await deps.homes.openToAll({ container, paths: open.map(({ target }) => target) }, signal)
    await deps.putSecrets({ ...inside, secrets: spec.secrets }, signal)
    await deps.furtherNetworks.join(container, spec.networks, signal)
  }
}
