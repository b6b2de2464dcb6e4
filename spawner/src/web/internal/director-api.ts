// The requests of directors: seats, activity and probe results. The contract defines their schemas. The loop decides.
import { json, Router, type Response } from 'express'
import {
  activityReportSchema,
  activityCheckResultSchema,
  internalPaths,
  loginRequestSchema,
  probeResultSchema,
  seatRequestSchema,
  useReportSchema,
  type Person,
  type SeatAnswer,
  type SeatRequest,
} from '@berth/shared/contract'
import { bounded, type Log } from '@berth/shared/log'
import type { Clock } from '@berth/shared/clock'
import type { WorkspaceName } from '@berth/shared/names'
import {
  BerthError,
  createProblem,
  type ProblemCode,
  type ProblemExtras,
} from '@berth/shared/problems'
import { z } from 'zod'
import type { Impersonations } from '../../impersonations.ts'
import type { SignIns } from '../../loop/sign-ins.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { SeatRefusal } from '../../policy/domain.ts'
import { sendJson, sendProblem } from '../http/answers.ts'
import { plainText } from '../http/plain-text.ts'
import { requestIdOf } from '../http/request-ids.ts'
import { hangUpSignal, parseBody } from '../http/requests.ts'
import type { WebSettings } from '../http/settings.ts'
import { answerLogin } from './logins.ts'

export const usePath = decodeURIComponent(internalPaths.use(':name'))
export const holdPath = decodeURIComponent(internalPaths.hold(':name'))
const holdSchema = z.object({ ms: z.number().int().positive() })

export function createDirectorApi(deps: {
  readonly workspaces: Workspaces
  /** Absent: there are none. */
  readonly impersonations?: Impersonations | undefined
  readonly settings: WebSettings
  readonly signIns: SignIns
  readonly clock: Clock
  readonly log: Log
}): Router {
  const { workspaces, impersonations, settings, signIns, clock, log } = deps
  const router = Router()

  router.post(internalPaths.seats, json({ limit: '1mb' }), async (request, response) => {
    const seatRequest = permitted(parseBody(seatRequestSchema, request.body))
    // Of every other protocol, who the person is comes from here. An impersonated person was not there.
    if (seatRequest.protocol === 'http' && seatRequest.impersonation === undefined)
      signIns.note(seatRequest.user)
    const requestId = requestIdOf(response)
    const answer = await workspaces.requestSeat(seatRequest, hangUpSignal(response), requestId)
    noteAnswer(log, requestId, seatRequest, answer)
    if (response.destroyed) return
    sendSeatAnswer(response, answer, settings.problemBase, seatRequest.protocol)
  })

  router.post(internalPaths.logins, json({ limit: '16kb' }), (request, response) => {
    const asked = parseBody(loginRequestSchema, request.body)
    const known = {
      state: workspaces.state(),
      signIn: signIns.last(asked.user),
      now: clock.wall(),
      publicUrl: settings.publicUrl,
      phaseOf: (person: Person, template: string) => workspaces.view(person, template).status.phase,
    }
    sendJson(response, 200, answerLogin(asked, known))
  })

  router.post(internalPaths.activity, json({ limit: '16mb' }), async (request, response) => {
    const report = parseBody(activityReportSchema, request.body)
    const leases = await workspaces.reportActivity(report.director, report.seats)
    sendJson(response, 200, { leases })
  })

  router.post(internalPaths.probeResults, json({ limit: '16kb' }), (request, response) => {
    workspaces.reportProbe(parseBody(probeResultSchema, request.body))
    response.status(204).end()
  })

  router.post(internalPaths.activityCheckResults, json({ limit: '16kb' }), (request, response) => {
    workspaces.reportActivityCheck(parseBody(activityCheckResultSchema, request.body))
    response.status(204).end()
  })

  router.post(internalPaths.useReports, json({ limit: '256kb' }), (request, response) => {
    workspaces.reportUses(parseBody(useReportSchema, request.body))
    response.status(204).end()
  })

  /**
   * An impersonation wakes the workspace for which it was opened, and starts none.
   *
   * @throws BerthError if it has ended
   */
  function permitted(asked: SeatRequest): SeatRequest {
    if (asked.impersonation === undefined) return asked
    const found = impersonations?.all().find(({ id }) => id === asked.impersonation)
    if (found?.workspace !== asked.workspace || found?.person.name !== asked.user.name)
      throw new BerthError('not_admin', 'The time for which you opened this workspace is over.')
    return { ...asked, navigation: false, start: asked.start === 'no' ? 'no' : 'wake' }
  }

  // Not for directors: the command `idle-report` runs beside the spawner, and has the same secret.
  router.get(usePath, async (request, response) => {
    const { phase, name } = known(workspaces.state().workspaces.get(nameIn(request)))
    sendJson(response, 200, { phase, uses: await workspaces.usesOf(name) })
  })

  // Nor are these: the command `backup-home` copies the files of a workspace.
  router
    .route(holdPath)
    .post(json({ limit: '1kb' }), (request, response) => {
      const { ms } = parseBody(holdSchema, request.body)
      sendJson(response, 200, known(workspaces.hold(nameIn(request), ms)))
    })
    .delete((request, response) => {
      sendJson(response, 200, known(workspaces.endHold(nameIn(request))))
    })

  return router
}

const mostLogLines = 10

const nameIn = ({ params }: { params: Record<string, unknown> }): WorkspaceName =>
  params['name'] as WorkspaceName

function known<T>(found: T | undefined): T {
  if (found !== undefined) return found
  throw new BerthError('workspace_unknown', 'There is no workspace with this name.')
}

/** The director logs the request itself. */
function noteAnswer(
  log: Log,
  requestId: string,
  { user, template, start }: SeatRequest,
  answer: SeatAnswer | SeatRefusal,
): void {
  const { status, workspace } = answer
  const code = answer.status === 'refused' ? answer.failure.code : undefined
  const asked = { requestId, user: bounded(user.name), template: bounded(template), start }
  log.debug({ ...asked, workspace, status, code }, 'seat requested')
}

function sendSeatAnswer(
  response: Response,
  answer: SeatAnswer | SeatRefusal,
  base: string | undefined,
  protocol: SeatRequest['protocol'],
): void {
  switch (answer.status) {
    case 'granted':
      sendJson(response, 200, answer)
      return
    case 'waiting':
      sendJson(response, 202, answer)
      return
    case 'refused':
      sendProblem(response, createProblem(base, ...problemOf(answer, protocol)))
  }
}

function problemOf(
  refusal: SeatRefusal,
  protocol: SeatRequest['protocol'],
): [code: ProblemCode, detail: string, extras: ProblemExtras] {
  const { failure, workspace, limit, position } = refusal
  return [
    failure.code,
    plainText(failure.detail, 1_000),
    {
      ...(workspace === undefined ? {} : { workspace }),
      ...(limit === undefined ? {} : { limit }),
      ...(position === undefined ? {} : { position }),
      // A browser shows a page that has them.
      ...(protocol === 'http' || failure.log === undefined
        ? {}
        : { log: failure.log.slice(-mostLogLines).map((line) => plainText(line, 300)) }),
    },
  ]
}
