// Runs the steps that need the engine, beside each other, each with a deadline, and submits the event in which it ends.
import { abortAfter } from '@berth/shared/deadline'
import type { Log } from '@berth/shared/log'
import type { WorkspaceName } from '@berth/shared/names'
import type { EngineStep, Event } from '../policy/domain.ts'
import type { Template } from '../templates/template.ts'
import type { Engine } from './engine.ts'
import { createExecutors, type Executor } from './executors.ts'
import type { Reached } from './pause-points.ts'

export interface StepRunner extends AsyncDisposable {
  /** @param requestId of the request that began what the step belongs to, for the log */
  run(step: EngineStep, requestId?: string): void
  /** Nobody needs the image of that workspace any more. */
  abandonPull(workspace: WorkspaceName): void
}

/** Longer than the adapter's own deadlines: only a call that hangs in spite of them ends here. */
const deadlineMs = 180_000
/** A pull ends by its own deadline when it makes no progress. */
const pullDeadlineMs = 3 * 3_600_000

export function createStepRunner(deps: {
  engine: Engine
  /** The templates that are offered at present. */
  templates: () => ReadonlyMap<string, Template>
  submit: (event: Event) => void
  log: Log
  reached: Reached
}): StepRunner {
  const { submit, log, reached } = deps
  const executors = createExecutors(deps)
  const ends = new AbortController()
  const pulls = new Map<WorkspaceName, AbortController>()
  const running = new Set<Promise<void>>()

  async function execute(
    step: EngineStep,
    executor: Executor<EngineStep>,
    signal: AbortSignal,
    requestId: string | undefined,
  ): Promise<void> {
    let event: Event
    try {
      await reached(`before-${step.type}`)
      event = await executor.run(step, signal, requestId)
      await reached(`after-${step.type}`)
    } catch (error) {
      if (signal.aborted && ends.signal.aborted) return
      log.error({ error, step: step.type, requestId }, 'step crashed')
      event = executor.crashed(step)
    }
    // The result of an abandoned pull is of no use any more.
    if (!isAbandoned(signal)) submit(event)
  }

  function isAbandoned(signal: AbortSignal): boolean {
    return ends.signal.aborted || (signal.aborted && signal.reason === abandoned)
  }

  function signalFor(step: EngineStep, executor: Executor<EngineStep>): AbortSignal {
    if (step.type !== 'pull-image') {
      const allowedMs = deadlineMs + (executor.extraMs?.(step) ?? 0)
      return AbortSignal.any([ends.signal, abortAfter(allowedMs)])
    }
    const pull = new AbortController()
    pulls.set(step.workspace, pull)
    return AbortSignal.any([ends.signal, pull.signal, abortAfter(pullDeadlineMs)])
  }

  return {
    run(step, requestId) {
      if (ends.signal.aborted) return
      const executor: Executor<EngineStep> = executors[step.type]
      const signal = signalFor(step, executor)
      const work = execute(step, executor, signal, requestId).finally(() => running.delete(work))
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

const abandoned = new DOMException('the image is not needed any more', 'AbortError')
