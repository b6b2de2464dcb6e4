// The outcomes of forwarding, and the hooks that are called meanwhile.
import type { ProblemCode } from '@berth/shared/problems'

/** Called as it happens. A caller that does not need an event, as for a background request, leaves its hook out. */
export interface ForwardHooks {
  /** Bytes of the request's body, or of a client's frame that is use, are on their way to the workspace. */
  onUse?(bytes: number): void
  /** The head of the final answer has come. */
  onAnswer?(): void
  /** The client has received this many bytes of the answer. */
  onDrained?(bytes: number): void
}

/** Bytes of bodies or frames: `bytesIn` from the client, `bytesOut` to it. */
export interface ForwardCounts {
  readonly bytesIn: number
  readonly bytesOut: number
}

/** No byte was sent, and nothing was read from or written to the client: another seat may be tried. */
export interface NotSent {
  readonly kind: 'not-sent'
  readonly cause: Error
}

/** The request may have reached the workspace, so the caller does not send it again. Nothing was written to the client yet. */
export interface Failed {
  readonly kind: 'failed'
  readonly code: Extract<
    ProblemCode,
    'workspace_unreachable' | 'answer_malformed' | 'workspace_timeout' | 'bad_request'
  >
  readonly cause: Error
}

/** The client went away; the workspace's connection is closed. */
export interface ClientGone {
  readonly kind: 'client-gone'
  /** If the answer had begun. */
  readonly status?: number
}

/** The answer broke off after it began: the client's connection ends without the end of the message. */
export interface Cut extends ForwardCounts {
  readonly kind: 'cut'
  readonly status: number
  readonly cause: Error
}

export type ForwardOutcome = ForwardCounts &
  ({ readonly kind: 'answered'; readonly status: number } | NotSent | Failed | Cut | ClientGone)

/** The deadline for the head of an answer has passed. */
export class AnswerTimeout extends Error {
  constructor() {
    super('the workspace took too long to answer')
    this.name = 'AnswerTimeout'
  }
}
