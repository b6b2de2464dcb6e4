// The texts of the pages, by phase and by problem. This module contains no HTML.
import type { Phase } from '@berth/shared/contract'
import type { ProblemCode } from '@berth/shared/problems'
import type { Failure, Obstacle } from '../../policy/domain.ts'
import type { ShownStatus } from './status.ts'
import type { StepPhase, StepState } from './steps.ts'

export interface PhaseWords {
  /** The title of the tab. `{number}`: the position in the queue, or per cent. */
  readonly tab: string
  readonly heading: string
  readonly lead: string
}

const inOrder = 'First come, first served. Keep this page open to keep your place in the queue.'

/** What a person in the queue waits for, by the limit that is reached. */
export const waitWords: Readonly<Partial<Record<ProblemCode, string>>> = {
  maintenance: `Nothing new is started before maintenance. Your workspace starts after that. ${inOrder}`,
  limit_total: `All places are taken. Your workspace starts when a place is free. ${inOrder}`,
  limit_template: `All places for this kind of workspace are taken. Yours starts when one is free. ${inOrder}`,
  limit_memory: `All memory for workspaces is in use. Your workspace starts when enough of it is free. ${inOrder}`,
  limit_user:
    'You already have as many workspaces as one person may have. This one starts when you stop another one of yours.',
  starting: `Other workspaces are starting. Yours starts when one of them is ready. ${inOrder}`,
}

const queued: PhaseWords = {
  tab: 'Waiting',
  heading: 'Waiting for a free place',
  lead: inOrder,
}

/** The words of the loading page in each phase; `…-at` where the position or the percentage is known. */
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
    lead: 'Checking which software your workspace needs.',
  },
  'pulling-at': {
    tab: 'Downloading, {number} %',
    heading: 'Downloading the software',
    lead: 'The software of your workspace is being downloaded. The next start will not need this.',
  },
  creating: {
    tab: 'Preparing',
    heading: 'Preparing your workspace',
    lead: 'Your workspace is being set up.',
  },
  starting: {
    tab: 'Starting',
    heading: 'Starting your workspace',
    lead: 'Your workspace is set up and is now starting.',
  },
  probing: {
    tab: 'Almost there',
    heading: 'Almost there',
    lead: 'Your workspace is running. It opens here as soon as it answers.',
  },
  ready: { tab: 'Ready', heading: 'Ready', lead: 'Your workspace opens now.' },
  frozen: {
    tab: 'Waking',
    heading: 'Waking your workspace',
    lead: 'It was paused because it was not in use. It will be back in a moment.',
  },
  stopping: {
    tab: 'Stopping',
    heading: 'Stopping your workspace',
    lead: 'It is being stopped. After that, it starts again.',
  },
}

/** What a row of a list says about a workspace. */
export const phaseNames: Readonly<Record<Phase, string>> = {
  queued: 'waiting for a place',
  pulling: 'starting',
  creating: 'starting',
  starting: 'starting',
  probing: 'starting',
  ready: 'running',
  frozen: 'paused',
  stopping: 'stopping',
  stopped: 'stopped',
  failed: 'failed',
}

/** @param status only the phase, the limit, the position in the queue and the percentage of the download are used */
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
  pulling: 'Download the software',
  creating: 'Set up the workspace',
  starting: 'Start it',
  probing: 'Wait for its first answer',
}

export const stateWords: Readonly<Record<StepState, string>> = {
  done: 'done',
  passed: 'not needed',
  now: 'in progress',
  failed: 'failed',
  next: 'to come',
}

const askAdministrator =
  'If it fails again, ask the people who run this site for help. Show them this page: it tells them what went wrong.'

/** What a person can try after a failed start. */
export function adviceFor({
  code,
  obstacle,
  exitCode,
}: Pick<Failure, 'code' | 'obstacle' | 'exitCode'>): readonly string[] {
  const byObstacle = obstacle === undefined ? undefined : obstacleAdvice[obstacle]
  const byExit = exitCode === undefined ? undefined : exitAdvice[exitCode]
  const own =
    byObstacle ?? byExit ?? failureAdvice[code] ?? 'Try again: some problems go away by themselves.'
  return [own, askAdministrator]
}

const noInterpreter =
  'The command that should start the workspace does not exist in its image, or what runs it does not: the program in the first line of a script (look for Windows line ends there), or a library. A program for another kind of processor can look the same.'

export const obstacleAdvice: Readonly<Record<Obstacle, string>> = {
  refused:
    'The application may listen on another port than its template says, or may still have been starting. It has to listen at 0.0.0.0: at 127.0.0.1 nothing outside of its container can reach it.',
  loopback:
    'The application has to listen at 0.0.0.0: at 127.0.0.1 nothing outside of its container can reach it. Most applications have an option for that, such as --host 0.0.0.0.',
  late: 'The template can give it more time (ready.timeout, or CONTAINER_START_TIMEOUT). If it is never reached, the application has to listen at 0.0.0.0: Berth reaches it by IPv4.',
  other_port: 'The port in the template has to be the port that the application listens on.',
  unreachable: 'It may just have been slow: try again.',
  silent:
    'It may just have been slow: try again. If another path of the application answers sooner, its template can name that path.',
  closed: 'The last lines of its log often tell the reason. Try again.',
  tls: 'The template has to say scheme: https (CONTAINER_SCHEME, or the label berth.image.scheme), or the application has to be told to speak plain HTTP.',
  no_tls:
    'The template says scheme: https. Without it, Berth speaks plain HTTP to the application.',
  oversized:
    'The application sends too many or too long headers. If another path of it answers with fewer, its template can name that path.',
  not_http: 'The port in the template may belong to another service of the container.',
  status:
    'The application runs and says that something is wrong with it. The last lines of its log often tell the reason.',
  unhealthy:
    'The health check of the image may need a program that the image does not have. The template can set another one, or switch it off with healthcheck: { disable: true }.',
  memory:
    'The workspace needs more memory than its template gives it (mem_limit, or CONTAINER_MEMORY).',
  process_one:
    'The program of this image has to be process 1 of the container. The template has to say init: false (CONTAINER_INIT=false).',
  no_interpreter: noInterpreter,
  not_executable:
    'The program of this image is made for another kind of processor than the server has, or it is a script without a first line such as #!/bin/sh.',
}

