// Has the sessions ended that an earlier run of the spawner left in containers. One container after another: there may be
// hundreds. A frozen one has its turn once it is thawed.
import type { Log } from '@berth/shared/log'
import type { WorkspaceName } from '@berth/shared/names'
import type { Generation, State } from '../policy/domain.ts'
import type { Engine } from './engine.ts'

export interface LeftSessions extends AsyncDisposable {
  /** Called once, with what the first inventory has found. */
  found(state: State): void
  /** A workspace has become ready, perhaps by being thawed. */
  ready(workspace: WorkspaceName): void
}

interface Left {
  readonly generation: Generation
  readonly user: string
}

export function createLeftSessions(deps: {
  readonly engine: Pick<Engine, 'endLeftSessions'>
  readonly log: Log
}): LeftSessions {
  const { engine, log } = deps
  const ends = new AbortController()
  const waiting = new Map<WorkspaceName, Left>()
  let work: Promise<void> = Promise.resolve()

  async function end(workspace: WorkspaceName, left: Left): Promise<void> {
    if (ends.signal.aborted) return
    const { generation, user } = left
    try {
      const ended = await engine.endLeftSessions(generation, user, ends.signal)
      if (!ended.ok) log.info({ workspace, ...ended.failure }, 'left sessions could not be ended')
      else if (ended.value > 0)
        log.info({ workspace, sessions: ended.value }, 'left sessions ended')
    } catch (error) {
      if (!ends.signal.aborted) log.error({ error, workspace }, 'left sessions could not be ended')
    }
  }

  function ready(workspace: WorkspaceName): void {
    const left = waiting.get(workspace)
    if (left === undefined) return
    waiting.delete(workspace)
    work = work.then(() => end(workspace, left))
  }

  return {
    found({ workspaces, config }) {
      for (const { name, container, template } of workspaces.values()) {
        const login = config.templates.get(template)?.ssh
        if (container !== undefined && login !== undefined)
          waiting.set(name, { generation: container.generation, user: login.user })
      }
      for (const { name, phase } of workspaces.values()) if (phase === 'ready') ready(name)
    },
    ready,
    async [Symbol.asyncDispose]() {
      ends.abort()
      await work
    },
  }
}
