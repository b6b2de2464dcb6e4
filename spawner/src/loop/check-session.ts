// Whether a session may be opened in a workspace, and what runs there: the template says it, never the caller. Pure.
import type { SessionOrder as Asked, SessionPurpose, SessionTarget } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { State } from '../policy/domain.ts'
import { defaults } from '../templates/template-defaults.ts'
import type { TemplateLogin } from '../templates/template.ts'
import { seatIn } from '../policy/seats/seat-table.ts'
import type { EngineResult, SessionOrder } from './engine.ts'

export function checkSession(state: State, asked: Asked): EngineResult<SessionOrder> {
  const found = findLogin(state, asked)
  if (!found.ok) return found
  const login = found.value
  const { environment, purpose, terminal } = asked
  if (login.method === 'connect' && !isForwarding(purpose))
    return refused('Sessions in this workspace go to its own SSH server.')
  const isAttached = login.method === 'attach' && purpose.type === 'shell'
  const shell = login.method === 'connect' ? defaults.shell : login.shell
  const command = isAttached ? {} : { command: commandFor(purpose, shell) }
  return { ok: true, value: { ...command, user: login.user, environment, terminal } }
}

/** Whether a director may sign in at the SSH server of a workspace. */
export function checkServer(state: State, asked: Seat): EngineResult<void> {
  const found = findLogin(state, asked)
  if (!found.ok) return found
  if (found.value.method === 'connect') return { ok: true, value: undefined }
  return refused('Sessions in this workspace do not go to a server.')
}

type Seat = Pick<Asked, 'workspace' | 'generation' | 'user'>

function findLogin(state: State, asked: Seat): EngineResult<TemplateLogin> {
  const workspace = state.workspaces.get(asked.workspace as WorkspaceName)
  const login = state.config.templates.get(workspace?.template ?? '')?.ssh
  const isThere =
    workspace?.phase === 'ready' &&
    workspace.container?.generation === asked.generation &&
    seatIn(workspace, asked.user) !== undefined
  if (!isThere) return refused('The workspace has ended, or you have no seat in it.')
  if (login === undefined) return refused('This workspace is reached in a browser only.')
  return { ok: true, value: login }
}

const isForwarding = ({ type }: SessionPurpose): boolean =>
  type === 'connect' || type === 'listen' || type === 'join'

/** Every container with sessions has these (`docker/volumes/tools-volume.ts`). */
const sftpServer = '/.berth/bin/sftp-server'
const socat = '/.berth/bin/socat'
/** After one side has ended, the other may go on for a day. */
const patient = ['-t', '86400']

/** Who listens says `parked` and a number for each connection; `director/src/ssh` reads that, and the notices of socat. */
export function commandFor(purpose: SessionPurpose, shell: string): readonly string[] {
  switch (purpose.type) {
    case 'shell':
      return [shell, '-l']
    case 'command':
      return [shell, '-c', purpose.command]
    case 'files':
      return [sftpServer]
    case 'connect':
      return [socat, '-d', '-d', ...patient, '-', addressOf('CONNECT', purpose.to)]
    case 'listen': {
      const park = `EXEC:/.berth/bin/park ${purpose.as}`
      return [socat, '-d', '-d', ...patient, `${addressOf('LISTEN', purpose.at)},fork`, park]
    }
    case 'join': {
      const path = `/dev/shm/.berth-${purpose.as}-${purpose.number}`
      // It says its number before it listens.
      return [socat, '-d', '-d', ...patient, '-', `UNIX-CONNECT:${path},retry=100,interval=0.1`]
    }
  }
}

function addressOf(how: 'CONNECT' | 'LISTEN', target: SessionTarget): string {
  if ('path' in target)
    return how === 'CONNECT' ? `UNIX-CONNECT:${target.path}` : `UNIX-LISTEN:${target.path},mode=600`
  return how === 'CONNECT'
    ? `TCP4:127.0.0.1:${target.port},nodelay`
    : `TCP4-LISTEN:${target.port},bind=127.0.0.1,reuseaddr`
}

const refused = (detail: string): EngineResult<never> => ({
  ok: false,
  failure: { code: 'workspace_unknown', detail },
  retry: false,
})
