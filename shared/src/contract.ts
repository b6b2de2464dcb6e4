// Everything that director and spawner say to each other. They meet here and nowhere else.
import { z } from 'zod'
import { parseUserName, type UserName } from './names.ts'
import { isProblemCode, type Problem, type ProblemCode } from './problems.ts'

export const internalPaths = {
  seats: '/internal/v1/seats',
  activity: '/internal/v1/activity',
  probeResults: '/internal/v1/probe-results',
  activityCheckResults: '/internal/v1/ask-results',
  /** The page for a navigation whose workspace is not ready: loading, failure, refusal or end of life. */
  page: '/internal/v1/page',
  commands: (director: string) => `/internal/v1/directors/${encodeURIComponent(director)}/commands`,
} as const

/** What starts with this on a workspace's origin is Berth's own and passes through to the spawner as it is. */
export const ownPathPrefix = '/.berth/'

/** Headers of what passes through to the spawner. Values are percent-encoded; clients' own are stripped. */
export const passHeaders = {
  user: 'Berth-User',
  subject: 'Berth-Subject',
  /** Each group percent-encoded, joined by commas. */
  groups: 'Berth-Groups',
  email: 'Berth-Email',
  template: 'Berth-Template',
  /** Path and query of the navigation as it came, so that a page can lead back to it. */
  target: 'Berth-Target',
  /** The one workspace that the route leads to, where it leads to one alone. */
  workspace: 'Berth-Workspace',
  /** The path prefix of the route, below which `/.berth/` lies there; empty at the root of a host. */
  base: 'Berth-Base',
} as const

/** Tells what an answer of the product's own is about. */
export const phaseHeader = 'Berth-Phase'

/** To applications, on each request: when their workspace's lifetime ends (RFC 3339); absent where it does not. */
export const endsAtHeader = 'Berth-Ends-At'

export const phases = [
  'queued',
  'pulling',
  'creating',
  'starting',
  'probing',
  'ready',
  'frozen',
  'stopping',
  'stopped',
  'failed',
] as const
export type Phase = (typeof phases)[number]
/** `absent`: there is no such workspace at present. */
export type ShownPhase = Phase | 'absent'

const userName = z.string().transform((value, context): UserName => {
  const name = parseUserName(value)
  if (name !== undefined) return name
  context.addIssue({ code: 'custom', message: 'is not a user name', input: value })
  return z.NEVER
})
const problemCode = z.custom<ProblemCode>(
  (value) => typeof value === 'string' && isProblemCode(value),
)
/** What is longer does not pass between the services, so it is refused where it comes in. */
export const longestText = 1024
export const mostGroups = 1000
export const longestMs = 366 * 86_400_000

const shortText = z.string().max(longestText)
const milliseconds = z.number().nonnegative().max(longestMs)

/** One verified identity. `subject` is empty where the gateway gives none. */
export const personSchema = z.object({
  name: userName,
  subject: shortText,
  groups: z.array(shortText).max(mostGroups),
  email: shortText.optional(),
})
export type Person = z.infer<typeof personSchema>

const addressSchema = z.object({
  host: shortText,
  port: z.number().int().min(1).max(65_535),
})
export type Address = z.infer<typeof addressSchema>

export const seatRequestSchema = z.object({
  /** The director's host name: its short container id. */
  director: shortText.min(1),
  user: personSchema,
  template: shortText.min(1),
  /** The route leads to this one workspace alone. */
  workspace: shortText.optional(),
  protocol: z.enum(['http', 'ssh', 'tcp']),
  /** How long the answer may be held while the workspace gets ready. */
  waitMs: milliseconds,
  /** What the request may bring about: nothing, the thaw of a frozen workspace, or a start. */
  start: z.enum(['no', 'wake', 'start']),
  /** Whether a person looks at a page: the end of a lifetime is then told once, instead of a new start. */
  navigation: z.boolean().default(false),
  /** A generation that was granted and could not be connected to. */
  unreachable: shortText.optional(),
})
export type SeatRequest = z.infer<typeof seatRequestSchema>

export const seatAnswerSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('granted'),
    workspace: shortText,
    /** The container's id: connections and address belong to it and die with it. */
    generation: shortText,
    address: addressSchema,
    /** Counted from before the request was sent: it includes the time that the answer was held. */
    leaseMs: milliseconds,
    /** When its lifetime ends (RFC 3339), where it does. */
    endsAt: shortText.optional(),
  }),
  z.object({
    status: z.literal('waiting'),
    workspace: shortText,
    phase: z.enum(phases),
    position: z.number().int().optional(),
    etaMs: milliseconds.optional(),
  }),
])
export type SeatAnswer = z.infer<typeof seatAnswerSchema>

/** A refusal: `application/problem+json` with the problem's own status. */
export const problemSchema = z.object({
  type: z.string(),
  code: problemCode,
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  limit: z.number().optional(),
  position: z.number().optional(),
  workspace: z.string().optional(),
})

export const identityFields = ['user', 'subject', 'groups', 'email'] as const
export const requestTokens = ['access', 'id'] as const

