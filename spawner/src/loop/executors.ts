// Carries out the steps that need the engine, beside each other, each with a deadline. Each ends in one event.
import { abortAfter } from '@berth/shared/deadline'
import type { Log } from '@berth/shared/log'
import type { WorkspaceName } from '@berth/shared/names'
import type { Event, Failure, Step, WorkspaceStep } from '../policy/domain.ts'
import type { Template } from '../templates/template.ts'
import type { Engine, EngineResult } from './engine.ts'
import type { Reached } from './points.ts'

export type EngineStep = Extract<
  Step,
  {
    type:
      | 'pull-image'
      | 'create-container'
      | 'start-container'
      | 'freeze-container'
      | 'thaw-container'
      | 'rename-container'
      | 'measure-cpu'
      | 'stop-container'
      | 'remove-container'
      | 'create-network'
      | 'remove-network'
      | 'attach-director'
  }
>

export interface Executors extends AsyncDisposable {
  carryOut(step: EngineStep): void
  /** Nobody wants that workspace's image any more. */
  abandonPull(workspace: WorkspaceName): void
}

/** Over the adapter's own deadlines: only what hangs all the same ends here. Pulls end by silence. */
const deadlineMs = 180_000
const pullDeadlineMs = 3 * 3_600_000
/** Of templates that are no longer offered. */
const lastStop = { stopSignal: '', stopTimeoutMs: 10_000 }

export function createExecutors(deps: {
  engine: Engine
  /** Those that are offered at present. */
  templates: () => ReadonlyMap<string, Template>
  tell: (event: Event) => void
  log: Log
  reached: Reached
}): Executors {
  const { engine, templates, tell, log, reached } = deps
  const ends = new AbortController()
  const pulls = new Map<WorkspaceName, AbortController>()
  const running = new Set<Promise<void>>()

  async function perform(step: EngineStep, signal: AbortSignal): Promise<Event> {
    switch (step.type) {
      case 'pull-image': {
        const { workspace } = step
        const template = templates().get(step.template)
        if (template === undefined) return answer(step, 'pull', notOffered, never)
        const onPull = (percent: number): void => {
          if (!signal.aborted) tell({ type: 'pull-progressed', workspace, percent })
        }
        const outcome = await engine.ensureImage(template, onPull, signal)
        const { image } = template.spec
        return answer(step, 'pull', outcome, () => ({ type: 'image-present', workspace, image }))
      }
      case 'create-container': {
        const { workspace, kind, owner, network } = step
        const template = templates().get(step.template)
        if (template === undefined) return answer(step, 'create', notOffered, never)
        const order = { workspace, kind, owner, network, template }
        const outcome = await engine.createContainer(order, signal)
        const created = 'container-created' as const
        return answer(step, 'create', outcome, (container) => ({
          type: created,
          workspace,
          container,
        }))
      }
      case 'start-container': {
        const { workspace, generation } = step
        const outcome = await engine.startContainer(generation, step.network, signal)
        const started = 'container-started' as const
        return answer(step, 'start', outcome, (value) => ({
          type: started,
          workspace,
          generation,
          ...value,
        }))
      }
      case 'stop-container': {
        const { workspace, generation } = step
        const how = stopSpec(step.template)
        const options = { signal: how.stopSignal, timeoutMs: how.stopTimeoutMs }
        const outcome = await engine.stopContainer(generation, options, signal)
        const stopped = 'container-stopped' as const
        return answer(step, 'stop', outcome, (value) => ({
          type: stopped,
          workspace,
          generation,
          ...value,
        }))
      }
      case 'freeze-container':
      case 'thaw-container': {
        const { workspace, generation } = step
        const isFreeze = step.type === 'freeze-container'
        const outcome = isFreeze
          ? await engine.freezeContainer(generation, signal)
          : await engine.thawContainer(generation, signal)
        const type = isFreeze ? 'container-frozen' : 'container-thawed'
        const kind = isFreeze ? 'freeze' : 'thaw'
        return answer(step, kind, outcome, () => ({ type, workspace, generation }))
      }
      case 'rename-container': {
        const { workspace, generation } = step
        const outcome = await engine.renameContainer(generation, workspace, signal)
        const type = 'container-renamed' as const
        return answer(step, 'rename', outcome, () => ({ type, workspace, generation }))
      }
      case 'measure-cpu': {
        const { workspace, generation } = step
        const outcome = await engine.measureCpu(generation, signal)
        const measured = outcome.ok ? { percent: outcome.value } : {}
        return { type: 'cpu-measured', workspace, generation, ...measured }
      }
      case 'remove-container':
        return removeContainer(step, signal)
      case 'create-network': {
        const { index, egress } = step
        const result = await engine.createNetwork(index, signal, egress)
        if (result === 'created') return { type: 'network-created', index }
        return { type: 'network-failed', index, taken: result === 'taken' }
      }
      case 'remove-network': {
        const { index } = step
        const outcome = await engine.removeNetwork(index, signal)
        if (outcome.ok) return { type: 'network-removed', index }
        log.warn({ network: index, ...outcome.failure }, 'network could not be removed')
        return { type: 'network-failed', index, taken: false }
      }
      case 'attach-director': {
        const { index, director } = step
        const result = await engine.attachDirector(index, director, signal)
        if (result === 'attached') return { type: 'director-attached', index, director }
        log.warn({ network: index, director, result }, 'director could not be attached')
        return { type: 'director-attach-failed', index, director, gone: result === 'gone' }
      }
    }
  }

  async function removeContainer(
    step: Extract<EngineStep, { type: 'remove-container' }>,
    signal: AbortSignal,
  ): Promise<Event> {
    const { workspace, generation, failure } = step
    const told = failure === undefined ? undefined : await withLastWords(failure, generation)
    const outcome = await engine.removeContainer(generation, signal)
    return answer(step, 'remove', outcome, () => ({
      type: 'container-removed',
      workspace,
      ...(told === undefined ? {} : { failure: told }),
    }))

    async function withLastWords(known: Failure, of: string): Promise<Failure> {
      const { exitCode, log: lines } = await engine.lastWords(of, signal)
      return {
        ...known,
        ...(exitCode === undefined || known.exitCode !== undefined ? {} : { exitCode }),
        ...(lines.length === 0 ? {} : { log: lines }),
      }
    }
  }

  function answer<T>(
    { workspace }: { workspace: WorkspaceName },
    step: WorkspaceStep,
    outcome: EngineResult<T>,
    done: (value: T) => Event,
  ): Event {
    if (outcome.ok) return done(outcome.value)
    const { failure, retry } = outcome
    log.warn({ workspace, step, retry, code: failure.code, detail: failure.detail }, 'step failed')
    return { type: 'step-failed', workspace, step, failure, retry }
  }

  function stopSpec(template: string): { stopSignal: string; stopTimeoutMs: number } {
    return templates().get(template)?.spec ?? lastStop
  }

  async function execute(step: EngineStep, signal: AbortSignal): Promise<void> {
    let event: Event
    try {
      await reached(`before-${step.type}`)
      event = await perform(step, signal)
      await reached(`after-${step.type}`)
    } catch (error) {
      if (signal.aborted && ends.signal.aborted) return
      log.error({ error, step: step.type }, 'step broke down')
      event = brokenDown(step)
    }
    // Whoever gave it up does not want its answer.
    if (!isGivenUp(signal)) tell(event)
  }

  function isGivenUp(signal: AbortSignal): boolean {
    return ends.signal.aborted || (signal.aborted && signal.reason === abandoned)
  }

  function signalFor(step: EngineStep): AbortSignal {
    if (step.type !== 'pull-image') {
      const ownMs = step.type === 'stop-container' ? stopSpec(step.template).stopTimeoutMs : 0
      return AbortSignal.any([ends.signal, abortAfter(deadlineMs + ownMs)])
    }
    const pull = new AbortController()
    pulls.set(step.workspace, pull)
    return AbortSignal.any([ends.signal, pull.signal, abortAfter(pullDeadlineMs)])
  }

  return {
    carryOut(step) {
      if (ends.signal.aborted) return
      const work = execute(step, signalFor(step)).finally(() => running.delete(work))
      running.add(work)
    },
    abandonPull(workspace) {
      pulls.get(workspace)?.abort(abandoned)
      pulls.delete(workspace)
    },
    async [Symbol.asyncDispose]() {
      ends.abort()
      await Promise.allSettled(running)
    },
  }
}

