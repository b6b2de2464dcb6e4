// What each operation of /api/v1 does. It decides nothing itself: it passes requests to the loop and shows the result.
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { BerthError } from '@berth/shared/problems'
import type { z } from 'zod'
import type { Audit } from '../../audit.ts'
import type { HistoryReader } from '../../history/history.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { Workspace } from '../../policy/domain.ts'
import { isAllowed } from '../../policy/asked/access.ts'
import type { HostKeys } from '../../ssh/host-keys.ts'
import { isTheirs } from '../../policy/asked/theirs.ts'
import type { Template } from '../../templates/template.ts'
import type { AdminAct } from '../admin/acts.ts'
import type { CarryOut } from '../admin/carry-out.ts'
import { plainText } from '../http/plain-text.ts'
import type { HexOf } from '../docker-spawner/container-hex.ts'
import { findOwnWorkspace, findWorkspace } from './find-workspace.ts'
import { pageQueryOf, type HistoryQuery } from './history-schemas.ts'
import type { OperationId } from './operations.ts'
import { showHistory } from './show-history.ts'
import { personNamed, type NamedPerson } from './people.ts'
import type { adminRelease, listQuery, logsQuery, ShownWorkspace, startBody } from './schemas.ts'
import {
  presentWorkspace,
  presentWorkspaces,
  showAbsent,
  showLimits,
  showTemplate,
  showWorkspace,
} from './shown.ts'
import { openAtOnce } from '../docker-spawner/start-at-once.ts'

export interface Asked {
  /** The workspace that the path names. */
  readonly name: string
  readonly query: unknown
  readonly body: unknown
  /** The person who asks on the portal: they see and change only what is theirs. Absent: the holder of the token. */
  readonly as?: Person | undefined
  /** For what changes something: the log names it. */
  readonly requestId?: string
}

export interface ApiDeps {
  readonly workspaces: Workspaces
  readonly hexOf: HexOf
  /** PUBLIC_URL. */
  readonly publicUrl?: string | undefined
  readonly clock: Clock
  /** Absent: none is kept. */
  readonly history?: HistoryReader | undefined
  /** False: containers have no owner, and every person who is signed in may use them. */
  readonly withUsers: boolean
  /** What administrators order on the portal. */
  readonly carryOut?: CarryOut
  readonly audit?: Audit
  readonly hostKeys: Pick<HostKeys, 'forget'>
}

type OfOne =
  | 'startWorkspace'
  | 'showWorkspace'
  | 'removeWorkspace'
  | 'stopWorkspace'
  | 'restartWorkspace'
  | 'extendWorkspace'
  | 'stopAnyWorkspace'
  | 'restartAnyWorkspace'
  | 'releasePlace'
  | 'removeAnyWorkspace'

/** The handlers of all operations except the stream of events, which has no single answer. */
export type Handlers = Readonly<
  Record<Exclude<OperationId, 'followEvents' | 'showLogs' | OfOne>, (asked: Asked) => unknown> &
    Record<OfOne, (asked: Asked) => ShownWorkspace> & {
      showLogs(asked: Asked): Promise<{ readonly lines: readonly string[] }>
    }
>

const logsMs = 10_000