/** One way in, to a template or to one workspace, as a director needs it. */
const routeSchema = z.object({
  template: shortText,
  prefix: shortText,
  port: z.number().int().min(1).max(65_535),
  /** Host names without port, lower case: exact, or `*.` and a name for any one label before it. Empty: every host
   * that is nobody else's, where there is neither a path nor a port of its own. */
  hosts: z.array(shortText),
  /** What lies below that path (`/lab`, of any host unless `hosts` says which). `strip`: the workspace does not see it. */
  path: z.object({ prefix: shortText, strip: z.boolean() }).optional(),
  /** A port of the director that leads here alone, whatever the host. */
  listenPort: z.number().int().min(1).max(65_535).optional(),
  /** It leads to this one workspace alone. */
  workspace: shortText.optional(),
  /** Its workspaces are several people's and named by themselves: no person's name leads to one. */
  shared: z.boolean(),
  /** What answers with less than 500 when it is ready. */
  readyPath: shortText,
  /** Which of the gateway's identity headers reach the application, as they came. */
  passIdentity: z.array(z.enum(identityFields)),
  /** Which of the gateway's tokens do: `X-Forwarded-Access-Token`; `Authorization: Bearer` (the ID token). */
  passTokens: z.array(z.enum(requestTokens)),
  /** Method and path pattern, such as `GET /api/*`; `*` stands for any characters, the query does not count. */
  backgroundRequests: z.array(shortText),
  /** A response that the client drains at 64 KiB within this is in use. */
  connectionIdleMs: milliseconds,
})
export type Route = z.infer<typeof routeSchema>

const probeCommandSchema = z.object({
  workspace: shortText,
  generation: shortText,
  address: addressSchema,
  path: shortText,
  /** From receipt. */
  deadlineMs: milliseconds,
})
export type ProbeCommand = z.infer<typeof probeCommandSchema>

/** Asks an application whether it is busy, at its activity path. */
const activityCheckCommandSchema = probeCommandSchema
export type ActivityCheckCommand = z.infer<typeof activityCheckCommandSchema>

const revokeCommandSchema = z.object({ workspace: shortText, generation: shortText })
export type RevokeCommand = z.infer<typeof revokeCommandSchema>

/** The stream of commands, by event name. Unknown ones are passed over. `routes` is a whole snapshot each time,
 * and its first arrival says that the director is attached to every network it needs. */
export const commandSchemas = {
  routes: z.object({ routes: z.array(routeSchema) }),
  probe: probeCommandSchema,
  ask: activityCheckCommandSchema,
  revoke: revokeCommandSchema,
} as const

export type Command =
  | { readonly event: 'routes'; readonly data: { readonly routes: readonly Route[] } }
  | { readonly event: 'probe'; readonly data: ProbeCommand }
  | { readonly event: 'ask'; readonly data: ActivityCheckCommand }
  | { readonly event: 'revoke'; readonly data: RevokeCommand }

export const probeResultSchema = z.object({
  director: shortText,
  workspace: shortText,
  generation: shortText,
  reachable: z.boolean(),
  /** The HTTP status of the last try, where there was one. */
  status: z.number().int().optional(),
  ms: milliseconds,
})
export type ProbeResult = z.infer<typeof probeResultSchema>

export const activityCheckResultSchema = z.object({
  director: shortText,
  workspace: shortText,
  generation: shortText,
  /** Absent, both: it could not be asked, or its answer says nothing. */
  busy: z.boolean().optional(),
  lastActivityAgoMs: milliseconds.optional(),
})
export type ActivityCheckResult = z.infer<typeof activityCheckResultSchema>

export const activityReportSchema = z.object({
  director: shortText,
  seats: z
    .array(
      z.object({
        workspace: shortText,
        /** The container that the seat was granted; absent: the present one. */
        generation: shortText.optional(),
        user: userName,
        lastUseAgoMs: milliseconds,
        connections: z.number().int().nonnegative(),
      }),
    )
    .max(100_000),
})
export type ActivityReport = z.infer<typeof activityReportSchema>

/** A lease left out has ended. Counted from before the report was sent. */
export const activityAnswerSchema = z.object({
  leases: z.array(
    z.object({
      workspace: shortText,
      /** Whose seat it is; absent: everybody's whose seat there was reported. */
      user: userName.optional(),
      /** Absent: of the one generation of that workspace that the report named. */
      generation: shortText.optional(),
      leaseMs: milliseconds,
      /** Where it has one: it may be later than when the seat was granted. Absent: as it was. */
      endsAt: shortText.optional(),
    }),
  ),
})
export type ActivityAnswer = z.infer<typeof activityAnswerSchema>

/** `GET /.berth/status`, and the data of each `phase` event. */
export interface WorkspaceStatus {
  readonly template: string
  readonly workspace: string
  readonly phase: ShownPhase
  readonly position?: number
  readonly etaMs?: number
  readonly elapsedMs: number
  readonly endsAt?: string
  /** One more extension may be asked for, of this many milliseconds. */
  readonly extensionMs?: number
  /** It runs from an older description: a restart brings the present one. */
  readonly outdated?: boolean
  /** Which limit a queued one waits for. */
  readonly waitsFor?: ProblemCode
  readonly problem?: Pick<Problem, 'code' | 'title' | 'detail'>
}
