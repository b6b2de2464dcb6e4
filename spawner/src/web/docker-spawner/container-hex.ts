// The hex by which Docker Spawner's clients know a container, and which is its sub-domain. Kept nowhere: it follows
// from the workspace's name and a key.
import { createHmac, hkdfSync } from 'node:crypto'
import type { WorkspaceName } from '@berth/shared/names'
import type { Secret } from '@berth/shared/secret'

/** 32 hexadecimal characters: as a DNS label and as Docker Spawner has them. */
export type ContainerHex = string
export type HexOf = (workspace: WorkspaceName) => ContainerHex

const hexLength = 32
const mostRemembered = 20_000

/**
 * The internal secret is the root of the key, not `API_TOKEN`: both survive a restart, but a token that leaked is
 * replaced, and that must not change the address of everything that runs. Neither can be found out from a hex.
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
