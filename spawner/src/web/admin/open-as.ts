// The pages on which an administrator opens a person's workspace as that person, and ends that.
import { Router, urlencoded, type Request, type Response } from 'express'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import type { Audit, AuditedAct } from '../../audit.ts'
import type { WorkspaceName } from '@berth/shared/names'
import { mayOpenAs, type Impersonation, type Impersonations } from '../../impersonations.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import { findWorkspace } from '../api/find-workspace.ts'
import { formField, textField } from '../http/form-field.ts'
import { plainText } from '../http/plain-text.ts'
import { requestIdOf } from '../http/request-ids.ts'
import type { FormTokens } from '../portal/form-token.ts'
import type { AdminPages, OpenAsQuestion } from './admin-pages.ts'
import type { Board, BoardRow } from './board.ts'
import { longestWhy } from './carry-out.ts'
import { noticeTexts } from './words.ts'

export function createOpenAs(deps: {
  impersonations: Impersonations
  workspaces: Workspaces
  board: Board
  audit: Audit
  clock: Clock
  pages: AdminPages
  tokens: FormTokens
  personOf: (request: Request) => Person
}): Router {
  const { impersonations, workspaces, board, audit, clock, pages, tokens, personOf } = deps
  const router = Router({ caseSensitive: true, strict: true })
  const form = urlencoded({ extended: false, limit: '8kb', parameterLimit: 10 })

  function note(
    { name }: Person,
    requestId: string,
    act: AuditedAct,
    { workspace, person, why }: Pick<Impersonation, 'workspace' | 'person' | 'why'>,
    outcome: 'done' | 'refused' = 'done',
  ): void {
    const target = plainText(`${workspace} as ${person.name}`, 300)
    audit({ at: clock.wall(), administrator: name, act, target, why, outcome, requestId })
  }

  router.get('/', (request, response) => {
    const person = personOf(request)
    const { workspaces: all, config } = workspaces.state()
    const pathOf = (name: WorkspaceName) =>
      config.templates.get(all.get(name)?.template ?? '')?.route.path?.prefix ?? ''
    const opened = impersonations.all().map((one) => ({
      id: one.id,
      workspace: one.workspace,
      by: plainText(one.by.name, 300),
      owner: plainText(one.person.name, 300),
      why: one.why,
      until: new Date(one.until).toISOString(),
      ...(one.by.name === person.name ? { url: `${one.url}${pathOf(one.workspace)}/` } : {}),
    }))
    const notice = noticeTexts.get(request.query['notice'])
    response.end(pages.openAs(person, opened, { notice, token: tokens.give(person) }))
  })

  // Before the names: no workspace has this one, because each begins with a prefix and a hyphen.
  router
    .route('/end')
    .post(form, (request, response) => {
      const administrator = personOf(request)
      if (!tokens.accepts(administrator, formField(request, 'token')))
        return response.redirect(303, '/admin/open-as?notice=expired')
      const ended = impersonations.end(textField(request, 'id'))
      if (ended !== undefined)
        note(administrator, requestIdOf(response), 'end-open-as', { ...ended, why: '' })
      response.redirect(303, '/admin/open-as?notice=ended')
    })
    .get((_request, response) => response.redirect(303, '/admin/open-as?notice=expired'))

  router
    .route('/:name')
    .get((request, response) => {
      const row = rowOf(request)
      if (row === undefined) response.redirect(303, '/admin?notice=gone')
      else if (!row.mayOpenAs) response.redirect(303, '/admin?notice=refused')
      else ask(response, personOf(request), { row })
    })
    .post(form, (request, response) => {
      const administrator = personOf(request)
      const row = rowOf(request)
      if (row === undefined) return response.redirect(303, '/admin?notice=gone')
      const why = plainText(textField(request, 'why').trim(), longestWhy)
      const complain = (complaint: string | undefined) =>
        ask(response, administrator, { row, why, complaint })
      if (!tokens.accepts(administrator, formField(request, 'token')))
        return complain(noticeTexts.get('expired'))
      if (why === '') return complain('Please say why.')
      response.redirect(303, opened(administrator, requestIdOf(response), row, why))
    })

  return router

  function rowOf({ params }: Request): BoardRow | undefined {
    return board.look().rows.find(({ id }) => id === params['name'])
  }

  function ask(response: Response, person: Person, more: Omit<OpenAsQuestion, 'token'>): void {
    response.end(pages.openAsQuestion(person, { ...more, token: tokens.give(person) }))
  }

  /** @returns where to go on */
  function opened(administrator: Person, requestId: string, { id }: BoardRow, why: string): string {
    const workspace = findWorkspace(workspaces.state(), { name: id })
    const { owner, name } = workspace
    if (owner === undefined || !mayOpenAs(workspace)) return '/admin?notice=refused'
    const of = { workspace: name, person: owner, why }
    const one = impersonations.open(administrator, workspace, why)
    note(administrator, requestId, 'open-as', of, one === undefined ? 'refused' : 'done')
    return one === undefined ? '/admin?notice=refused' : '/admin/open-as?notice=opened'
  }
}
