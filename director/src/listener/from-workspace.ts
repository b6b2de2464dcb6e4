// Whether a connection comes from a workspace: a director is on the networks of all of them, and serves people only.
import type { Socket } from 'node:net'
import { poolContains, type SubnetPool } from '@berth/shared/subnet-pool'

export function comesFromWorkspace(
  { localAddress, remoteAddress }: Socket,
  pool: SubnetPool,
): boolean {
  return [localAddress, remoteAddress].some(
    (address) => address !== undefined && poolContains(pool, address),
  )
}
