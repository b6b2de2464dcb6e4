// The schemas of /api/v1: they check the requests and describe the answers.
import { activityFindings, longestText, mostGroups, phases } from '@berth/shared/contract'
import { parseUserName, type UserName } from '@berth/shared/names'
import { problemCodes } from '@berth/shared/problems'
import { z } from 'zod'

const shortText = z.string().max(longestText)
/** What `parseUserName()` admits, as the description of the API can say it. */
const notInName =
  '\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff'
const nameShape = new RegExp(`^[^\\s${notInName}]([^${notInName}]*[^\\s${notInName}])?$`)
const userName = z
  .string()
  .min(1)
  .max(256)
  .regex(nameShape, 'is not a user name')
  .refine((text): text is UserName => parseUserName(text) !== undefined, 'is not a user name')
  .describe('The user name exactly as the gateway sends it.')
const milliseconds = z.number().int().nonnegative()
const code = z.enum(problemCodes)

export const startBody = z
  .strictObject({
    template: shortText.min(1),
    user: userName
      .optional()
      .describe('The owner of the workspace. It may be left out only if WITH_USERS is false.'),
    subject: shortText
      .optional()
      .describe(
        'The subject of the user at the identity provider. Required for a template with a home if Berth does not know the user yet.',
      ),
    groups: z
      .array(shortText)
      .max(mostGroups)
      .optional()
      .describe('The groups of the user, for templates and limits that depend on groups.'),
  })
  .meta({ id: 'Start' })

export const listQuery = z.strictObject({
  user: userName.optional(),
  template: shortText.min(1).optional(),
})

const why = z
  .string()
  .max(200)
  .optional()
  .describe('The reason, for the audit log and the history.')

export const adminOrder = z.strictObject({ why }).meta({ id: 'Order' })

export const adminRelease = z
  .strictObject({
    why,
    user: userName
      .optional()
      .describe('Whose place it is. It may be left out if only one person has one.'),
  })
  .meta({ id: 'Release' })

export const logsQuery = z.strictObject({
  tail: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(200)
    .describe('How many lines, counted from the end.'),
  follow: z
    .literal('1')
    .optional()
    .describe(
      'Sends server-sent events instead: "lines" with the lines so far (`begins`), and then those that are logged; "end" when the container has ended. The next container is followed, too.',
    ),
})

export const shownTemplate = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    icon: z.string().optional(),
    kind: z.enum(['web', 'ssh', 'tcp']),
    url: z
      .string()
      .optional()
      .describe(
        'Where people reach it. Absent if Berth does not know it: without PUBLIC_URL, if all its hosts begin with *., or if only a port leads to it; and if the kind is not web.',
      ),
    image: z.string(),
    seats: z
      .number()
      .int()
      .describe(
        'How many people share one workspace; 1: each person has their own; 0: any number.',
      ),
    startsBy: z.enum(['visit', 'click', 'request']),
  })
  .meta({ id: 'Template' })
export type ShownTemplate = z.infer<typeof shownTemplate>

export const shownWorkspace = z
  .object({
    name: z.string(),
    template: z.string(),
    kind: z.enum(['private', 'shared', 'standby']),
    url: z
      .string()
      .optional()
      .describe(
        'Where people reach it: the address of its template, or for a shared workspace the host name from its hex, which leads to no other one.',
      ),
    user: z.string().optional().describe('The owner of a private workspace.'),
    phase: z.enum([...phases, 'absent']),
    position: z.number().int().optional().describe('The position in the queue.'),
    waitsFor: code.optional().describe('The limit that a queued workspace waits for.'),
    etaMs: milliseconds.optional(),
    elapsedMs: milliseconds.describe(
      'Since the start was requested, or since the workspace entered its phase.',
    ),
    endsAt: z.iso.datetime().optional().describe('When the lifetime of the workspace ends.'),
    endSoon: z.boolean().describe('Whether the person was told about that end.'),
    extensionMs: milliseconds
      .optional()
      .describe('How much an extension adds; absent if the lifetime cannot be extended.'),
    outdated: z
      .boolean()
      .optional()
      .describe('Whether the template or the image has changed since the container was created.'),
    seats: z.array(
      z.object({ user: z.string(), connections: z.number().int(), lastUseAgoMs: milliseconds }),
    ),
    activityUnknown: z
      .object({ finding: z.enum(activityFindings), status: z.number().int().optional() })
      .optional()
      .describe(
        'Why the last check at the activity path told nothing: the workspace then counts as busy. Absent if it told something, or was not asked yet.',
      ),
    hex: z
      .string()
      .describe('The subdomain of the workspace, and its name for clients of Docker Spawner.'),
    container: z
      .object({
        id: z.string(),
        imageId: z.string().optional(),
        exitCode: z
          .number()
          .optional()
          .describe(
            'Set if the container ended by itself, and not if Berth stopped it. After a restart, the spawner cannot tell the two apart for containers that had stopped before, and shows the code of each.',
          ),
        outOfMemory: z
          .boolean()
          .optional()
          .describe('Whether the kernel killed a process in it for memory.'),
      })
      .optional(),
    problem: z.object({ code, title: z.string(), detail: z.string() }).optional(),
  })
  .meta({ id: 'Workspace' })
export type ShownWorkspace = z.infer<typeof shownWorkspace>

export const shownMe = z
  .object({ user: z.string(), groups: z.array(z.string()), email: z.string().optional() })
  .meta({ id: 'Me' })

const limit = z
  .object({ limit: z.number().describe('0: no limit.'), used: z.number() })
  .meta({ id: 'Limit' })

export const shownLimits = z
  .object({
    workspaces: limit,
    starting: limit,
    queue: limit,
    memoryBytes: limit,
    workspacesPerUser: z.object({ limit: z.number() }),
    guests: limit,
    guestsPerAddress: z.object({ limit: z.number() }),
    templates: z.array(z.object({ name: z.string(), workspaces: limit })),
  })
  .meta({ id: 'Limits' })
export type ShownLimits = z.infer<typeof shownLimits>

export const shownLogs = z.object({ lines: z.array(z.string()) }).meta({ id: 'Logs' })

const use = z
  .object({
    what: z
      .enum(['request', 'frame', 'download'])
      .describe('download: a client took 64 KiB of an answer.'),
    method: z.string(),
    path: z.string().describe('As the application sees it, without the query.'),
    count: z.number().int(),
    fewestBytes: z.number().int().describe('The smallest body or frame.'),
    mostBytes: z.number().int().describe('The largest body or frame.'),
    firstAgoMs: milliseconds,
    lastAgoMs: milliseconds.describe('0: it is still under way.'),
  })
  .meta({ id: 'Use' })

export const shownUse = z.object({ uses: z.array(use) }).meta({ id: 'Uses' })

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
