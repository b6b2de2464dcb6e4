// The operations of /api/v1: its routes and its OpenAPI description are made from them.
import type { ProblemCode } from '@berth/shared/problems'
import { z } from 'zod'
import { historyQuery, shownHistory } from './history-schemas.ts'
import {
  adminOrder,
  adminRelease,
  listQuery,
  logsQuery,
  shownLimits,
  shownLogs,
  shownMe,
  shownTemplate,
  shownUse,
  shownWorkspace,
  startBody,
} from './schemas.ts'

export interface Operation {
  readonly method: 'get' | 'post' | 'delete'
  /** The path below `/api/v1`, with parameters in braces. */
  readonly path: string
  readonly summary: string
  readonly query?: z.ZodObject
  readonly body?: z.ZodObject
  /** The request may leave the body out. */
  readonly bodyOptional?: true
  readonly status: number
  /** Absent: the answer is a stream of server-sent events. */
  readonly answer?: z.ZodType
  /** With `follow=1`, the answer is a stream of server-sent events instead. */
  readonly follows?: true
  readonly problems: readonly ProblemCode[]
  /** Absent: on `API_PORT` for scripts, and on the portal for the person who is signed in. */
  readonly only?: Audience
  /** On the portal for administrators only. */
  readonly forAdministrators?: true
  /** Where the client prefers `text/csv`, the answer is that instead: all that fits, not one page. */
  readonly csv?: true
}

export type Audience = 'scripts' | 'people'

const one = ['workspace_unknown'] as const
const workspace = { status: 202, answer: shownWorkspace, problems: one } as const

const administrators = { only: 'people', forAdministrators: true } as const
const order = {
  ...administrators,
  body: adminOrder,
  bodyOptional: true,
  status: 202,
  answer: shownWorkspace,
  problems: ['workspace_unknown', 'conflict'],
} as const

