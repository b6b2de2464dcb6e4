// The texts of the portal, by phase. This module contains no HTML.
import { problemStatus, type ProblemCode } from '@berth/shared/problems'
import type { ShownStatus } from '../pages/status.ts'
import { adviceFor, noticeWords, outOfMemoryWords, waitWords } from '../pages/words.ts'

export interface CardWords {
  /** The state in one or two words. */
  readonly label: string
  readonly says: string
}

/** @param more `ended`: it was stopped at the end of its lifetime; `outOfMemory`: the kernel ended it; `wanted`: it starts again after its stop */
export function cardWords(
  { phase, position, waitsFor, pullPercent }: ShownStatus,
  more: {
    readonly ended: boolean
    readonly outOfMemory?: boolean | undefined
    readonly wanted: boolean
  },
): CardWords {
  switch (phase) {
    case 'absent':
      return { label: 'Not running', says: '' }
    case 'stopped':
      return {
        label: 'Not running',
        says: more.ended
          ? 'It was stopped because it had run for the longest time that is allowed.'
          : more.outOfMemory === true
            ? outOfMemoryWords
            : '',
      }
    case 'queued':
      return {
        label: position === undefined ? 'Waiting' : `Number ${position} in the queue`,
        says:
          (waitsFor && waitWords[waitsFor]) ??
          'It starts when a place is free. Keep this page open to keep your place in the queue.',
      }
    case 'pulling':
      return {
        label: pullPercent === undefined ? 'Preparing' : `Downloading, ${pullPercent} %`,
        says: 'The software is being downloaded. The next start will not need this.',
      }
    case 'creating':
      return { label: 'Preparing', says: 'It is being set up.' }
    case 'starting':
      return { label: 'Starting', says: 'It is set up and is now starting.' }
    case 'probing':
      return { label: 'Starting', says: 'It is running. It can be opened as soon as it answers.' }
    case 'ready':
      return { label: 'Running', says: '' }
    case 'frozen':
      return {
        label: 'Paused',
        says: 'It was not in use. It continues where it was when you open it.',
      }
    case 'stopping':
      return {
        label: more.wanted ? 'Restarting' : 'Stopping',
        says: more.wanted ? 'It is being stopped, and starts again after that.' : '',
      }
    case 'failed':
      return { label: 'Start failed', says: '' }
  }
}

export const wayWords = {
  bySsh: 'It is reached by SSH. Your administrator knows the address.',
} as const

export const factNames = {
  expected: 'Expected to run',
  since: 'Running since',
  ends: 'Its time ends',
  pauses: 'Pauses if not used',
  stops: 'Stops if not used',
  now: 'At the moment',
  home: 'Your home',
} as const

/** @param changed the parts of the template that are others now, as far as known */
export function updateWords(by: 'template' | 'image', changed: readonly string[]): string {
  if (by === 'image') return 'A newer version of its software is there. A restart brings it.'
  const what = changed.length === 0 ? '' : `: ${changed.join(', ')}`
  return `Its template has changed since it was made${what}. A restart brings the changes.`
}

export const endingWords = {
  kept: 'Save your work before you stop or restart it. The files in your home stay.',
  lost: 'Save your work elsewhere before you stop or restart it: its files do not stay.',
} as const

export const sharedWords = 'Several people use it, so no single one of them can stop it.'

/** Refusals that may end by themselves, or when the person stops another workspace. */
export const tryAnywayCodes: ReadonlySet<ProblemCode> = new Set([
  'limit_user',
  'limit_total',
  'limit_template',
  'queue_full',
  'name_taken',
  'engine_unreachable',
])

/** What the page says after a form was not carried out, by the name that the redirect carries. */
export const noticeTexts: ReadonlyMap<unknown, string> = new Map([
  [
    'expired',
    'Your click had no effect, because the page was open for too long. Please click again.',
  ],
  ['refused', 'That was not possible at the moment. The card of the workspace says why.'],
  ['gone', 'That workspace does not exist any more.'],
])

/** What the page with the keys says after a form. */
export const keyNotices: ReadonlyMap<unknown, string> = new Map([
  ['expired', noticeTexts.get('expired') ?? ''],
  ['added', 'The key was added. It admits you from now on.'],
  [
    'removed',
    'The key was removed. It admits nobody from now on; what is open with it stays open.',
  ],
])

/** Title and text of the page after a sign-in from a terminal, by the name that the redirect carries. */
export const signInDone: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['allowed', ['You are signed in', 'Your terminal goes on by itself. You can close this page.']],
  [
    'remembered',
    [
      'You are signed in',
      'Your terminal goes on by itself, and your key admits you from now on. You can close this page.',
    ],
  ],
  ['refused', ['Nobody was signed in', 'The client was refused. You can close this page.']],
  [
    'gone',
    [
      'There is no such sign-in',
      'It is over, or it is for another user name. Look at the address in your terminal, or begin again there.',
    ],
  ],
])

/** What the page about a problem says besides its title. */
export function problemWords(code: ProblemCode): readonly string[] {
  const words = noticeWords[code]
  const lead = words?.lead ?? waitWords[code]
  // The status of what fails at a start, or after it.
  const advice = problemStatus(code) === 502 ? adviceFor({ code }) : []
  return [...(lead === undefined ? [] : [lead]), ...advice]
}
