// How each step is carried out on the engine. Each ends in one event; when and for how long is the step runner's.
import type { Log } from '@berth/shared/log'
import type { WorkspaceName } from '@berth/shared/names'
import type { EngineStep, Event, Failure, WorkspaceStep } from '../policy/domain.ts'
import { explained } from '../policy/lifecycle/start-failures.ts'
import type { Template } from '../templates/template.ts'
import type { Engine, EngineResult } from './engine.ts'

export interface Executor<S extends EngineStep> {
  run(step: S, signal: AbortSignal, requestId?: string): Promise<Event>
  /** The event in which the step ends when `run` throws, which is a fault of Berth. */
  crashed(step: S): Event
  /** Absent: the step takes no longer than any other. */
  extraMs?(step: S): number
}

/** A step without an executor does not compile. */
export type Executors = {
  readonly [T in EngineStep['type']]: Executor<Extract<EngineStep, { type: T }>>
}

/** For a template that is no longer offered. */
const defaultStop = { stopSignal: '', stopTimeoutMs: 10_000 }

export function createExecutors(deps: {
  engine: Engine
  /** The templates that are offered at present. */
  templates: () => ReadonlyMap<string, Template>
  submit: (event: Event) => void
  log: Log
}): Executors {
  const { engine, templates, submit, log } = deps

  /** For a step of one workspace: what goes wrong ends in `step-failed`. */
  function forWorkspace<S extends EngineStep & { readonly workspace: WorkspaceName }>(
    step: WorkspaceStep,
    call: (ordered: S, signal: AbortSignal) => Promise<EngineResult<Event>>,
  ): Executor<S> {
    return {
      async run(ordered, signal, requestId) {
        const outcome = await call(ordered, signal)
        if (outcome.ok) return outcome.value
        const { workspace } = ordered
        const { failure, retry } = outcome
        const { code, detail, cause } = failure
        log.warn({ workspace, step, requestId, retry, code, detail, cause }, 'step failed')
        return { type: 'step-failed', workspace, step, failure, retry }
      },
      crashed: ({ workspace }) => ({
        type: 'step-failed',
        workspace,
        step,
        failure: crashed,
        retry: true,
      }),
    }
  }

  const stopSpec = (template: string) => templates().get(template)?.spec ?? defaultStop

  return {
    'pull-image': forWorkspace('pull', async ({ workspace, template: name }, signal) => {
      const template = templates().get(name)
      if (template === undefined) return notOffered
      const onPull = (percent: number): void => {
        if (!signal.aborted) submit({ type: 'pull-progressed', workspace, percent })
      }
      const outcome = await engine.ensureImage(template, onPull, signal)
      const { image } = template.spec
      return whenDone(outcome, () => ({ type: 'image-present', workspace, image }))
    }),

    'create-container': forWorkspace('create', async (step, signal) => {
      const { workspace, kind, owner, network } = step
      const template = templates().get(step.template)
      if (template === undefined) return notOffered
      const order = { workspace, kind, owner, network, template }
      const outcome = await engine.createContainer(order, signal)
      return whenDone(outcome, (container) => ({ type: 'container-created', workspace, container }))
    }),

    'start-container': forWorkspace('start', async ({ workspace, generation, network }, signal) => {
      const outcome = await engine.startContainer(generation, network, signal)
      return whenDone(outcome, (started) => ({
        type: 'container-started',
        workspace,
        generation,
        ...started,
      }))
    }),

    'freeze-container': forWorkspace('freeze', async ({ workspace, generation }, signal) => {
      const outcome = await engine.freezeContainer(generation, signal)
      return whenDone(outcome, () => ({ type: 'container-frozen', workspace, generation }))
    }),

    'thaw-container': forWorkspace('thaw', async ({ workspace, generation }, signal) => {
      const outcome = await engine.thawContainer(generation, signal)
      return whenDone(outcome, () => ({ type: 'container-thawed', workspace, generation }))
    }),

    'rename-container': forWorkspace('rename', async ({ workspace, generation }, signal) => {
      const outcome = await engine.renameContainer(generation, workspace, signal)
      return whenDone(outcome, () => ({ type: 'container-renamed', workspace, generation }))
    }),

    'measure-cpu': {
      async run({ workspace, generation }, signal) {
        const outcome = await engine.measureCpu(generation, signal)
        const measured = outcome.ok ? { percent: outcome.value } : {}
        return { type: 'cpu-measured', workspace, generation, ...measured }
      },
      crashed: ({ workspace, generation }) => ({ type: 'cpu-measured', workspace, generation }),
    },

    'stop-container': {
      ...forWorkspace('stop', async (step, signal) => {
        const { workspace, generation, template, findsListeners = false } = step
        const listeners = findsListeners ? await engine.listeners(generation, signal) : undefined
        const { stopSignal, stopTimeoutMs } = stopSpec(template)
        const options = { signal: stopSignal, timeoutMs: stopTimeoutMs }
        const outcome = await engine.stopContainer(generation, options, signal)
        return whenDone(outcome, (stopped) => ({
          type: 'container-stopped',
          workspace,
          generation,
          ...stopped,
          ...(listeners === undefined ? {} : { listeners }),
        }))
      }),
      extraMs: ({ template }) => stopSpec(template).stopTimeoutMs,
    },

    'remove-container': forWorkspace('remove', async (step, signal) => {
      const { workspace, generation } = step
      const failure =
        step.failure && explained(step.failure, await engine.lastWords(generation, signal))
      const outcome = await engine.removeContainer(generation, signal)
      return whenDone(outcome, () => ({
        type: 'container-removed',
        workspace,
        ...(failure === undefined ? {} : { failure }),
      }))
    }),

    'create-network': {
      async run({ index, egress }, signal) {
        const result = await engine.createNetwork(index, signal, egress)
        if (result === 'created') return { type: 'network-created', index }
        return { type: 'network-failed', index, taken: result === 'taken' }
      },
      crashed: ({ index }) => ({ type: 'network-failed', index, taken: false }),
    },

    'remove-network': {
      async run({ index }, signal) {
        const outcome = await engine.removeNetwork(index, signal)
        if (outcome.ok) return { type: 'network-removed', index }
        log.warn({ network: index, ...outcome.failure }, 'network could not be removed')
        return { type: 'network-failed', index, taken: false }
      },
      crashed: ({ index }) => ({ type: 'network-failed', index, taken: false }),
    },

    'attach-director': {
      async run({ index, director }, signal) {
        const result = await engine.attachDirector(index, director, signal)
        if (result === 'attached') return { type: 'director-attached', index, director }
        log.warn({ network: index, director, result }, 'director could not be attached')
        return { type: 'director-attach-failed', index, director, gone: result === 'gone' }
      },
      crashed: ({ index, director }) => ({
        type: 'director-attach-failed',
        index,
        director,
        gone: false,
      }),
    },
  }
}

function whenDone<T>(outcome: EngineResult<T>, done: (value: T) => Event): EngineResult<Event> {
  return outcome.ok ? { ok: true, value: done(outcome.value) } : outcome
}

/** A template may go between the decision and the step. */
const notOffered: EngineResult<never> = {
  ok: false,
  failure: { code: 'start_failed', detail: 'The template of this workspace is no longer offered.' },
  retry: false,
}

const crashed: Failure = {
  code: 'start_failed',
  detail: 'A step of the start failed by a fault of Berth. The log tells an administrator why.',
}
