// What people are told, in plain words, one place for all of it.
import type { ProblemCode } from '@berth/shared/problems'
import type { Failure } from '../domain.ts'

const failure = (code: ProblemCode, detail: string): Failure => ({ code, detail })

export const failures = {
  templateUnknown: failure('template_unknown', 'Nothing is offered at this address.'),
  workspaceUnknown: failure('workspace_unknown', 'There is no such workspace any more.'),
  othersWorkspace: failure('template_forbidden', 'This workspace belongs to somebody else.'),
  forbidden: failure(
    'template_forbidden',
    'Your account has no access to this. Ask an administrator if you should have it.',
  ),
  identityReused: failure(
    'identity_reused',
    'Files under this user name belong to another account. An administrator has to sort this out.',
  ),
  nameTaken: failure(
    'name_taken',
    'Something that does not belong to this service has the name of your workspace. An administrator has to remove it.',
  ),
  nameInUse: failure(
    'conflict',
    'Another workspace of yours still has the name that this one needs. Stop and remove that one first.',
  ),
  clickStarts: failure(
    'workspace_stopped',
    'The workspace is not running. It starts when you click on its start button.',
  ),
  seatsTaken: failure(
    'limit_template',
    'All seats of this workspace are taken, or it takes nobody new any more. Try again when somebody has left.',
  ),
  tooBig: failure(
    'limit_memory',
    'This needs more memory than all workspaces together may use. An administrator has to change one or the other.',
  ),
  userLimit: failure(
    'limit_user',
    'You have as many workspaces as one person may have at a time. Stop one of them first.',
  ),
  queueFull: failure(
    'queue_full',
    'All places are taken and the queue is full. Please try again in a few minutes.',
  ),
  engineAway: failure(
    'engine_unreachable',
    'The system that runs workspaces does not answer at the moment. Yours will go on as soon as it does.',
  ),
  idle: failure(
    'workspace_idle',
    'The workspace is not in use, and this request does not wake it.',
  ),
  stopped: failure('workspace_stopped', 'The workspace is stopped. Open its page to start it.'),
  cancelled: failure('workspace_stopped', 'The start of the workspace was cancelled.'),
  lifetimeOver: failure(
    'workspace_stopped',
    'The workspace reached its maximum lifetime and was ended. It can be started again.',
  ),
  neverReady: failure('start_timeout', 'The workspace was started but did not answer in time.'),
  neverHealthy: failure(
    'start_timeout',
    'The workspace was started but its health check did not succeed in time.',
  ),
  noNetwork: failure('start_failed', 'The network of the workspace could not be made.'),
  startFailed: failure('start_failed', 'The workspace could not be started.'),
} as const satisfies Record<string, Failure>

export function exitedAtStart(exitCode: number | undefined): Failure {
  if (exitCode === undefined)
    return { code: 'start_failed', detail: 'The workspace ended while it was starting.' }
  return {
    code: 'start_failed',
    detail: `The workspace ended while it was starting: it exited with code ${exitCode}.`,
    exitCode,
  }
}
