// Detects that NETWORK_POOL was changed while workspaces run on networks of the former pool. Pure.
import type { SubnetPool } from '@berth/shared/subnet-pool'
import type Docker from 'dockerode'
import { SettingsConflict } from '../../loop/engine.ts'
import { listedName, statusOf } from '../containers/container-state.ts'
import type { ClassifiedNetworks } from '../networks/classify-networks.ts'

const maxNamed = 5

/**
 * A director forwards only to addresses of the pool. With another pool, every running workspace would be unreachable and
 * would be stopped for that reason.
 *
 * @throws SettingsConflict
 */
export function refuseAnotherPool(
  pool: SubnetPool,
  workspaces: readonly Docker.ContainerInfo[],
  { own, outsidePool }: ClassifiedNetworks,
): void {
  if (outsidePool.size === 0) return
  const stranded = workspaces.flatMap((item) => {
    const names = Object.keys(item.NetworkSettings.Networks)
    const isUp = ['running', 'paused'].includes(statusOf(item.State))
    if (!isUp || names.some((name) => own.has(name))) return []
    const subnet = names.map((name) => outsidePool.get(name)).find((text) => text !== undefined)
    return subnet === undefined ? [] : [`${listedName(item)} (${subnet})`]
  })
  if (stranded.length === 0) return
  const shown = stranded.slice(0, maxNamed).join(', ')
  const more = stranded.length > maxNamed ? ` and ${stranded.length - maxNamed} more` : ''
  throw new SettingsConflict(
    `NETWORK_POOL is ${pool.cidr}, but ${stranded.length} running workspace(s) have addresses of another pool: ${shown}${more}. ` +
      'With the new pool no director could reach them, so the spawner changes nothing. ' +
      'Set NETWORK_POOL back to its former value; to change it, stop these workspaces first.',
  )
}
