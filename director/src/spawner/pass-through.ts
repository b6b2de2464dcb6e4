// Berth's own paths and pages: passes requests of an identified person to the spawner, and its answers back unchanged.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { internalPaths, type Person } from '@berth/shared/contract'
import { requestIdHeader } from '@berth/shared/request-id'
import { forwardRequest } from '../forward/forward-request.ts'
import type { ForwardOutcome } from '../forward/outcome.ts'
import { isHopByHop } from '../headers/hop-by-hop.ts'
import { filterHeaders } from '../headers/raw-headers.ts'
import type { HeaderScrub, SpawnerContext } from '../headers/scrub.ts'
import type { GatewayProof } from '../identity/gateway.ts'
import type { Spawner } from './client.ts'

/** A request that passes to the spawner. */
export interface SpawnerRequest {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly expectContinue: boolean
  readonly person: Person
  readonly proof: GatewayProof
  readonly requestId: string
  /** Path and query as they came. */
  readonly target: string
}

export interface PassedRequest extends SpawnerRequest {
  readonly template: string
  readonly workspace: string | undefined
  /** The path prefix of the route. */
  readonly base: string
  /** For Berth's own paths: the target without that prefix. */
  readonly ownTarget: string
}

export interface PageRequest extends PassedRequest {
  /** A page loaded itself again, and its workspace did not serve that: the page that is the answer must not go on. */
  readonly unattended: boolean
}

export interface PassThrough {
  /** `/.berth/*`, with any method. The target has the path prefix of the route removed. */
  own(request: PassedRequest): Promise<ForwardOutcome>
  /** The page for a navigation whose workspace is not ready. */
  page(request: PageRequest): Promise<ForwardOutcome>
  /** Everything on the portal's host, with any method. */
  portal(request: SpawnerRequest): Promise<ForwardOutcome>
}

export interface PassThroughDeps {
  readonly spawner: Pick<Spawner, 'dispatcher' | 'authorization'>
  readonly headers: HeaderScrub
}

const pageMs = 5_000
const ownMs = 30_000

export function createPassThrough({ spawner, headers }: PassThroughDeps): PassThrough {
  function pass(
    request: SpawnerRequest,
    target: string,
    answerTimeoutMs: number,
    more: Pick<SpawnerContext, 'template' | 'workspace' | 'base' | 'target' | 'unattended'> = {},
  ): Promise<ForwardOutcome> {
    const { req, res, expectContinue, person, proof, requestId } = request
    const { remoteAddress } = req.socket
    const context = { remoteAddress, proof, person, requestId, ...more }
    return forwardRequest({
      req,
      res,
      dispatcher: spawner.dispatcher,
      target,
      requestId,
      headers: [...headers.toSpawner(req.rawHeaders, context), ...spawner.authorization],
      toClient: passable,
      answerTimeoutMs,
      expectContinue,
      hooks: {},
    })
  }

  return {
    own: (request) => pass(request, request.ownTarget, ownMs, routeOf(request)),
    page: (request) =>
      pass(request, internalPaths.page, pageMs, {
        ...routeOf(request),
        target: request.target,
        unattended: request.unattended,
      }),
    // The prefix keeps a request of a person from the paths that only directors may call.
    portal: (request) => pass(request, internalPaths.portal + request.target, ownMs),
  }
}

const routeOf = ({ template, workspace, base }: PassedRequest) => ({ template, workspace, base })

/** The director trusts the spawner's headers, except those that concern the connection. It adds the request id itself. */
function passable(rawHeaders: readonly string[]): string[] {
  return filterHeaders(rawHeaders, (name) => !isHopByHop(name) && name !== requestIdHeader)
}