const failureAdvice: Partial<Record<ProblemCode, string>> = {
  image_missing:
    'The software of the workspace could not be downloaded. The name of its image may be wrong, the image may no longer exist, or the server that has it may be down or ask for a password. Try again in a few minutes.',
  start_timeout:
    'The workspace started but did not answer in time. It may just have been slow: try again.',
  start_failed: 'The last lines of its log often tell the reason. Try again.',
  name_taken:
    'Something else on the server has the name that your workspace needs. An administrator has to remove or rename it.',
}

const exitAdvice: Readonly<Record<number, string>> = {
  0: 'The program ended by itself instead of running on. The template may start the wrong command.',
  125: 'The container could not be started with the settings that it has.',
  126: 'The command that should start the workspace exists but cannot be run: its file may not be executable, or not for the user of the workspace.',
  127: noInterpreter,
  137: 'The program was killed, and not by Berth. It may have needed more memory than the server has.',
}

/** Of a workspace that had been ready. */
export const outOfMemoryWords =
  'It ended because a program in it needed more memory than there is for it, and was killed.'

export interface NoticeWords {
  readonly heading: string
  /** Instead of the detail of the problem, which also speaks to programs. */
  readonly lead?: string
  /** What the number of the limit is called. */
  readonly limit?: string
  /** Shown below the detail of the problem. */
  readonly advice: readonly string[]
  /** The page reloads itself after this many seconds. */
  readonly refreshS?: number
}

const byItself = 'This page tries again by itself.'
const guestsComeAndGo =
  'The workspace of a guest who has left is removed after a while. This page tries again by itself.'

/** The words of a refusal. A code that is not here is shown with the title and detail of its problem. */
export const noticeWords: Partial<Record<ProblemCode, NoticeWords>> = {
  template_forbidden: {
    heading: 'You have no access to this',
    advice: ['If you have another account, sign out and sign in with that one.'],
  },
  not_admin: {
    heading: 'This page is for administrators',
    lead: 'Only administrators of this site can open this page. If you need it, ask the people who run this site to make you an administrator: its settings ADMIN_GROUP and ADMIN_USERS say who is one. If you have another account, sign out and sign in with that one.',
    advice: [],
  },
  identity_reused: {
    heading: 'This user name belonged to another person',
    advice: [],
  },
  identity_renamed: {
    heading: 'Your user name has changed',
    advice: [
      'Show this page to an administrator. The guide for operations says what to do: “A person got another user name”.',
    ],
  },
  engine_unreachable: {
    heading: 'Workspaces cannot be reached at the moment',
    advice: ['Your files are safe.', byItself],
    refreshS: 5,
  },
  spawner_unreachable: {
    heading: 'Workspaces cannot be started at the moment',
    advice: ['Your files are safe.', byItself],
    refreshS: 5,
  },
  template_closed: {
    heading: 'Closed for new starts',
    advice: [byItself],
    refreshS: 30,
  },
  maintenance: {
    heading: 'Nothing new is started at the moment',
    advice: ['Your files are safe.', byItself],
    refreshS: 30,
  },
  queue_full: {
    heading: 'The queue is full',
    lead: 'All places are taken, and no more people can wait for one at the moment.',
    limit: 'Places in the queue',
    advice: ['Keep this page open: it joins the queue as soon as there is room.'],
    refreshS: 15,
  },
  limit_total: { heading: 'All places are taken', advice: [byItself], refreshS: 15 },
  limit_template: {
    heading: 'All places for this kind of workspace are taken',
    lead: 'All seats of this workspace are taken, or it does not accept more people.',
    limit: 'Seats',
    advice: ['Keep this page open: it takes a seat as soon as one is free.'],
    refreshS: 15,
  },
  // The only refusal for memory is that of a workspace that can never start. Others wait in the queue.
  limit_memory: { heading: 'This workspace needs more memory than there is', advice: [] },
  limit_user: {
    heading: 'You have as many workspaces as you may have',
    lead: 'Stop one of them to start this one. Save your work there first: what is not saved is lost.',
    limit: 'Workspaces at the same time',
    advice: [],
  },
  limit_guests: {
    heading: 'There is no room for one more guest',
    lead: 'As many guests as possible have a workspace at the moment.',
    limit: 'Guests at the same time',
    advice: [guestsComeAndGo],
    refreshS: 15,
  },
  limit_guests_address: {
    heading: 'There is no room for one more guest from your network',
    lead: 'As many guests as possible from your network have a workspace at the moment.',
    limit: 'Guests from one network at the same time',
    advice: [guestsComeAndGo],
    refreshS: 15,
  },
  workspace_unknown: { heading: 'This workspace does not exist any more', advice: [] },
}
