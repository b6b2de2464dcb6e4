// Every reason why Berth refuses or fails: its code, status and title, and the one error class that carries it.

const problems = {
  bad_request: [400, 'The request is malformed'],
  identity_missing: [401, 'The request does not say who you are'],
  gateway_untrusted: [403, 'The request did not come through the gateway'],
  identity_invalid: [403, 'The user name cannot be used'],
  identity_ambiguous: [403, 'The request names more than one user'],
  identity_reused: [403, 'This user name belonged to another person before'],
  identity_renamed: [403, 'Your user name has changed'],
  origin_refused: [403, 'The request came from another site'],
  cookie_missing: [401, 'This address needs cookies'],
  sign_in_needed: [403, 'Please sign in on the web first'],
  template_forbidden: [403, 'You have no access to this'],
  not_admin: [403, 'For administrators only'],
  template_unknown: [404, 'Nothing is offered at this address'],
  headers_too_long: [431, 'Your browser sends too much with each request'],
  workspace_unknown: [404, 'There is no such workspace'],
  method_refused: [405, 'This method is not served'],
  conflict: [409, 'Not possible at the moment'],
  name_taken: [409, 'Something else has the name of the workspace'],
  limit_user: [429, 'You have as many workspaces as one person may have'],
  limit_guests_address: [429, 'Too many guests from your network'],
  limit_connections: [429, 'Too many connections at once'],
  start_failed: [502, 'The workspace could not be started'],
  start_timeout: [502, 'The workspace did not become ready in time'],
  image_missing: [502, 'The image of the workspace is not available'],
  workspace_unreachable: [502, 'The workspace does not answer'],
  host_key_changed: [502, 'The SSH server of the workspace has another key'],
  answer_malformed: [502, 'The answer of the workspace is malformed'],
  limit_total: [503, 'All places are taken'],
  limit_guests: [503, 'There are as many guests as there may be'],
  limit_template: [503, 'All places for this kind of workspace are taken'],
  limit_memory: [503, 'All memory for workspaces is in use'],
  template_closed: [503, 'Closed for new starts'],
  maintenance: [503, 'Nothing new is started at the moment'],
  queue_full: [503, 'The queue is full'],
  starting: [503, 'The workspace is starting'],
  workspace_idle: [503, 'The workspace is not in use'],
  workspace_stopped: [503, 'The workspace is stopped'],
  engine_unreachable: [503, 'The container engine does not answer'],
  history_unavailable: [503, 'The history cannot be read at the moment'],
  spawner_unreachable: [503, 'Workspaces cannot be started at the moment'],
  shutting_down: [503, 'This server is shutting down'],
  workspace_timeout: [504, 'The workspace took too long to answer'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemCode = keyof typeof problems

export const problemCodes = Object.keys(problems) as readonly ProblemCode[]

/** What a problem may carry besides its code and text. */
export interface ProblemExtras {
  readonly limit?: number
  readonly position?: number
  readonly workspace?: string
  /** The last lines of a container that failed, for a person who sees no page. */
  readonly log?: readonly string[]
}

/** RFC 9457, as `application/problem+json`. */
export interface Problem extends ProblemExtras {
  readonly type: string
  readonly code: ProblemCode
  readonly title: string
  readonly status: number
  readonly detail: string
}

export const problemMediaType = 'application/problem+json'

export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(problems, text)
}

export function problemStatus(code: ProblemCode): number {
  return problems[code][0]
}

export function problemTitle(code: ProblemCode): string {
  return problems[code][1]
}

/**
 * @param base the portal's URL (or the public one), under which `/problems/<code>` explains the code
 * @param detail in plain words, for the person who sees it
 */
export function createProblem(
  base: string | undefined,
  code: ProblemCode,
  detail: string,
  extras: ProblemExtras = {},
): Problem {
  const [status, title] = problems[code]
  const type = `${(base ?? '').replace(/\/+$/, '')}/problems/${code}`
  return { type, code, title, status, detail, ...extras }
}

/** The one error class: an expected refusal that has to be thrown, or a failure with its cause. */
export class BerthError extends Error {
  readonly code: ProblemCode
  readonly details: ProblemExtras

  constructor(
    code: ProblemCode,
    detail: string,
    options: { cause?: unknown; details?: ProblemExtras } = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'BerthError'
    this.code = code
    this.details = options.details ?? {}
  }
}
