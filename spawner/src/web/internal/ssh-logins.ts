// What directors ask about clients of SSH that have no key in the folder of the administrator: keys that people have
// registered, sign-ins that a person confirms in a browser, and the SSH servers in workspaces.
import { json, Router, type Response } from 'express'
import { abortAfter } from '@berth/shared/deadline'
import {
  internalPaths,
  keyRequestSchema,
  sshServerRequestSchema,
  terminalSignInHoldMs,
  terminalSignInRequestSchema,
  type TerminalSignInAnswer,
  type TerminalSignInState,
} from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { BerthError } from '@berth/shared/problems'
import { readPublicKey } from '@berth/shared/public-key'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { HostKeys } from '../../ssh/host-keys.ts'
import type { RegisteredKeys } from '../../ssh/keys.ts'
import { signInLastsMs, type TerminalSignIns } from '../../ssh/terminal-sign-ins.ts'
import { sendJson } from '../http/answers.ts'
import { hangUpSignal, parseBody } from '../http/requests.ts'

export const terminalSignInPath = decodeURIComponent(internalPaths.terminalSignIn(':code'))

const admitMs = 12_000

export function createSshLogins(deps: {
  readonly workspaces: Pick<Workspaces, 'admitDirector'>
  readonly hostKeys: HostKeys
  readonly keys: RegisteredKeys
  readonly terminalSignIns: TerminalSignIns
  /** Absent: there is no page on which a person could confirm. */
  readonly portalUrl: string | undefined
  readonly log: Log
}): Router {
  const { workspaces, hostKeys, keys, terminalSignIns, portalUrl, log } = deps
  const router = Router()
  const body = json({ limit: '16kb' })

  router.post(internalPaths.keys, body, (request, response) => {
    const { user, key, proven } = parseBody(keyRequestSchema, request.body)
    const admits = keys.admits(user, Buffer.from(key, 'base64'), proven)
    sendJson(response, 200, { admits })
  })

  router.post(internalPaths.sshServers, body, async (request, response) => {
    const asked = parseBody(sshServerRequestSchema, request.body)
    const key = readPublicKey('ssh-ed25519', asked.key)
    if (typeof key === 'string') throw new BerthError('bad_request', `The director ${key}.`)
    const admitted = await workspaces.admitDirector(
      { ...asked, key: key.blob.toString('base64') },
      abortAfter(admitMs),
    )
    if (!admitted.ok) throw new BerthError(admitted.failure.code, admitted.failure.detail)
    hostKeys.check(asked)
    sendJson(response, 200, {})
  })

  router.post(internalPaths.terminalSignIns, body, (request, response) => {
    const { user, address, program, key } = parseBody(terminalSignInRequestSchema, request.body)
    if (portalUrl === undefined)
      throw new BerthError('sign_in_needed', 'This site has no page for a sign-in from a terminal.')
    const { code } = terminalSignIns.begin({ user, address, program, key })
    log.info({ user, address }, 'sign-in from a terminal begun')
    const url = new URL(`/ssh/${code}`, portalUrl).href
    sendJson(response, 201, { code, url, lastsMs: signInLastsMs } satisfies TerminalSignInAnswer)
  })

  router
    .route(terminalSignInPath)
    .get(async (request, response) => {
      const signal = AbortSignal.any([hangUpSignal(response), abortAfter(terminalSignInHoldMs)])
      const state = await terminalSignIns.outcome(codeIn(request), signal)
      sendState(response, state)
    })
    .delete((request, response) => {
      terminalSignIns.end(codeIn(request))
      sendState(response, 'gone')
    })

  return router
}

const codeIn = ({ params }: { params: Record<string, unknown> }): string => String(params['code'])

function sendState(response: Response, state: TerminalSignInState): void {
  if (!response.destroyed) sendJson(response, 200, { state })
}