const abandoned = new DOMException('nobody waits for it any more', 'AbortError')

/** Templates may go between the decision and the step. */
const notOffered: EngineResult<never> = {
  ok: false,
  failure: { code: 'start_failed', detail: 'Its template is no longer offered.' },
  retry: false,
}

const never = (value: never): never => value

const brokeDown: Failure = {
  code: 'start_failed',
  detail: 'A step of the start broke down. An administrator finds the reason in the log.',
}

function brokenDown(step: EngineStep): Event {
  switch (step.type) {
    case 'create-network':
    case 'remove-network':
      return { type: 'network-failed', index: step.index, taken: false }
    case 'attach-director':
      return {
        type: 'director-attach-failed',
        index: step.index,
        director: step.director,
        gone: false,
      }
    case 'measure-cpu':
      return { type: 'cpu-measured', workspace: step.workspace, generation: step.generation }
    case 'pull-image':
    case 'create-container':
    case 'start-container':
    case 'freeze-container':
    case 'thaw-container':
    case 'rename-container':
    case 'stop-container':
    case 'remove-container': {
      const { workspace } = step
      return {
        type: 'step-failed',
        workspace,
        step: shortName[step.type],
        failure: brokeDown,
        retry: true,
      }
    }
  }
}

const shortName = {
  'pull-image': 'pull',
  'create-container': 'create',
  'start-container': 'start',
  'freeze-container': 'freeze',
  'thaw-container': 'thaw',
  'rename-container': 'rename',
  'stop-container': 'stop',
  'remove-container': 'remove',
} as const satisfies Record<string, WorkspaceStep>
