// Waits until a condition on a workspace holds. The condition is checked again at each new phase of any workspace.
import type { WorkspaceName } from '@berth/shared/names'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { Workspace } from '../../policy/domain.ts'

/** @returns whether the condition held before the signal */
export async function awaitWorkspace(
  workspaces: Workspaces,
  name: WorkspaceName,
  isTrue: (workspace: Workspace | undefined) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const now = (): boolean => isTrue(workspaces.state().workspaces.get(name))
  if (now()) return true
  if (signal.aborted) return false
  const { promise, resolve } = Promise.withResolvers<void>()
  const give = (): void => resolve()
  signal.addEventListener('abort', give, { once: true })
  // Follow all workspaces: this one may wait for another one to end.
  const following = workspaces.followAll(() => {
    if (now()) resolve()
  })
  try {
    await promise
    return now()
  } finally {
    following[Symbol.dispose]()
    signal.removeEventListener('abort', give)
  }
}
