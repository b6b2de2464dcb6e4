import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@berth/shared/clock'
import { createLog } from '@berth/shared/log'
import type { Decision, State, Step } from '../policy/domain.ts'
import { createWriter, type WriterDeps } from './writer.ts'

function writerWith(decision: Decision, more: Partial<WriterDeps> = {}) {
  return createWriter({
    initial: {} as State,
    decide: () => decision,
    clock: systemClock,
    log: createLog({ service: 'spawner', level: 'silent' }),
    setTimer: () => ({ [Symbol.dispose]: () => undefined }),
    carryOut: () => undefined,
    changed: () => undefined,
    ...more,
  })
}

describe('the writer', () => {
  it('carries out the steps that follow one that could not even be started', () => {
    const steps: Step[] = [
      { type: 'create-network', index: 1, egress: 'internet' },
      { type: 'create-network', index: 2, egress: 'internet' },
    ]
    const begun: number[] = []
    using writer = writerWith(
      { state: {} as State, steps },
      {
        carryOut(step) {
          if (step.type !== 'create-network') return
          if (step.index === 1) throw new Error('a fault of ours')
          begun.push(step.index)
        },
      },
    )
    writer.submit({ type: 'tick' })
    assert.deepEqual(begun, [2])
  })

  const answered: Decision = {
    state: {} as State,
    steps: [{ type: 'create-network', index: 1, egress: 'internet' }],
    changes: { saved: [], removed: [], nextTicket: 2 },
    reply: [],
  }
  const report = { type: 'activity-reported', director: 'd1', seats: [] } as const

  it('gives the reply once the records are saved, the state is adopted and the steps are handed out', () => {
    const order: string[] = []
    using writer = writerWith(answered, {
      store: { save: () => void order.push('saved') },
      carryOut: () => void order.push('step'),
      changed: () => void order.push('changed'),
    })
    writer.submit(report, (reply) => {
      assert.deepEqual(reply, [])
      assert.equal(writer.state(), answered.state)
      order.push('reply')
    })
    assert.deepEqual(order, ['saved', 'step', 'reply', 'changed'])
  })

  it('gives no reply where the records could not be saved, nor after its end', () => {
    const fail = () => {
      throw new Error('the disk is full')
    }
    const writer = writerWith(answered, { store: { save: fail } })
    writer.submit(report, () => assert.fail('nothing was decided'))
    writer[Symbol.dispose]()
    const ended = writerWith(answered)
    ended[Symbol.dispose]()
    ended.submit(report, () => assert.fail('the writer has ended'))
  })

  it('gives each reply to its own submitter, also of an event that is submitted during a decision', () => {
    const replies: string[] = []
    using writer = writerWith(
      { state: {} as State, steps: [], reply: [] },
      {
        decide: (_state, event) =>
          ({
            state: {} as State,
            steps: event.type === 'activity-reported' ? answered.steps : [],
            reply: event.type === 'activity-reported' ? [] : 'lab-1',
          }) as Decision,
        carryOut() {
          writer.submit({ type: 'open-requested', template: 'lab' }, (name) => replies.push(name))
          assert.deepEqual(replies, [])
        },
      },
    )
    writer.submit(report, (leases) => replies.push(`${leases.length} leases`))
    assert.deepEqual(replies, ['0 leases', 'lab-1'])
  })
})
