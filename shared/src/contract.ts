// Everything that director and spawner send to each other. It is all that they share about each other.
import { z } from 'zod'
import { parseUserName, type UserName } from './names.ts'
import { isProblemCode, type Problem, type ProblemCode } from './problems.ts'

export const internalPaths = {
  seats: '/internal/v1/seats',
  activity: '/internal/v1/activity',
  probeResults: '/internal/v1/probe-results',
  activityCheckResults: '/internal/v1/ask-results',
  useReports: '/internal/v1/use-reports',
  /** Which template a person may use who proved their name without the gateway. */
  logins: '/internal/v1/logins',
  /** Whether the SSH server in a container is the one that it was, before a director signs in there. */
  sshServers: '/internal/v1/ssh-servers',
  /** Whether a key that a person has registered admits them. */
  keys: '/internal/v1/keys',
  /** Sign-ins that begin in a terminal and are confirmed in a browser. */
  terminalSignIns: '/internal/v1/terminal-sign-ins',
  terminalSignIn: (code: string) => `/internal/v1/terminal-sign-ins/${encodeURIComponent(code)}`,
  /** An upgrade to `sessionProtocol`: one session in a container (`session-frames.ts`). */
  sessions: '/internal/v1/sessions',
  /** What counted as use of a workspace, for the command that reports it. */
  use: (workspace: string) => `/internal/v1/workspaces/${encodeURIComponent(workspace)}/use`,
  /** For the command that copies the files of a workspace. */
  hold: (workspace: string) => `/internal/v1/workspaces/${encodeURIComponent(workspace)}/hold`,
  /** The page for a navigation whose workspace is not ready: loading, failure, refusal or end of life. */
  page: '/internal/v1/page',
  /** Before the path of each request to the portal's host. */
  portal: '/internal/v1/portal',
  commands: (director: string) => `/internal/v1/directors/${encodeURIComponent(director)}/commands`,
} as const

/** What the connection of `internalPaths.sessions` is upgraded to. */
export const sessionProtocol = 'berth-session/1'

/** Paths with this prefix on a workspace's origin are Berth's own: the director passes them to the spawner unchanged. */
export const ownPathPrefix = '/.berth/'

/** The script that the director adds to the pages of an application (`Route.banner`). */
export const bannerPath = `${ownPathPrefix}banner.js`

/** Headers of requests that pass through to the spawner. Values are percent-encoded; a client's own are removed. */
export const passHeaders = {
  user: 'Berth-User',
  subject: 'Berth-Subject',
  /** Each group percent-encoded, joined by commas. */
  groups: 'Berth-Groups',
  email: 'Berth-Email',
  template: 'Berth-Template',
  /** Path and query of the navigation as it came, so that a page can lead back to it. */
  target: 'Berth-Target',
  /** The one workspace that the route leads to, if it leads to one alone. */
  workspace: 'Berth-Workspace',
  /** The path prefix of the route, below which `/.berth/` lies there; empty at the root of a host. */
  base: 'Berth-Base',
  /** `true` if a page loaded itself again, and no person waits for it. */
  unattended: 'Berth-Unattended',
} as const

/** The phase of the workspace, on answers of the product's own. */
export const phaseHeader = 'Berth-Phase'

/** To applications, on each request: when the workspace's lifetime ends (RFC 3339). Absent without an end. */
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
/** `absent`: the workspace does not exist now. */
export type ShownPhase = Phase | 'absent'
const shownPhaseSchema = z.enum([...phases, 'absent'])

const userName = z.string().transform((value, context): UserName => {
  const name = parseUserName(value)
  if (name !== undefined) return name
  context.addIssue({ code: 'custom', message: 'is not a user name', input: value })
  return z.NEVER
})
const problemCode = z.custom<ProblemCode>(
  (value) => typeof value === 'string' && isProblemCode(value),
)
/** The services accept no longer text from each other, so a longer one is refused where it comes in. */
export const longestText = 1024
export const mostGroups = 1000
export const longestMs = 366 * 86_400_000