export function createHandlers(deps: ApiDeps): Handlers {
  const { workspaces, hexOf, clock, withUsers } = deps
  const find = (asked: Asked): Workspace => findWorkspace(workspaces.state(), asked)
  const findOwn = (asked: Asked): Workspace => findOwnWorkspace(workspaces.state(), asked)

  const show = (workspace: Workspace, as?: Person): ShownWorkspace =>
    showWorkspace(workspaces.state(), workspace, deps, momentOf(clock), as)
  /** The workspace after a request about it. */
  const showNow = (before: Workspace, as?: Person): ShownWorkspace => {
    const now = presentWorkspace(workspaces.state(), before.name)
    return now === undefined ? showAbsent(before, hexOf) : show(now, as)
  }

  function end(asked: Asked, how: 'stop' | 'remove' | 'restart'): ShownWorkspace {
    const workspace = findOwn(asked)
    workspaces.end(workspace.name, how, asked.requestId)
    return showNow(workspace, asked.as)
  }

  return {
    showMe: ({ as }) => ({
      user: as?.name ?? '',
      groups: as?.groups ?? [],
      ...(as?.email === undefined ? {} : { email: as.email }),
    }),

    measureHomes() {
      workspaces.measureHomes()
      return {}
    },

    listTemplates: ({ as }) => {
      const templates = [...workspaces.state().config.templates.values()]
      const offered = templates.filter((one) => as === undefined || isAllowed(one, as))
      return { templates: offered.map(showTemplate) }
    },

    listWorkspaces: list,

    startWorkspace(asked) {
      const { body, as, requestId } = asked
      const wanted = body as z.infer<typeof startBody>
      if (as !== undefined && namesPerson(wanted))
        throw new BerthError(
          'bad_request',
          'Here a workspace is started for the person who is signed in, so the request names only the template.',
        )
      const template = workspaces.state().config.templates.get(wanted.template)
      if (template === undefined)
        throw new BerthError('template_unknown', 'There is no template with this name.')
      if (as !== undefined) return startFor(as, template, asked)
      const { user } = wanted
      if (user === undefined) return open(template, requestId)
      return startFor(personOf(template, { ...wanted, user }), template, asked)
    },

    showWorkspace: (asked) => show(find(asked), asked.as),
    removeWorkspace: (asked) => end(asked, 'remove'),
    stopWorkspace: (asked) => end(asked, 'stop'),
    restartWorkspace: (asked) => end(asked, 'restart'),

    extendWorkspace(asked) {
      const workspace = find(asked)
      if (show(workspace).extensionMs === undefined)
        throw new BerthError(
          'conflict',
          'The lifetime of this workspace cannot be extended, or was extended before.',
        )
      workspaces.extend(workspace.name)
      return showNow(workspace, asked.as)
    },

    async showLogs(asked) {
      const { tail } = asked.query as z.infer<typeof logsQuery>
      const { name } = findOwn(asked)
      const lines = await workspaces.logs(name, tail, abortAfter(logsMs))
      return { lines: lines.map((line) => plainText(line)) }
    },

    showUse: async (asked) => ({ uses: await workspaces.usesOf(findOwn(asked).name) }),

    showHistory: ({ query }) => showHistory(deps.history, pageQueryOf(query as HistoryQuery)),

    showLimits: () => showLimits(workspaces.state()),

    // The portal lets only administrators through to these.
    listAllWorkspaces: (asked) => list({ ...asked, as: undefined }),
    stopAnyWorkspace: (asked) => order('stop', asked),
    restartAnyWorkspace: (asked) => order('restart', asked),
    releasePlace: (asked) => order('release', asked),
    forgetHostKey({ name, as, requestId }) {
      const workspace = find({ name, query: {}, body: undefined })
      deps.hostKeys.forget(workspace.name)
      if (as !== undefined)
        deps.audit?.({
          at: clock.wall(),
          administrator: as.name,
          act: 'forget-host-key',
          target: workspace.name,
          why: '',
          outcome: 'done',
          requestId,
        })
      return {}
    },
    removeAnyWorkspace: (asked) => order('remove', asked),
  }

  function list({ query, as }: Asked) {
    const { user, template } = query as z.infer<typeof listQuery>
    const state = workspaces.state()
    const all = presentWorkspaces(state).filter(
      (one) =>
        (template === undefined || one.template === template) &&
        (user === undefined || isOf(one, user)) &&
        (as === undefined || isTheirs(state, one, as)),
    )
    return { workspaces: all.map((one) => show(one, as)) }
  }

  function order(act: AdminAct, { name, body, as, requestId }: Asked): ShownWorkspace {
    const { why = '', user } = body as z.infer<typeof adminRelease>
    if (deps.carryOut === undefined || as === undefined)
      throw new BerthError('not_admin', 'Only administrators can do that.')
    const before = find({ name, query: {}, body: undefined })
    deps.carryOut({ administrator: as, act, name, why, user, requestId })
    return showNow(before)
  }

  function personOf(template: Template, named: NamedPerson): Person {
    const person = personNamed(workspaces.state(), template, named)
    if (person !== undefined) return person
    throw new BerthError(
      'bad_request',
      'The field "subject" is missing: the template has a home, and Berth does not know this user yet.',
    )
  }

  function startFor(
    person: Person,
    template: Template,
    { as, requestId }: Pick<Asked, 'as' | 'requestId'>,
  ): ShownWorkspace {
    workspaces.requestStart(person, template.name, undefined, requestId)
    const { status, refusal, failure } = workspaces.view(person, template.name)
    const reason = refusal?.failure ?? failure
    if (status.phase === 'absent' || refusal !== undefined)
      throw new BerthError(
        reason?.code ?? 'conflict',
        reason?.detail ?? 'The workspace cannot be started now.',
        { details: refusal?.limit === undefined ? {} : { limit: refusal.limit } },
      )
    const workspace = workspaces.state().workspaces.get(status.workspace as Workspace['name'])
    if (workspace === undefined)
      throw new BerthError('conflict', 'The workspace cannot be started now.')
    return show(workspace, as)
  }

  function open(template: Template, requestId: string | undefined): ShownWorkspace {
    if (withUsers) throw new BerthError('bad_request', 'The field "user" is missing.')
    const outcome = openAtOnce(workspaces, template, requestId)
    if (outcome.status === 'refused') {
      throw new BerthError(outcome.failure.code, outcome.failure.detail)
    }
    const workspace =
      outcome.status === 'placed' ? workspaces.state().workspaces.get(outcome.workspace) : undefined
    if (workspace === undefined)
      throw new BerthError('limit_total', 'No place is free at the moment.')
    return show(workspace)
  }
}

export function momentOf(clock: Clock): { readonly now: number; readonly wallStart: number } {
  return { now: clock.now(), wallStart: clock.wallOf(0) }
}

function namesPerson({ user, subject, groups }: z.infer<typeof startBody>): boolean {
  return user !== undefined || subject !== undefined || groups !== undefined
}

function isOf({ owner, seats }: Workspace, user: string): boolean {
  return owner?.name === user || seats.some(({ person }) => person.name === user)
}
