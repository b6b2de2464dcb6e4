// What an administrator can do to a workspace, and the words for it. Pure.
import type { Phase } from '@berth/shared/contract'
import type { Workspace } from '../../policy/domain.ts'
import { holdsPlace } from '../../policy/state/phases.ts'

export const adminActs = ['stop', 'restart', 'remove', 'release'] as const
export type AdminAct = (typeof adminActs)[number]

export function isAdminAct(text: string): text is AdminAct {
  return adminActs.some((act) => act === text)
}

/** What is possible now, in the order of the page. */
export function actsOn(workspace: Workspace): readonly AdminAct[] {
  const { phase, kind } = workspace
  if (phase === 'queued') return ['release']
  const runs = holdsPlace(workspace) && phase !== 'stopping'
  return [
    ...(runs ? (['stop'] as const) : []),
    ...(runs && kind !== 'standby' ? (['restart'] as const) : []),
    ...(runs || isOver(phase) ? (['remove'] as const) : []),
    ...(runs && kind === 'shared' && workspace.seats.length > 0 ? (['release'] as const) : []),
  ]
}

const isOver = (phase: Phase): boolean => phase === 'stopped' || phase === 'failed'

interface ActWords {
  /** On the button, before the name of the workspace. */
  readonly label: string
  readonly question: (name: string) => string
  readonly effect: string
  /** After it was done. */
  readonly done: string
}

export const actWords: Readonly<Record<AdminAct, ActWords>> = {
  stop: {
    label: 'Stop',
    question: (name) => `Stop ${name}?`,
    effect:
      'Its container is stopped, even if it is in use. What is not saved is lost. Files in the home stay. The person can start it again.',
    done: 'The workspace is being stopped.',
  },
  restart: {
    label: 'Restart',
    question: (name) => `Restart ${name}?`,
    effect:
      'Its container is replaced by a new one from the present version of its template, even if it is in use. What is not saved is lost. Files in the home stay.',
    done: 'The workspace is being restarted.',
  },
  remove: {
    label: 'Remove',
    question: (name) => `Remove ${name}?`,
    effect:
      'Its container is stopped and removed, even if it is in use. Everything that is not in the home is lost. The volumes stay. The person can start it again.',
    done: 'The workspace is being removed.',
  },
  release: {
    label: 'Release place',
    question: (name) => `Release a place in ${name}?`,
    effect:
      'The person loses the place in the queue, or the seat in the shared workspace, and the next person gets it. The person can ask for a place again.',
    done: 'The place was released.',
  },
}