const shortText = z.string().max(longestText)
const milliseconds = z.number().nonnegative().max(longestMs)

/** One verified identity. `subject` is empty if the gateway sends none. */
export const personSchema = z.object({
  name: userName,
  subject: shortText,
  groups: z.array(shortText).max(mostGroups),
  email: shortText.optional(),
})
export type Person = z.infer<typeof personSchema>

/** How an application of the web speaks. */
export const schemes = ['http', 'https'] as const
/** `tcp`: the bytes of a connection are passed on as they come. `none`: nothing has to listen, and what runs is ready. */
const anyScheme = z.enum([...schemes, 'tcp', 'none'])
export type Scheme = z.infer<typeof anyScheme>

/** Where an application is reached, and how it speaks there. `scheme`: absent is `http`; certificates are not verified,
 * because the address leads into the network of one container. */
const addressSchema = z.object({
  host: shortText,
  port: z.number().int().min(1).max(65_535),
  scheme: anyScheme.optional(),
})
export type Address = z.infer<typeof addressSchema>

export const seatRequestSchema = z.object({
  /** The director's host name: its short container id. */
  director: shortText.min(1),
  user: personSchema,
  template: shortText.min(1),
  /** The one workspace that the route leads to, if it leads to one alone. */
  workspace: shortText.optional(),
  protocol: z.enum(['http', 'ssh', 'tcp']),
  /** How long the answer may be held while the workspace gets ready. */
  waitMs: milliseconds,
  /** What the request may cause: nothing, the thaw of a frozen workspace, or a start. */
  start: z.enum(['no', 'wake', 'start']),
  /** Whether a person will see a page: it then shows the end of a lifetime once, before a new start. */
  navigation: z.boolean().default(false),
  /** A generation that was granted and could not be connected to. */
  unreachable: shortText.optional(),
  /** The id of the impersonation, if `user` is not the person who sends the request. */
  impersonation: shortText.optional(),
  /** For how long the person has waited at pages that load themselves again: a stop or a cancel since then counts. */
  waitedMs: milliseconds.optional(),
})
export type SeatRequest = z.infer<typeof seatRequestSchema>

export const seatAnswerSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('granted'),
    workspace: shortText,
    /** The container's id: connections and address belong to it and die with it. */
    generation: shortText,
    address: addressSchema,
    /** Counted from before the request was sent: it includes the time for which the answer was held. */
    leaseMs: milliseconds,
    /** When the workspace's lifetime ends (RFC 3339), if it has an end. */
    endsAt: shortText.optional(),
  }),
  z.object({
    status: z.literal('waiting'),
    workspace: shortText,
    phase: z.enum(phases),
    position: z.number().int().optional(),
    etaMs: milliseconds.optional(),
    /** How much of the image is there. */
    pullPercent: z.number().min(0).max(100).optional(),
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
  log: z.array(z.string()).optional(),
})

/** A person who proved their name by a key, or by where they connect from. Who they are was last told by the gateway. */
export const loginRequestSchema = z.object({
  director: shortText.min(1),
  user: userName,
  /** Absent: `ssh`. */
  protocol: z.enum(['ssh', 'tcp']).optional(),
  /** Absent: the only one that the person may use in this way. */
  template: shortText.optional(),
  /** Several templates are answered with their choices. Otherwise the login is refused, with their names. */
  offersChoice: z.boolean().optional(),
  /** A longer time after the last sign-in on the web, the login is refused. */
  maxAgeMs: milliseconds,
})
export type LoginRequest = z.infer<typeof loginRequestSchema>

/** One of several templates that a person may use. */
const loginChoiceSchema = z.object({
  template: shortText,
  title: shortText,
  description: z.string(),
  /** Of the person's workspace. */
  phase: shownPhaseSchema,
  /** Where several people use one workspace. */
  freeSeats: z.number().int().nonnegative().optional(),
})
export type LoginChoice = z.infer<typeof loginChoiceSchema>

