// Waits until something is true of a workspace, looking again at each new phase of any.
import type { WorkspaceName } from '@berth/shared/names'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { Workspace } from '../../policy/domain.ts'

/** @returns whether it came true before the signal */
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
  // Another's end may be what it waits for.
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
