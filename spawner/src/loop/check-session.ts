// Whether a session may be opened in a workspace, and what runs there: the template says it, never the caller. Pure.
import type { SessionOrder as Asked } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { State } from '../policy/domain.ts'
import { seatIn } from '../policy/seats/seat-table.ts'
import type { EngineResult, SessionOrder } from './engine.ts'

export function checkSession(state: State, asked: Asked): EngineResult<SessionOrder> {
  const workspace = state.workspaces.get(asked.workspace as WorkspaceName)
  const login = state.config.templates.get(workspace?.template ?? '')?.ssh
  const isThere =
    workspace?.phase === 'ready' &&
    workspace.container?.generation === asked.generation &&
    seatIn(workspace, asked.user) !== undefined
  if (!isThere) return refused('The workspace has ended, or you have no seat in it.')
  if (login === undefined) return refused('This workspace is reached in a browser only.')
  const { shell, user } = login
  const { environment, command, terminal } = asked
  return {
    ok: true,
    value: {
      command: command === undefined ? [shell, '-l'] : [shell, '-c', command],
      user,
      environment,
      terminal,
    },
  }
}

const refused = (detail: string): EngineResult<never> => ({
  ok: false,
  failure: { code: 'workspace_unknown', detail },
  retry: false,
})
