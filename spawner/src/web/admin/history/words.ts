// What the page of the history says about an entry. This module contains no HTML.
import { isProblemCode, problemTitle } from '@berth/shared/problems'
import type { AuditEntry } from '../../../audit.ts'
import type { EndReason, Entry, EntryType, Outcome } from '../../../history/entry.ts'
import type { StartKind } from '../../../policy/domain.ts'
import { plainText } from '../../http/plain-text.ts'

export const typeWords: Readonly<Record<EntryType, string>> = {
  start: 'Start',
  freeze: 'Pause',
  stop: 'Stop',
  removal: 'Removal',
  refusal: 'Refusal',
  'sign-in': 'Sign-in',
  act: 'Administration',
}

/** What a start began from. */
export const startWords: Readonly<Record<StartKind, string>> = {
  cold: 'new container',
  stopped: 'stopped container',
  frozen: 'paused container',
  standby: 'standby',
}

export const outcomeWords: Readonly<Record<Outcome, string>> = {
  ready: 'ready',
  failed: 'failed',
  cancelled: 'cancelled',
  done: 'done',
  refused: 'refused',
}

const endWords: Readonly<Record<EndReason, string>> = {
  idle: 'Nobody used it.',
  lifetime: 'It had run for the longest time that is allowed.',
  failed: 'It could not be reached any more.',
  cancelled: 'The person cancelled the start.',
  replaced: 'It was restarted.',
  retired: 'It had served as many people as it may, or was to take nobody more.',
  evicted: 'Another person waited for its place or its memory.',
  asked: 'Its owner, an administrator or a script stopped it.',
  removed: 'Its owner, an administrator or a script removed it.',
  ended: 'Its program ended by itself.',
  out_of_memory: 'The kernel ended it, because it needed more memory than it may have.',
  vanished: 'Something other than Berth removed its container.',
  cleared: 'It was unused for long, is not offered any more, or its network was needed.',
  left_queue: 'The person left the queue, or did not wait.',
}

const actWords: Readonly<Record<AuditEntry['act'], string>> = {
  open: 'Asked for a page of the administrators',
  stop: 'Stopped',
  restart: 'Restarted',
  remove: 'Removed',
  release: 'Took the place of a person in',
  'close-template': 'Closed the template',
  'open-template': 'Opened again the template',
  drain: 'Admitted nobody new:',
  admit: 'Admitted people again:',
  announce: 'Announced a message to',
  silence: 'Removed the message to',
  'open-as': 'Opened as its owner:',
  'end-open-as': 'Ended the opening of',
  'forget-host-key': 'Had the SSH host key forgotten of',
}

/** Why or how, in one or two sentences. */
export function entryWords(entry: Entry): string {
  const { type, reason = '', detail, exitCode, limit, target } = entry
  const more = detail === undefined ? '' : plainText(detail, 1_000)
  switch (type) {
    case 'sign-in':
      return 'First request after hours without any.'
    case 'act':
      return [`${actWord(reason)} ${plainText(target ?? '')}.`, more].filter(isText).join(' ')
    case 'refusal':
      return [`${codeWord(reason)}.`, more, limit === undefined ? '' : `The limit is ${limit}.`]
        .filter(isText)
        .join(' ')
    case 'start':
    case 'freeze':
    case 'stop':
    case 'removal': {
      const ending = exitCode === undefined ? '' : `Exit code ${exitCode}.`
      return [reasonWord(reason), more, ending].filter(isText).join(' ')
    }
  }
}

const isText = (text: string): boolean => text !== ''
const actWord = (act: string): string =>
  (actWords as Readonly<Record<string, string>>)[act] ?? `${plainText(act, 50)}:`
const codeWord = (code: string): string => (isProblemCode(code) ? problemTitle(code) : code)

function reasonWord(reason: string): string {
  if (Object.hasOwn(endWords, reason)) return endWords[reason as EndReason]
  return reason === '' ? '' : `${codeWord(reason)}.`
}

/** The phases of a start, as its steps are named here. */
const stepWords: Readonly<Record<string, string>> = {
  stopping: 'stop before',
  pulling: 'image',
  creating: 'container',
  starting: 'start',
  probing: 'answer',
  thawing: 'wake',
}

export function stepsText(
  steps: Readonly<Record<string, number>> | undefined,
  span: (ms: number) => string,
): string {
  // What would be written as 0.0 s says nothing.
  const taken = Object.entries(steps ?? {}).filter(([, ms]) => ms >= 50)
  return taken.map(([step, ms]) => `${stepWords[step] ?? step} ${span(ms)}`).join(', ')
}
