// What the pages say, in plain words, by phase and by problem. Nothing here knows HTML.
import type { ProblemCode } from '@berth/shared/problems'
import type { ShownStatus } from './status.ts'
import type { StepPhase, StepState } from './steps.ts'

export interface PhaseWords {
  /** For the tab. `{number}`: the place in the queue, or per cent. */
  readonly tab: string
  readonly heading: string
  readonly lead: string
}

const inOrder = 'Places are given in the order of asking. Keep this page open to keep your turn.'

/** What somebody in the queue waits for, by the limit in the way. */
export const waitWords: Readonly<Partial<Record<ProblemCode, string>>> = {
  limit_total: `All places are taken; yours comes as soon as one is free. ${inOrder}`,
  limit_template: `All places of this kind are taken; yours comes as soon as one is free. ${inOrder}`,
  limit_memory: `The memory for workspaces is used up; yours starts as soon as enough is free. ${inOrder}`,
  limit_user:
    'You have as many workspaces as one person may have. This one starts as soon as another of yours is stopped.',
  starting: `Others are starting just now; yours is next as soon as one of them is up. ${inOrder}`,
}

const queued: PhaseWords = {
  tab: 'Waiting',
  heading: 'Waiting for a place',
  lead: inOrder,
}

/** What a loading page says in each phase that it can be in; `…-at` with a known position or per cent. */
export const phaseWords: Readonly<Record<string, PhaseWords>> = {
  queued,
  'queued-at': {
    ...queued,
    tab: 'Number {number} in the queue',
    heading: 'You are number {number} in the queue',
  },
  pulling: {
    tab: 'Preparing',
    heading: 'Preparing your workspace',
    lead: 'What your workspace runs is being looked up.',
  },
  'pulling-at': {
    tab: 'Fetching, {number} %',
    heading: 'Fetching the software',
    lead: 'The image that your workspace runs is being downloaded. The next start will not need this.',
  },
  creating: {
    tab: 'Preparing',
    heading: 'Preparing your workspace',
    lead: 'The container is being put together.',
  },
  starting: {
    tab: 'Starting',
    heading: 'Starting your workspace',
    lead: 'The container is there and is starting up.',
  },
  probing: {
    tab: 'Almost there',
    heading: 'Almost there',
    lead: 'Your workspace runs. As soon as it answers, you are in.',
  },
  ready: { tab: 'Ready', heading: 'Ready', lead: 'Your workspace is opening.' },
  frozen: {
    tab: 'Waking',
    heading: 'Waking your workspace',
    lead: 'It was resting and will be back in a moment.',
  },
  stopping: {
    tab: 'Stopping',
    heading: 'Stopping your workspace',
    lead: 'It is being stopped. Once that is done, it starts anew.',
  },
}

/** @param status of which only a queue's position and a pull's per cent are told */
export function wordsFor(status: ShownStatus): PhaseWords {
  const number = status.phase === 'queued' ? status.position : status.pullPercent
  const words = phaseWords[number === undefined ? status.phase : `${status.phase}-at`] ?? queued
  const fill = (text: string): string => text.replace('{number}', String(number))
  const waits =
    status.phase === 'queued' ? status.waitsFor && waitWords[status.waitsFor] : undefined
  return { tab: fill(words.tab), heading: fill(words.heading), lead: waits ?? words.lead }
}

export const stepWords: Readonly<Record<StepPhase, string>> = {
  queued: 'Get a place',
  pulling: 'Fetch the image',
  creating: 'Create the container',
  starting: 'Start it',
  probing: 'Wait for its first answer',
}

export const stateWords: Readonly<Record<StepState, string>> = {
  done: 'done',
  passed: 'not needed',
  now: 'under way',
  failed: 'failed',
  next: 'to come',
}

const askAdministrator =
  'If it fails again, tell whoever runs this site; what is shown here helps them.'

/** What a person can try after a failed start. */
export function adviceFor(code: ProblemCode, exitCode: number | undefined): readonly string[] {
  const byExit = exitCode === undefined ? undefined : exitAdvice[exitCode]
  const own = byExit ?? failureAdvice[code] ?? 'Try again: some causes pass by themselves.'
  return [own, askAdministrator]
}

const failureAdvice: Partial<Record<ProblemCode, string>> = {
  image_missing:
    'The image could not be had: its name may be misspelt, it may be gone, or its registry may be down or want a password. Try again once that is put right.',
  start_timeout:
    'It was started and never answered. It may only have been slow, so trying again can help.',
  start_failed: 'The last lines that it logged often say why. Try again once that is put right.',
  name_taken:
    'Something else on the server bears the name that your workspace would have. It has to be moved out of the way first.',
}

const exitAdvice: Readonly<Record<number, string>> = {
  0: 'It finished instead of going on running. Its command may be the wrong one.',
  125: 'The container could not be run as it is set up.',
  126: 'Its command is there and cannot be executed.',
  127: 'Its command does not exist in the image.',
  137: 'It was killed. Most often that means that it needed more memory than it may have.',
}

export interface NoticeWords {
  readonly heading: string
  /** Said besides the problem's own detail. */
  readonly advice: readonly string[]
  /** The page asks again by itself after so many seconds. */
  readonly refreshS?: number
}

const byItself = 'This page asks again by itself.'

/** How a refusal is told; codes without words of their own are told by title and detail. */
export const noticeWords: Partial<Record<ProblemCode, NoticeWords>> = {
  template_forbidden: {
    heading: 'You have no access to this',
    advice: ['If you have another account, sign out and come back with it.'],
  },
  identity_reused: {
    heading: 'This name belonged to somebody else',
    advice: [],
  },
  engine_unreachable: {
    heading: 'Workspaces cannot be reached at the moment',
    advice: ['Nothing of yours is lost.', byItself],
    refreshS: 5,
  },
  spawner_unreachable: {
    heading: 'This did not work',
    advice: ['Nothing of yours is lost.', byItself],
    refreshS: 5,
  },
  queue_full: { heading: 'The queue is full', advice: [byItself], refreshS: 15 },
  limit_total: { heading: 'All places are taken', advice: [byItself], refreshS: 15 },
  limit_template: {
    heading: 'All places of this kind are taken',
    advice: [byItself],
    refreshS: 15,
  },
  limit_memory: {
    heading: 'The memory for workspaces is used up',
    advice: [byItself],
    refreshS: 15,
  },
  limit_user: { heading: 'You have reached your limit', advice: [] },
  workspace_unknown: { heading: 'This workspace is gone', advice: [] },
}
