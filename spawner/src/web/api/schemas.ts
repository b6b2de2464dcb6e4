// The shapes of /api/v1: what is taken is checked by them, what is given is described by them.
import { longestText, mostGroups, phases } from '@berth/shared/contract'
import { parseUserName, type UserName } from '@berth/shared/names'
import { problemCodes } from '@berth/shared/problems'
import { z } from 'zod'

const shortText = z.string().max(longestText)
const userName = z
  .string()
  .min(1)
  .max(256)
  .refine((text): text is UserName => parseUserName(text) !== undefined, 'is not a user name')
  .describe('Exactly as signed in.')
const milliseconds = z.number().int().nonnegative()
const code = z.enum(problemCodes)

export const startBody = z
  .strictObject({
    template: shortText.min(1),
    user: userName
      .optional()
      .describe('Whose it will be. Left out only where WITH_USERS is false.'),
    subject: shortText
      .optional()
      .describe('Needed for a template with a home, of somebody who was never here.'),
    groups: z
      .array(shortText)
      .max(mostGroups)
      .optional()
      .describe('Their groups, for templates and limits that ask for one.'),
  })
  .meta({ id: 'Start' })

export const listQuery = z.strictObject({
  user: userName.optional(),
  template: shortText.min(1).optional(),
})

export const logsQuery = z.strictObject({
  tail: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(200)
    .describe('How many of the last lines.'),
})

export const shownTemplate = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    icon: z.string().optional(),
    kind: z.enum(['web', 'ssh', 'tcp']),
    image: z.string(),
    seats: z
      .number()
      .int()
      .describe('People in one workspace at once; 1: one of their own; 0: any number.'),
    startsBy: z.enum(['visit', 'click']),
  })
  .meta({ id: 'Template' })
export type ShownTemplate = z.infer<typeof shownTemplate>

export const shownWorkspace = z
  .object({
    name: z.string(),
    template: z.string(),
    kind: z.enum(['private', 'shared', 'standby']),
    user: z.string().optional().describe('Of a private one.'),
    phase: z.enum([...phases, 'absent']),
    position: z.number().int().optional().describe('Place in the queue.'),
    waitsFor: code.optional().describe('The limit that a queued one waits for.'),
    etaMs: milliseconds.optional(),
    elapsedMs: milliseconds.describe('Since it was asked for, or since it came to its phase.'),
    endsAt: z.iso.datetime().optional().describe('When its lifetime ends.'),
    endSoon: z.boolean().describe('That end was announced.'),
    extensionMs: milliseconds
      .optional()
      .describe('What an extension would add; absent: none is left.'),
    outdated: z
      .boolean()
      .optional()
      .describe('Its template or image has changed since it was made.'),
    seats: z.array(
      z.object({ user: z.string(), connections: z.number().int(), lastUseAgoMs: milliseconds }),
    ),
    hex: z.string().describe('Its sub-domain, and its name for clients of Docker Spawner.'),
    container: z
      .object({ id: z.string(), imageId: z.string().optional(), exitCode: z.number().optional() })
      .optional(),
    problem: z.object({ code, title: z.string(), detail: z.string() }).optional(),
  })
  .meta({ id: 'Workspace' })
export type ShownWorkspace = z.infer<typeof shownWorkspace>

const limit = z
  .object({ limit: z.number().describe('0: none.'), used: z.number() })
  .meta({ id: 'Limit' })

export const shownLimits = z
  .object({
    workspaces: limit,
    starting: limit,
    queue: limit,
    memoryBytes: limit,
    workspacesPerUser: z.object({ limit: z.number() }),
    templates: z.array(z.object({ name: z.string(), workspaces: limit })),
  })
  .meta({ id: 'Limits' })
export type ShownLimits = z.infer<typeof shownLimits>

export const shownLogs = z.object({ lines: z.array(z.string()) }).meta({ id: 'Logs' })

export const shownProblem = z
  .object({
    type: z.string(),
    code,
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    limit: z.number().optional(),
    position: z.number().optional(),
    workspace: z.string().optional(),
  })
  .meta({ id: 'Problem' })
