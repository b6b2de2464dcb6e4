// What directors say to the spawner: seats, activity, probe results. Shapes are the contract's, decisions the loop's.
import { json, Router, type Request, type Response } from 'express'
import type { Clock } from '@berth/shared/clock'
import {
  activityReportSchema,
  activityCheckResultSchema,
  internalPaths,
  probeResultSchema,
  seatRequestSchema,
  type SeatAnswer,
} from '@berth/shared/contract'
import {
  BerthError,
  createProblem,
  type ProblemCode,
  type ProblemExtras,
} from '@berth/shared/problems'
import { z } from 'zod'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { SeatReply } from '../../policy/domain.ts'
import { sendJson, sendProblem } from '../http/answers.ts'
import { plainText } from '../http/plain-text.ts'
import type { WebSettings } from '../http/settings.ts'

export function createDirectorApi(
  workspaces: Workspaces,
  settings: WebSettings,
  clock: Clock,
): Router {
  const router = Router()

  router.post(internalPaths.seats, json({ limit: '1mb' }), async (request, response) => {
    const question = parse(seatRequestSchema, request.body)
    const reply = await workspaces.askSeat(question, hangUpSignal(response))
    if (response.destroyed) return
    answerSeat(response, shownReply(reply, clock), settings.problemBase)
  })

  router.post(internalPaths.activity, json({ limit: '16mb' }), async (request, response) => {
    const report = parse(activityReportSchema, request.body)
    const leases = await workspaces.reportActivity(report.director, report.seats)
    sendJson(response, 200, { leases })
  })

  router.post(internalPaths.probeResults, json({ limit: '16kb' }), (request, response) => {
    workspaces.answerProbe(parse(probeResultSchema, request.body))
    response.status(204).end()
  })

  router.post(internalPaths.activityCheckResults, json({ limit: '16kb' }), (request, response) => {
    workspaces.answerAsk(parse(activityCheckResultSchema, request.body))
    response.status(204).end()
  })

  return router
}

type Refusal = Extract<SeatReply, { status: 'refused' }>

/** Aborts when the asker hangs up before the answer. */
function hangUpSignal(response: Response): AbortSignal {
  const hangUp = new AbortController()
  if (response.destroyed) hangUp.abort()
  else response.once('close', () => hangUp.abort())
  return hangUp.signal
}

/** Times that leave the process are those of the wall clock. */
function shownReply(reply: SeatReply, clock: Clock): SeatAnswer | Refusal {
  if (reply.status !== 'granted') return reply
  const { endsInMs, ...granted } = reply
  if (endsInMs === undefined) return granted
  return { ...granted, endsAt: new Date(clock.wall() + endsInMs).toISOString() }
}

function answerSeat(
  response: Response,
  answer: SeatAnswer | Refusal,
  base: string | undefined,
): void {
  switch (answer.status) {
    case 'granted':
      sendJson(response, 200, answer)
      return
    case 'waiting':
      sendJson(response, 202, answer)
      return
    case 'refused':
      sendProblem(response, createProblem(base, ...refusalWords(answer)))
  }
}

function refusalWords(reply: Refusal): [code: ProblemCode, detail: string, extras: ProblemExtras] {
  const { failure, workspace, limit, position } = reply
  return [
    failure.code,
    plainText(failure.detail, 1_000),
    {
      ...(workspace === undefined ? {} : { workspace }),
      ...(limit === undefined ? {} : { limit }),
      ...(position === undefined ? {} : { position }),
    },
  ]
}

function parse<T>(schema: z.ZodType<T>, body: Request['body']): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw new BerthError('bad_request', plainText(z.prettifyError(result.error), 1_000))
}