export const operations = {
  showMe: {
    method: 'get',
    path: '/me',
    summary: 'Shows who is signed in.',
    status: 200,
    answer: shownMe,
    problems: [],
    only: 'people',
  },
  measureHomes: {
    method: 'post',
    path: '/homes/measure',
    summary:
      'Begins to compute how large all homes are. Without effect for an hour after that was done, and for ten minutes after it failed.',
    status: 202,
    answer: z.object({}),
    problems: [],
    only: 'people',
  },
  listTemplates: {
    method: 'get',
    path: '/templates',
    summary: 'Lists the templates.',
    status: 200,
    answer: z.object({ templates: z.array(shownTemplate) }),
    problems: [],
  },
  listWorkspaces: {
    method: 'get',
    path: '/workspaces',
    summary: 'Lists all workspaces, or those that a user owns or has a seat in.',
    query: listQuery,
    status: 200,
    answer: z.object({ workspaces: z.array(shownWorkspace) }),
    problems: [],
  },
  startWorkspace: {
    method: 'post',
    path: '/workspaces',
    summary:
      'Starts a workspace for a user if it does not run yet. If no place is free, it waits in the queue for half a minute; another request keeps its place in the queue.',
    body: startBody,
    status: 202,
    answer: shownWorkspace,
    problems: [
      'template_unknown',
      'template_forbidden',
      'identity_reused',
      'identity_renamed',
      'name_taken',
      'conflict',
      'limit_user',
      'limit_guests',
      'limit_guests_address',
      'limit_total',
      'limit_memory',
      'queue_full',
      'template_closed',
      'maintenance',
      'engine_unreachable',
    ],
  },
  showWorkspace: {
    method: 'get',
    path: '/workspaces/{name}',
    summary: 'Shows one workspace.',
    ...workspace,
    status: 200,
  },
  removeWorkspace: {
    method: 'delete',
    path: '/workspaces/{name}',
    summary: 'Stops the workspace and removes its container. The volumes are kept.',
    ...workspace,
  },
  stopWorkspace: {
    method: 'post',
    path: '/workspaces/{name}/stop',
    summary: 'Stops the workspace, even if it is in use.',
    ...workspace,
  },
  restartWorkspace: {
    method: 'post',
    path: '/workspaces/{name}/restart',
    summary:
      'Stops the workspace and starts it again, with a new container from the current version of its template.',
    ...workspace,
  },
  extendWorkspace: {
    method: 'post',
    path: '/workspaces/{name}/extend',
    summary: 'Extends the lifetime of the workspace, once, if its template allows that.',
    ...workspace,
    status: 200,
    problems: ['workspace_unknown', 'conflict'],
  },
  showLogs: {
    method: 'get',
    path: '/workspaces/{name}/logs',
    summary: 'Shows the last lines that the container logged, oldest first.',
    query: logsQuery,
    status: 200,
    answer: shownLogs,
    follows: true,
    problems: ['workspace_unknown', 'conflict', 'limit_connections'],
  },
  showUse: {
    method: 'get',
    path: '/workspaces/{name}/use',
    summary:
      'Shows which requests, frames and downloads counted as use of the workspace in the last 15 minutes, the latest first.',
    status: 200,
    answer: shownUse,
    problems: one,
  },
  followEvents: {
    method: 'get',
    path: '/events',
    summary:
      'Sends all workspaces and then every change of a phase, each as a server-sent event "phase" with the workspace as its data.',
    status: 200,
    problems: ['limit_connections'],
  },
  showLimits: {
    method: 'get',
    path: '/admin/limits',
    summary: 'Shows every limit and how much of it is used.',
    status: 200,
    answer: shownLimits,
    problems: [],
    forAdministrators: true,
  },
  showHistory: {
    method: 'get',
    path: '/admin/history',
    summary:
      'Shows what happened: starts, freezes, stops, removals, refusals, sign-ins and acts of administrators, the latest first. As CSV it is everything that fits, without pages.',
    query: historyQuery,
    status: 200,
    answer: shownHistory,
    csv: true,
    problems: ['conflict', 'history_unavailable'],
    forAdministrators: true,
  },
  listAllWorkspaces: {
    method: 'get',
    path: '/admin/workspaces',
    summary: 'Lists the workspaces of all people, or those that a user owns or has a seat in.',
    query: listQuery,
    status: 200,
    answer: z.object({ workspaces: z.array(shownWorkspace) }),
    problems: [],
    ...administrators,
  },
  stopAnyWorkspace: {
    method: 'post',
    path: '/admin/workspaces/{name}/stop',
    summary: 'Stops the workspace of any person, even if it is in use. This is audited.',
    ...order,
  },
  restartAnyWorkspace: {
    method: 'post',
    path: '/admin/workspaces/{name}/restart',
    summary:
      'Stops the workspace of any person and starts it again, with a new container from the current version of its template. This is audited.',
    ...order,
  },
  releasePlace: {
    method: 'post',
    path: '/admin/workspaces/{name}/release',
    summary:
      'Takes a person out of the queue, or takes their seat in a shared workspace. This is audited.',
    ...order,
    body: adminRelease,
  },
  forgetHostKey: {
    method: 'delete',
    path: '/admin/workspaces/{name}/host-key',
    summary:
      'Forgets the key that the SSH server in the workspace had: the next one that it shows is accepted. On the portal this is audited.',
    status: 200,
    answer: z.object({}),
    problems: one,
    forAdministrators: true,
  },
  removeAnyWorkspace: {
    method: 'delete',
    path: '/admin/workspaces/{name}',
    summary:
      'Stops the workspace of any person and removes its container. The volumes are kept. This is audited.',
    ...order,
  },
} as const satisfies Record<string, Operation>

export type OperationId = keyof typeof operations

export function operationsFor(audience: Audience): readonly (readonly [OperationId, Operation])[] {
  const all = Object.entries<Operation>(operations) as [OperationId, Operation][]
  return all.filter(([, { only }]) => only === undefined || only === audience)
}
