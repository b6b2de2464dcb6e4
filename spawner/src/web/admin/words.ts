// The texts of the administrator's page. This module contains no HTML.
import type { StepPhase } from '../pages/steps.ts'
import { actWords, adminActs } from './acts.ts'

/** The steps of a start, as short as a cell needs them. */
export const rowStepWords: Readonly<Record<StepPhase, string>> = {
  queued: 'queue',
  pulling: 'download',
  creating: 'set-up',
  starting: 'start',
  probing: 'first answer',
}

/** What the page says after a form, by the name that the redirect carries. */
export const noticeTexts: ReadonlyMap<unknown, string> = new Map([
  ...adminActs.map((act) => [act, actWords[act].done] as const),
  [
    'expired',
    'Your click had no effect, because the page was open for too long. Please click again.',
  ],
  ['saved', 'Saved. People are told from now on.'],
  ['opened', 'It is open for you, and its owner is told.'],
  ['ended', 'It is closed.'],
  ['gone', 'That workspace does not exist any more.'],
  ['refused', 'That is not possible in the present state of the workspace.'],
])
