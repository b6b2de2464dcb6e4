// The hex by which clients of Docker Spawner name a container, and which is also its sub-domain. Berth does not store
// the hex: it computes it from the name of the workspace and a key.
import { createHmac, hkdfSync } from 'node:crypto'
import type { WorkspaceName } from '@berth/shared/names'
import type { Secret } from '@berth/shared/secret'

/** 32 hexadecimal characters, as in Docker Spawner. They are a valid DNS label. */
export type ContainerHex = string
export type HexOf = (workspace: WorkspaceName) => ContainerHex

const hexLength = 32
const mostRemembered = 20_000

/**
 * The key is derived from the internal secret, not from `API_TOKEN`. Both stay the same after a restart, but an
 * administrator replaces a token that has leaked, and then the addresses of running workspaces must not change. The hex
 * reveals neither of them.
 */
export function createHexOf(internalSecret: Secret): HexOf {
  const derived = hkdfSync('sha256', internalSecret.reveal(), 'berth', 'container hex 1', 32)
  const key = Buffer.from(derived)
  const known = new Map<WorkspaceName, ContainerHex>()
  return (workspace) => {
    const before = known.get(workspace)
    if (before !== undefined) return before
    const hex = createHmac('sha256', key).update(workspace).digest('hex').slice(0, hexLength)
    if (known.size >= mostRemembered) known.clear()
    known.set(workspace, hex)
    return hex
  }
}
