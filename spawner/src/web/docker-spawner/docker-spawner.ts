// The interface of Docker Spawner: requests are forms, and answers are texts with the words and status codes of Docker
// Spawner. Other modules decide what a request does.
import { Router, urlencoded, type ErrorRequestHandler, type Request, type Response } from 'express'
import { abortAfter } from '@berth/shared/deadline'
import type { Person } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { parseUserName, type UserName, type WorkspaceName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { State, Workspace } from '../../policy/domain.ts'
import { holdsPlace } from '../../policy/state/phases.ts'
import { isShared, type Template } from '../../templates/template.ts'
import { plainText } from '../http/plain-text.ts'
import { requestIdOf } from '../http/request-ids.ts'
import { httpStatusOf, logFailure } from '../http/problem-answers.ts'
import { awaitWorkspace } from '../api/await-workspace.ts'
import type { HexOf } from './container-hex.ts'
import { findTemplate } from './find-template.ts'
import { personNamed } from '../api/people.ts'
import { isNext, openAtOnce, startAtOnce, type StartAtOnce } from './start-at-once.ts'

export interface DockerSpawnerDeps {
  readonly workspaces: Workspaces
  readonly hexOf: HexOf
  /** False: containers have no owner, and every person who is signed in may use them. */
  readonly withUsers: boolean
  readonly log: Log
  /** How long a request waits until the container runs or has been removed. */
  readonly waitMs?: number
}

/** An error about a request, in the words of the interface. */
class TextRefusal extends Error {
  readonly status: number

  constructor(status: number, text: string) {
    super(text)
    this.name = 'TextRefusal'
    this.status = status
  }
}

const full = 'Error: max available containers reached!'
const presenceEveryMs = 10_000
const broken = 'Error: the container could not be started'

export function createDockerSpawner(deps: DockerSpawnerDeps): Router {
  const { workspaces, hexOf, withUsers, log } = deps
  const { waitMs = 120_000 } = deps
  const router = Router({ caseSensitive: true, strict: true })
  const form = urlencoded({ extended: false, limit: '16kb', parameterLimit: 20 })

  router.post('/spawn', form, async (request, response) => {
    const template = templateOf(workspaces.state(), field(request, 'container_id'))
    const person = withUsers ? personOf(request, template) : undefined
    const requestId = requestIdOf(response)
    const name = placed(
      person === undefined
        ? openAtOnce(workspaces, template, requestId)
        : startAtOnce(workspaces, person, template, requestId),
    )
    const signal = abortAfter(waitMs)
    const isOver = (workspace: Workspace | undefined): boolean =>
      hasBegun(workspace) && !(workspace && isNext(workspaces.state(), workspace))
    // A queued workspace keeps its place in the queue only while its person is present.
    const presence = setInterval(() => {
      if (person !== undefined) workspaces.reportPresence(person, template.name)
    }, presenceEveryMs)
    await awaitWorkspace(workspaces, name, isOver, signal).finally(() => clearInterval(presence))
    const workspace = workspaces.state().workspaces.get(name)
    if (workspace?.phase === 'queued') {
      if (person !== undefined) workspaces.cancelStart(person, template.name, undefined, requestId)
      throw new TextRefusal(409, full)
    }
    if (workspace === undefined || !runs(workspace)) throw failed(workspace)
    answer(response, 200, hexOf(name))
  })

  router.post('/stop', form, async (request, response) => {
    const name = named(field(request, 'container_hex'))
    if (name === undefined) throw new TextRefusal(400, 'Bad request: there is no such container')
    workspaces.end(name, 'remove', requestIdOf(response))
    const gone = await awaitWorkspace(workspaces, name, isGone, abortAfter(waitMs))
    if (!gone) throw new TextRefusal(500, 'Error: the container could not be removed in time')
    answer(response, 200, 'successfully removed docker')
  })

  const tellHex = (user: UserName, response: Response): void => {
    const [workspace] = ownedBy(workspaces.state(), user)
    if (workspace === undefined) throw new TextRefusal(404, 'Error: this user has no container')
    answer(response, 200, `${hexOf(workspace.name)}:${imageOf(workspaces.state(), workspace)}`)
  }
  router.get('/get_container_hex', (request, response) => {
    tellHex(userNamed(required('user_id', single(request.query['user_id']))), response)
  })
  router.post('/get_container_hex', form, (request, response) => {
    tellHex(userNamed(field(request, 'user_id')), response)
  })

  function personOf(request: Request, template: Template): Person {
    const user = userNamed(field(request, 'user_id'))
    const subject = single(formOf(request)['subject']) || undefined
    if (isShared(template))
      throw new TextRefusal(400, 'Bad request: this image is shared by several people')
    const state = workspaces.state()
    const other = ownedBy(state, user).find((workspace) => workspace.template !== template.name)
    if (other !== undefined)
      throw new TextRefusal(409, 'Error: this user has a container of another image already')
    const groups = (single(formOf(request)['groups']) ?? '').split(',').filter(Boolean)
    const person = personNamed(state, template, { user, subject, groups })
    if (person !== undefined) return person
    throw new TextRefusal(
      400,
      "Bad request: field 'subject' is required: the image has a home, and Berth does not know this user yet",
    )
  }

  /** Finds every workspace that exists in some form: a client may ask for a container by its hex at any time. */
  function named(hex: string): WorkspaceName | undefined {
    for (const [name, { kind, phase, container }] of workspaces.state().workspaces)
      if (kind !== 'standby' && (phase !== 'stopped' || container !== undefined))
        if (hexOf(name) === hex) return name
    return undefined
  }

  router.use(createTextAnswers(log))
  return router
}

function templateOf(state: State, containerId: string): Template {
  if (state.reconciledAt === undefined || !state.engine.reachable)
    throw new TextRefusal(500, 'Error: the container engine does not answer')
  const template = findTemplate(state, containerId)
  if (template === undefined) throw new TextRefusal(400, 'Bad request: unknown image')
  return template
}

function placed(outcome: StartAtOnce): WorkspaceName {
  switch (outcome.status) {
    case 'placed':
    case 'next':
      return outcome.workspace
    case 'full':
      throw new TextRefusal(409, full)
    case 'ending':
      throw new TextRefusal(409, 'Error: the container of this user is being stopped')
    case 'refused':
      throw refusalOf(outcome.failure)
  }
}

function refusalOf({ code, detail }: { code: string; detail: string }): TextRefusal {
  const text = `Error: ${plainText(detail)}`
  switch (code) {
    case 'limit_user':
    case 'limit_guests':
    case 'limit_guests_address':
    case 'limit_template':
    case 'limit_total':
    case 'limit_memory':
    case 'queue_full':
      return new TextRefusal(409, full)
    case 'template_forbidden':
    case 'identity_reused':
    case 'identity_renamed':
    case 'bad_request':
      return new TextRefusal(400, text)
    default:
      return new TextRefusal(500, text)
  }
}

function failed(workspace: Workspace | undefined): TextRefusal {
  const detail = workspace?.failure?.detail
  return new TextRefusal(500, detail === undefined ? broken : `Error: ${plainText(detail)}`)
}

const runs = ({ phase }: Workspace): boolean =>
  phase === 'probing' || phase === 'ready' || phase === 'frozen'
/** Whether the start is over: the container runs, or the start has failed or ended. */
const hasBegun = (workspace: Workspace | undefined): boolean =>
  workspace === undefined || runs(workspace) || !holdsPlace(workspace)
/** Whether the container has been removed. The state may still remember the workspace. */
const isGone = (workspace: Workspace | undefined): boolean =>
  workspace === undefined ||
  ((workspace.phase === 'stopped' || workspace.phase === 'failed') &&
    workspace.container === undefined)

/** The person's own workspaces that have a place or are queued. */
function ownedBy(state: State, user: UserName): Workspace[] {
  return [...state.workspaces.values()].filter(
    (workspace) =>
      workspace.owner?.name === user && (holdsPlace(workspace) || workspace.phase === 'queued'),
  )
}

function imageOf(state: State, { template }: Workspace): string {
  return state.config.templates.get(template)?.spec.image ?? template
}

function field(request: Request, name: string): string {
  if (request.is('application/x-www-form-urlencoded') === false)
    throw new TextRefusal(415, 'Bad request: the body has to be a form (x-www-form-urlencoded)')
  return required(name, single(formOf(request)[name]))
}

function required(name: string, text: string | undefined): string {
  if (text === undefined || text === '')
    throw new TextRefusal(400, `Bad request: field '${name}' is required`)
  return text
}

function formOf(request: Request): Readonly<Record<string, unknown>> {
  const body: unknown = request.body
  return typeof body === 'object' && body !== null ? { ...body } : {}
}

/** A field with two values counts as missing. */
function single(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function userNamed(text: string): UserName {
  const name = parseUserName(text)
  if (name === undefined)
    throw new TextRefusal(400, "Bad request: field 'user_id' is not a valid user name")
  return name
}

function answer(response: Response, status: number, text: string): void {
  response.status(status)
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  response.end(text)
}

function createTextAnswers(log: Log): ErrorRequestHandler {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- Express knows an error handler by its four parameters
  return (error: unknown, _request, response, _next) => {
    if (error instanceof TextRefusal) return answer(response, error.status, error.message)
    const status = httpStatusOf(error)
    if (!(error instanceof BerthError) && status !== undefined && status < 500) {
      const text = status === 413 ? 'the body is too large' : 'the body cannot be read'
      return answer(response, status, `Bad request: ${text}`)
    }
    logFailure(log, error, response)
    answer(
      response,
      500,
      'Error: an unexpected error occurred; the log of the spawner has the details',
    )
  }
}