export const loginAnswerSchema = z.union([
  z.object({ person: personSchema, template: shortText }),
  z.object({ person: personSchema, choices: z.array(loginChoiceSchema).min(2) }),
])
export type LoginAnswer = z.infer<typeof loginAnswerSchema>

const publicKeyText = z.string().max(8_192)

export const keyRequestSchema = z.object({
  director: shortText.min(1),
  user: userName,
  /** As it is on the wire, in base64. */
  key: publicKeyText,
  /** The client has signed with it. */
  proven: z.boolean(),
})
export type KeyRequest = z.infer<typeof keyRequestSchema>

export const keyAnswerSchema = z.object({ admits: z.boolean() })

/** A director is connected to the SSH server in a container, and has not signed in. After the answer 200 the server admits
 * the director. */
export const sshServerRequestSchema = z.object({
  director: shortText.min(1),
  workspace: shortText,
  generation: shortText,
  /** They have a seat in the workspace. */
  user: userName,
  /** That the server has proved, as it is on the wire, in base64. */
  hostKey: publicKeyText,
  /** By which the director signs in, in the same form. */
  key: publicKeyText,
})
export type SshServerRequest = z.infer<typeof sshServerRequestSchema>

/** A client without a key that is known asks the person to confirm in a browser that they began this sign-in. */
export const terminalSignInRequestSchema = z.object({
  director: shortText.min(1),
  user: userName,
  /** Of the client. */
  address: shortText,
  /** What the client calls itself. */
  program: shortText,
  /** The first key that the client offered: its type and base64. */
  key: publicKeyText.optional(),
})
export type TerminalSignInRequest = z.infer<typeof terminalSignInRequestSchema>

/** The page on which the person confirms, and for how long. */
export const terminalSignInSchema = z.object({
  code: shortText,
  url: shortText,
  lastsMs: milliseconds,
})
export type TerminalSignInAnswer = z.infer<typeof terminalSignInSchema>

/** The answer to `GET`, which is held for up to `terminalSignInHoldMs`. `gone`: it is over. */
export const terminalSignInStateSchema = z.object({
  state: z.enum(['waiting', 'allowed', 'refused', 'gone']),
})
export type TerminalSignInState = z.infer<typeof terminalSignInStateSchema>['state']
export const terminalSignInHoldMs = 20_000

const terminalSide = z.number().int().min(1).max(10_000)
/** A port of the container's own loopback address, or the path of a unix socket in it. */
const sessionTargetSchema = z.union([
  z.object({ port: z.number().int().min(0).max(65_535) }),
  z.object({ path: z.string().regex(/^\/[^\0,:!"'\\]{1,100}$/) }),
])
export type SessionTarget = z.infer<typeof sessionTargetSchema>
const listenerId = z.string().regex(/^[0-9a-f]{16}$/)

/** What a session runs. The template says which shell runs, and as which user. */
const sessionPurposeSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('shell') }),
  z.object({ type: z.literal('command'), command: z.string().max(128 * 1024) }),
  /** A server of the SFTP protocol. */
  z.object({ type: z.literal('files') }),
  /** Its input and output are those of a connection in the container. */
  z.object({ type: z.literal('connect'), to: sessionTargetSchema }),
  /** Accepts connections in the container; each waits until a session joins it. */
  z.object({ type: z.literal('listen'), at: sessionTargetSchema, as: listenerId }),
  z.object({ type: z.literal('join'), as: listenerId, number: z.number().int().positive() }),
])
export type SessionPurpose = z.infer<typeof sessionPurposeSchema>

