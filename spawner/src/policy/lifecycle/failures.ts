// The texts that people see when a workspace is refused or has failed: what is wrong, and what to do.
import type { ProblemCode } from '@berth/shared/problems'
import type { Failure } from '../domain.ts'

const failure = (code: ProblemCode, detail: string): Failure => ({ code, detail })

export const failures = {
  templateUnknown: failure('template_unknown', 'Nothing is offered at this address.'),
  workspaceUnknown: failure('workspace_unknown', 'This workspace does not exist any more.'),
  othersWorkspace: failure('template_forbidden', 'This workspace belongs to another person.'),
  forbidden: failure(
    'template_forbidden',
    'Your account has no access to this. Ask an administrator for access if you need it.',
  ),
  identityReused: failure(
    'identity_reused',
    'The files under your user name belong to another account. Ask an administrator to move or remove them.',
  ),
  nameTaken: failure(
    'name_taken',
    'A container that this service did not make has the name of your workspace. Ask an administrator to rename or remove it.',
  ),
  nameInUse: failure(
    'conflict',
    'Another workspace of yours has the name that this one needs. Stop and remove the other one first.',
  ),
  clickStarts: failure(
    'workspace_stopped',
    'The workspace is not running. It starts when you click the start button on its page.',
  ),
  seatsTaken: failure(
    'limit_template',
    'All seats of this workspace are taken, or it does not accept more people. Try again when a person has left.',
  ),
  tooBig: failure(
    'limit_memory',
    'This workspace needs more memory than all workspaces together may use. Ask an administrator to change one of these limits.',
  ),
  userLimit: failure(
    'limit_user',
    'You have as many workspaces as one person may have at the same time. Stop one of them first.',
  ),
  guestLimit: failure(
    'limit_guests',
    'As many guests as possible have a workspace at the moment. Please try again in a few minutes.',
  ),
  guestsOfAddress: failure(
    'limit_guests_address',
    'As many guests as possible from your network have a workspace at the moment. Please try again in a few minutes.',
  ),
  queueFull: failure(
    'queue_full',
    'All places are taken and the queue is full. Please try again in a few minutes.',
  ),
  engineAway: failure(
    'engine_unreachable',
    'The system that runs workspaces does not answer at the moment. Your workspace continues as soon as it answers again.',
  ),
  idle: failure(
    'workspace_idle',
    'The workspace is not in use, and a background request does not wake it.',
  ),
  stopped: failure('workspace_stopped', 'The workspace is stopped. Open its page to start it.'),
  cancelled: failure('workspace_stopped', 'The start of the workspace was cancelled.'),
  lifetimeOver: failure(
    'workspace_stopped',
    'The workspace reached its maximum lifetime and was stopped. You can start it again.',
  ),
  noNetwork: failure('start_failed', 'The network of the workspace could not be created.'),
  startFailed: failure('start_failed', 'The workspace could not be started.'),
} as const satisfies Record<string, Failure>

/** @param why an administrator's reason, for the people who are refused */
export function closedBy(code: 'template_closed' | 'maintenance', why: string): Failure {
  // The title of the code says what is refused.
  return { code, detail: `What runs goes on. The administrator says: ${why}` }
}

/** A home has the user name in its name and its labels, which the engine cannot change. */
export function renamedFrom(former: string): Failure {
  return {
    code: 'identity_renamed',
    detail: `Your files are kept under your former user name, ${former}. An administrator can move them to your new user name, or give you the former one back. Nothing is lost until then.`,
  }
}

export function exitedAtStart(exitCode: number | undefined): Failure {
  if (exitCode === undefined)
    return { code: 'start_failed', detail: 'The workspace ended while it was starting.' }
  return {
    code: 'start_failed',
    detail: `The workspace ended while it was starting: it exited with code ${exitCode}.`,
    exitCode,
  }
}
