// Berth's own paths and pages: passes requests of an identified person to the spawner, and its answers back unchanged.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { internalPaths, type Person } from '@berth/shared/contract'
import { forwardRequest } from '../forward/forward-request.ts'
import type { ForwardOutcome } from '../forward/outcome.ts'
import { isHopByHop } from '../headers/hop-by-hop.ts'
import { filterHeaders } from '../headers/raw-headers.ts'
import type { HeaderScrub } from '../headers/scrub.ts'
import type { GatewayProof } from '../identity/gateway.ts'
import type { Spawner } from './client.ts'

export interface PassedRequest {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly expectContinue: boolean
  readonly person: Person
  readonly proof: GatewayProof
  readonly template: string
  readonly workspace: string | undefined
  /** Path and query as they came. */
  readonly target: string
  /** The path prefix of the route. */
  readonly base: string
  /** For Berth's own paths: the target without that prefix. */
  readonly ownTarget: string
}

export interface PassThrough {
  /** `/.berth/*`, with any method. The target has the path prefix of the route removed. */
  own(request: PassedRequest): Promise<ForwardOutcome>
  /** The page for a navigation whose workspace is not ready. */
  page(request: PassedRequest): Promise<ForwardOutcome>
}

export interface PassThroughDeps {
  readonly spawner: Pick<Spawner, 'dispatcher' | 'authorization'>
  readonly headers: HeaderScrub
}

const pageMs = 5_000
const ownMs = 30_000

export function createPassThrough({ spawner, headers }: PassThroughDeps): PassThrough {
  function pass(
    request: PassedRequest,
    target: string,
    answerTimeoutMs: number,
    navigation: { target?: string },
  ): Promise<ForwardOutcome> {
    const { req, res, expectContinue, person, proof, template, workspace, base } = request
    const remoteAddress = req.socket.remoteAddress
    const context = { remoteAddress, proof, person, template, workspace, base, ...navigation }
    return forwardRequest({
      req,
      res,
      dispatcher: spawner.dispatcher,
      target,
      headers: [...headers.toSpawner(req.rawHeaders, context), ...spawner.authorization],
      toClient: withoutHopByHop,
      answerTimeoutMs,
      expectContinue,
      hooks: {},
    })
  }

  return {
    own: (request) => pass(request, request.ownTarget, ownMs, {}),
    page: (request) => pass(request, internalPaths.page, pageMs, { target: request.target }),
  }
}

/** The director trusts the spawner's headers, except those that concern the connection. */
function withoutHopByHop(rawHeaders: readonly string[]): string[] {
  return filterHeaders(rawHeaders, (name) => !isHopByHop(name))
}
