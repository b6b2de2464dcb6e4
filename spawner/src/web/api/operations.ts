// Everything /api/v1 does, one entry each: the routes are made from it, and so is its description.
import type { ProblemCode } from '@berth/shared/problems'
import { z } from 'zod'
import {
  listQuery,
  logsQuery,
  shownLimits,
  shownLogs,
  shownTemplate,
  shownWorkspace,
  startBody,
} from './schemas.ts'

export interface Operation {
  readonly method: 'get' | 'post' | 'delete'
  /** Below `/api/v1`, parameters in braces. */
  readonly path: string
  readonly summary: string
  readonly query?: z.ZodObject
  readonly body?: z.ZodObject
  readonly status: number
  /** Absent: a stream of server-sent events. */
  readonly answer?: z.ZodType
  readonly problems: readonly ProblemCode[]
}

const one = ['workspace_unknown'] as const
const workspace = { status: 202, answer: shownWorkspace, problems: one } as const

export const operations = {
  listTemplates: {
    method: 'get',
    path: '/templates',
    summary: 'What can be run.',
    status: 200,
    answer: z.object({ templates: z.array(shownTemplate) }),
    problems: [],
  },
  listWorkspaces: {
    method: 'get',
    path: '/workspaces',
    summary: 'All workspaces, or those that a user owns or has a seat in.',
    query: listQuery,
    status: 200,
    answer: z.object({ workspaces: z.array(shownWorkspace) }),
    problems: [],
  },
  startWorkspace: {
    method: 'post',
    path: '/workspaces',
    summary:
      'Starts a workspace for a user, unless it runs. Without a place it waits in the queue for half a minute; asking again keeps its turn.',
    body: startBody,
    status: 202,
    answer: shownWorkspace,
    problems: [
      'template_unknown',
      'template_forbidden',
      'identity_reused',
      'name_taken',
      'conflict',
      'limit_user',
      'limit_total',
      'limit_memory',
      'queue_full',
      'engine_unreachable',
    ],
  },
  showWorkspace: {
    method: 'get',
    path: '/workspaces/{name}',
    summary: 'One workspace.',
    ...workspace,
    status: 200,
  },
  removeWorkspace: {
    method: 'delete',
    path: '/workspaces/{name}',
    summary: 'Stops it and removes its container. Volumes stay.',
    ...workspace,
  },
  stopWorkspace: {
    method: 'post',
    path: '/workspaces/{name}/stop',
    summary: 'Stops it, whoever uses it.',
    ...workspace,
  },
  restartWorkspace: {
    method: 'post',
    path: '/workspaces/{name}/restart',
    summary: 'Stops it and starts it anew from the present description of its template.',
    ...workspace,
  },
  extendWorkspace: {
    method: 'post',
    path: '/workspaces/{name}/extend',
    summary: 'Adds to its lifetime, once, where its template allows that.',
    ...workspace,
    status: 200,
    problems: ['workspace_unknown', 'conflict'],
  },
  showLogs: {
    method: 'get',
    path: '/workspaces/{name}/logs',
    summary: 'The last lines that its container logged, oldest first.',
    query: logsQuery,
    status: 200,
    answer: shownLogs,
    problems: one,
  },
  followEvents: {
    method: 'get',
    path: '/events',
    summary:
      'Each new phase of each workspace as a server-sent event "phase", a workspace as data; first all there are.',
    status: 200,
    problems: ['limit_connections'],
  },
  showLimits: {
    method: 'get',
    path: '/admin/limits',
    summary: 'Every limit and what is used of it.',
    status: 200,
    answer: shownLimits,
    problems: ['not_admin'],
  },
} as const satisfies Record<string, Operation>

export type OperationId = keyof typeof operations