/** The payload of the first frame of a session. */
export const sessionOrderSchema = z.object({
  director: shortText.min(1),
  workspace: shortText,
  generation: shortText,
  /** They have a seat in the workspace. */
  user: userName,
  purpose: sessionPurposeSchema,
  environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/), shortText),
  terminal: z
    .object({
      columns: terminalSide,
      rows: terminalSide,
      /** Words of stty(1). */
      modes: z
        .array(z.string().regex(/^-?[a-z0-9]{1,10}$/))
        .max(128)
        .optional(),
    })
    .optional(),
})
export type SessionOrder = z.infer<typeof sessionOrderSchema>

export const identityFields = ['user', 'subject', 'groups', 'email'] as const
export const requestTokens = ['access', 'id'] as const

/** Method and path pattern, such as `GET /api/*`; `*` stands for any characters, `{name}` for one segment. A pattern without a
 * query is compared with the path alone. */
const backgroundRequestSchema = z.union([
  shortText,
  /** Only with a body of at most that many bytes. */
  z.object({ request: shortText, maxBytes: z.number().int().nonnegative() }),
])
export type BackgroundRequest = z.infer<typeof backgroundRequestSchema>

/** Frames that a page sends by itself: all that is set has to hold. */
const quietFramesSchema = z.object({
  /** The pattern of the handshake's path. */
  path: shortText,
  /** The first bytes of the payload, in hexadecimal. */
  prefix: shortText.optional(),
  /** The payload is at most that long. */
  maxBytes: z.number().int().nonnegative().optional(),
  /** One frame in each such time. */
  periodMs: milliseconds.optional(),
  /** They answer this message of the server, which comes in each period. The director says it for a frozen workspace. */
  answers: z.union([shortText, z.object({ hex: shortText })]).optional(),
})
export type QuietFrames = z.infer<typeof quietFramesSchema>

/** Who connects to a template that is reached by TCP. */
const tcpSchema = z.object({
  /** The networks from which each person connects. No address is in the networks of two people. */
  sources: z.array(z.object({ user: userName, networks: z.array(shortText) })),
  /** The edge tells the name of the person: that of the certificate of their client. */
  certificates: z.boolean(),
  /** Every other client is a guest: one for each address, or one for each connection. Absent: it is refused. */
  guestsBy: z.enum(['address', 'connection']).optional(),
})
export type TcpRoute = z.infer<typeof tcpSchema>

/** An SSH server in the container. */
const sshServerSchema = z.object({
  /** Whom sessions sign in as. */
  user: shortText,
  port: z.number().int().min(1).max(65_535),
})
export type SshServer = z.infer<typeof sshServerSchema>

/** A page sets it to `true` on a request that a person asked for: the request is use, and starts the workspace. */
export const startHeader = 'Berth-Start'

/** An administrator has opened a workspace as its owner. The route that has it serves that administrator alone. */
const impersonationSchema = z.object({
  id: shortText,
  by: z.object({ name: userName, subject: shortText }),
  /** Who is an administrator: checked at each request. */
  administrators: z.object({ group: shortText, users: z.array(userName) }),
  /** Whom the workspace sees. */
  person: personSchema,
  /** From the first time that the director hears of it; it ends earlier when the route is gone. */
  lastsMs: milliseconds,
})
export type RouteImpersonation = z.infer<typeof impersonationSchema>

