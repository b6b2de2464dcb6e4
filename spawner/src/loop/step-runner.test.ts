import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import { parsePrefix, sharedName } from '@berth/shared/names'
import type { EngineStep, Event } from '../policy/domain.ts'
import { createStepRunner } from './step-runner.ts'
import { createFakeEngine } from './testing/fake-engine.ts'

const prefix = parsePrefix('lab')
assert.ok(prefix !== undefined)
const workspace = sharedName(prefix, 1)

describe('steps', () => {
  it('of a template that is no longer offered fail without a retry', async () => {
    const clock = createClock(
      () => 0,
      () => 0,
    )
    const engine = createFakeEngine(clock)
    const told: Event[] = []
    const lines: [Readonly<Record<string, unknown>>, string][] = []
    const warn = (line: Readonly<Record<string, unknown>>, message: string): void =>
      void lines.push([line, message])
    const log = { warn } as unknown as Log
    const templates = () => new Map()
    const submit = (event: Event): void => void told.push(event)
    const runner = createStepRunner({ engine, templates, submit, log, reached: () => undefined })
    const of = { workspace, template: 'gone' }
    const create = {
      type: 'create-container',
      kind: 'shared',
      owner: undefined,
      network: 0,
    } as const
    const steps: readonly EngineStep[] = [
      { type: 'pull-image', ...of },
      { ...create, ...of },
    ]
    steps.forEach((step, at) => runner.run(step, at === 0 ? 'id-1' : undefined))
    while (told.length < steps.length) await new Promise(setImmediate)
    await runner[Symbol.asyncDispose]()
    assert.deepEqual(engine.calls, [])
    assert.deepEqual(
      told.map((event) => event.type === 'step-failed' && [event.step, event.retry]),
      [
        ['pull', false],
        ['create', false],
      ],
    )
    assert.deepEqual(
      lines.map(([line, message]) => [message, line['workspace'], line['step'], line['requestId']]),
      [
        ['step failed', workspace, 'pull', 'id-1'],
        ['step failed', workspace, 'create', undefined],
      ],
      'the log names the request that began it',
    )
  })
})
