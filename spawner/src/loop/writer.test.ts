import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@berth/shared/clock'
import { createLog } from '@berth/shared/log'
import type { State, Step } from '../policy/domain.ts'
import { createWriter } from './writer.ts'

describe('the writer', () => {
  it('carries out the steps that follow one that could not even begin', () => {
    const steps: Step[] = [
      { type: 'create-network', index: 1, egress: 'internet' },
      { type: 'create-network', index: 2, egress: 'internet' },
    ]
    const begun: number[] = []
    const state = {} as State
    using writer = createWriter({
      initial: state,
      decide: () => ({ state, steps }),
      clock: systemClock,
      log: createLog({ service: 'spawner', level: 'silent' }),
      setTimer: () => ({ [Symbol.dispose]: () => undefined }),
      carryOut(step) {
        if (step.type !== 'create-network') return
        if (step.index === 1) throw new Error('a fault of ours')
        begun.push(step.index)
      },
      changed: () => undefined,
    })
    writer.tell({ type: 'tick' })
    assert.deepEqual(begun, [2])
  })
})