/** One way in, to a template or to one workspace, as a director needs it. */
const routeSchema = z.object({
  template: shortText,
  prefix: shortText,
  port: z.number().int().min(1).max(65_535),
  /** Host names without port, lower case: exact, or `*.` and a name for any one label before it. Empty, without a path
   * and a listen port: every host that no other route names. */
  hosts: z.array(shortText),
  /** The route has the paths below this one (`/lab`; on any host unless `hosts` names some). `strip`: it is removed. */
  path: z.object({ prefix: shortText, strip: z.boolean() }).optional(),
  /** A port of the director that leads to this route alone, for every host. */
  listenPort: z.number().int().min(1).max(65_535).optional(),
  /** The connections to the listen port are passed on as bytes, and nothing else leads to the template. Absent: HTTP. */
  tcp: tcpSchema.optional(),
  /** Sessions by SSH go to this server. Absent: the spawner runs them in the container. */
  sshServer: sshServerSchema.optional(),
  /** The groups that access and limits of the template depend on. Absent: not known yet. */
  groups: z.array(shortText).optional(),
  /** Path and query, below the prefix, to which a navigation to the root of the route is redirected. */
  open: shortText.optional(),
  /** The route leads to this one workspace alone. */
  workspace: shortText.optional(),
  /** Several people share one workspace. Its name is not derived from a person's name. */
  shared: z.boolean(),
  /** The path that answers with a status below 500 when the workspace is ready. */
  readyPath: shortText,
  /** How the application speaks; absent: `http`. */
  scheme: anyScheme.optional(),
  /** Which of the gateway's identity headers reach the application, as they came. */
  passIdentity: z.array(z.enum(identityFields)),
  /** Which of the gateway's tokens reach it: `X-Forwarded-Access-Token`; `Authorization: Bearer` (the ID token). */
  passTokens: z.array(z.enum(requestTokens)),
  backgroundRequests: z.array(backgroundRequestSchema),
  /** Which frames of a WebSocket's client are no use. Absent: none, unless the handshake is a background request. */
  quietFrames: z.array(quietFramesSchema).optional(),
  /** A page's own request starts the workspace, unless it is a background request. Absent: it does not. */
  startsByRequest: z.boolean().optional(),
  /** The pages of the application get a script of Berth. Absent: they do not. */
  banner: z.boolean().optional(),
  /** People without a sign-in may use the template. Absent: they may not. */
  guests: z.boolean().optional(),
  /** A response is in use while the client drains 64 KiB of it within this time. */
  connectionIdleMs: milliseconds,
  impersonation: impersonationSchema.optional(),
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

/** Has a director ask an application at its activity path whether it is busy. The event is named `ask`. */
const activityCheckCommandSchema = probeCommandSchema
export type ActivityCheckCommand = z.infer<typeof activityCheckCommandSchema>

const revokeCommandSchema = z.object({
  workspace: shortText,
  generation: shortText,
  /** Why Berth stops it. Absent: it ended by itself, or is not where it was. */
  reason: shortText.optional(),
})
export type RevokeCommand = z.infer<typeof revokeCommandSchema>

const useCommandSchema = z.object({
  workspace: shortText,
  /** Comes back with the report. */
  question: shortText,
})
export type UseCommand = z.infer<typeof useCommandSchema>

/** What kept a workspace in use: requests and frames that are alike. */
export const useSchema = z.object({
  /** `download`: a client took 64 KiB of an answer. */
  what: z.enum(['request', 'frame', 'download']),
  method: shortText,
  /** As the application sees it, without the query. */
  path: shortText,
  count: z.number().int().positive(),
  /** The sizes of the smallest and of the largest: of the body, of the frame, or of what was taken. */
  fewestBytes: z.number().int().nonnegative(),
  mostBytes: z.number().int().nonnegative(),
  firstAgoMs: milliseconds,
  lastAgoMs: milliseconds,
})
export type Use = z.infer<typeof useSchema>
export const mostUses = 50

export const useReportSchema = z.object({
  director: shortText,
  question: shortText,
  uses: z.array(useSchema).max(mostUses),
})
export type UseReport = z.infer<typeof useReportSchema>

/** The commands of the stream, by event name. A director skips unknown ones. `routes` is a whole snapshot each time. Its
 * first arrival says that the director is attached to every network that it needs. */
export const commandSchemas = {
  routes: z.object({
    routes: z.array(routeSchema),
    /** Groups that decide something beside the templates: who is an administrator. */
    groups: z.array(shortText).optional(),
  }),
  probe: probeCommandSchema,
  ask: activityCheckCommandSchema,
  revoke: revokeCommandSchema,
  use: useCommandSchema,
} as const

export type Command =
  | {
      readonly event: 'routes'
      readonly data: { readonly routes: readonly Route[]; readonly groups?: readonly string[] }
    }
  | { readonly event: 'probe'; readonly data: ProbeCommand }
  | { readonly event: 'ask'; readonly data: ActivityCheckCommand }
  | { readonly event: 'revoke'; readonly data: RevokeCommand }
  | { readonly event: 'use'; readonly data: UseCommand }

/** What a request to an application met instead of an answer that counts. */
export const findings = [
  /** The connection was refused: nothing listens on the port at that address. */
  'refused',
  /** The connection was not accepted in time. */
  'unreachable',
  /** The connection was accepted, and no answer came in time. */
  'silent',
  /** The application closed the connection without an answer, or in the middle of one. */
  'closed',
  /** The application speaks TLS on this port, and the request was plain HTTP. */
  'tls',
  /** The application does not speak TLS on this port, and the request needed it. */
  'no_tls',
  /** The headers of its answer are larger than the director accepts. */
  'oversized',
  /** The application answered with something else than HTTP. */
  'not_http',
  /** It answered with a status that does not count; `status` has it. */
  'status',
] as const
export type Finding = (typeof findings)[number]

/** The same for the activity path. `not_json`: the body is not JSON. `not_activity`: the JSON has another form. */
export const activityFindings = [...findings, 'not_json', 'not_activity'] as const
export type ActivityFinding = (typeof activityFindings)[number]

export const probeResultSchema = z.object({
  director: shortText,
  workspace: shortText,
  generation: shortText,
  reachable: z.boolean(),
  /** What the last try met, unless the workspace was reached. */
  finding: z.enum(findings).optional(),
  /** The HTTP status of the last try, if there was an answer. */
  status: z.number().int().optional(),
  ms: milliseconds,
})
export type ProbeResult = z.infer<typeof probeResultSchema>

export const activityCheckResultSchema = z.object({
  director: shortText,
  workspace: shortText,
  generation: shortText,
  /** Both are absent if the application could not be asked, or its answer reports nothing. */
  busy: z.boolean().optional(),
  lastActivityAgoMs: milliseconds.optional(),
  /** Why both are absent. */
  finding: z.enum(activityFindings).optional(),
  /** The HTTP status of the answer, if that is why. */
  status: z.number().int().optional(),
})
export type ActivityCheckResult = z.infer<typeof activityCheckResultSchema>

export const activityReportSchema = z.object({
  director: shortText,
  seats: z
    .array(
      z.object({
        workspace: shortText,
        /** The container that the seat was granted; absent: the current one. */
        generation: shortText.optional(),
        user: userName,
        lastUseAgoMs: milliseconds,
        connections: z.number().int().nonnegative(),
      }),
    )
    .max(100_000),
})
export type ActivityReport = z.infer<typeof activityReportSchema>

/** A lease that is left out has ended. Leases count from before the report was sent. Zero: the lease is not renewed, and
 * is good until it expires. */
export const activityAnswerSchema = z.object({
  leases: z.array(
    z.object({
      workspace: shortText,
      /** The holder of the seat; absent: every reported seat of the workspace. */
      user: userName.optional(),
      /** Absent: the one generation of that workspace in the report. */
      generation: shortText.optional(),
      leaseMs: milliseconds,
      /** When the lifetime ends: it may be later than it was when the seat was granted. Absent: unchanged. */
      endsAt: shortText.optional(),
      /** After this time without use the seat ends, or its workspace. Absent: neither ends by that. */
      unusedEndsInMs: milliseconds.optional(),
      /** The person has no seat there any more: their connections are to be closed. */
      seatEnded: z.boolean().optional(),
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
  /** The person may request one more extension, of this many milliseconds. */
  readonly extensionMs?: number
  /** The workspace runs with an older version of its template: a restart brings the current one. */
  readonly outdated?: boolean
  /** The limit that a queued workspace waits for. */
  readonly waitsFor?: ProblemCode
  readonly problem?: Pick<Problem, 'code' | 'title' | 'detail'>
}
