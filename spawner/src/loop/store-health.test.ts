import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Log } from '@berth/shared/log'
import type { Decision, Event, State, Step } from '../policy/domain.ts'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { startTestLoop, flush } from './testing/test-loop.ts'
import { createMemoryStore } from './testing/memory-store.ts'
import { createWriter } from './writer.ts'

const step: Step = { type: 'create-network', index: 1, egress: 'internet' }
const fact: Event = { type: 'network-created', index: 1 }

/** A writer whose every decision but those of ticks has something to save. */
function createStory() {
  const time = createFakeTime()
  const store = createMemoryStore()
  const told: string[] = []
  const decided: Event['type'][] = []
  let turn = 1
  const decide = (_state: State, event: Event): Decision => {
    decided.push(event.type)
    const state = { nextTicket: turn++ } as State
    if (event.type === 'tick') return { state, steps: [] }
    return { state, steps: [step], changes: { saved: [], removed: [], nextTicket: turn } }
  }
  const initial = { nextTicket: 0 } as State
  const writer = createWriter({
    initial,
    decide,
    store: {
      save(changes) {
        store.save(changes)
        told.push('saved')
      },
    },
    clock: time.clock,
    setTimer: time.setTimer,
    log: {
      error: () => void told.push('error'),
      info: () => void told.push('info'),
    } as unknown as Log,
    carryOut: () => void told.push('step'),
    changed: () => void told.push('changed'),
  })
  return { time, store, told, decided, writer, initial }
}

describe('records', () => {
  it('are saved before the state is adopted and any step is carried out', () => {
    const { writer, told } = createStory()
    writer.submit(fact)
    assert.deepEqual(told, ['saved', 'step', 'changed'])
  })

  it('that cannot be saved leave the state as it was and order no steps, and are logged once', () => {
    const { writer, told, store, initial } = createStory()
    store.fail(true)
    writer.submit(fact)
    writer.submit({ type: 'start-requested' } as Event)
    assert.equal(writer.state(), initial)
    assert.deepEqual(told, ['error'])
    assert.equal(writer.isSaving(), false)
  })

  it('do not hold up decisions that change none of them', () => {
    const { writer, told, store, initial } = createStory()
    store.fail(true)
    writer.submit(fact)
    writer.submit({ type: 'tick' })
    assert.notEqual(writer.state(), initial)
    assert.deepEqual(told, ['error', 'changed'])
    assert.equal(writer.isSaving(), false)
  })

  it('are retried until they can be saved, and then the events that are submitted once are decided again', () => {
    const { writer, told, store, time, decided } = createStory()
    store.fail(true)
    writer.submit(fact)
    writer.submit({ type: 'start-requested' } as Event)
    time.advance(5_000)
    assert.deepEqual(told, ['error'])
    store.fail(false)
    decided.length = 0
    time.advance(1_000)
    assert.equal(writer.isSaving(), true)
    assert.deepEqual(decided, ['network-created', 'tick'])
    assert.deepEqual(told.slice(0, 3), ['error', 'saved', 'info'])
    assert.ok(told.includes('step'))
    assert.equal(time.pending(), 0)
  })

  it('of the next outage are logged again', () => {
    const { writer, told, store, time } = createStory()
    for (let outage = 0; outage < 2; outage += 1) {
      store.fail(true)
      writer.submit(fact)
      store.fail(false)
      time.advance(1_000)
    }
    assert.equal(told.filter((word) => word === 'error').length, 2)
  })
})

describe('a store that fails', () => {
  it('makes the spawner not ready and holds requests, until it works again', async () => {
    const store = createMemoryStore()
    await using loop = await startTestLoop({ store })
    const { workspaces, director, requestSeat, time, engine } = loop
    director()
    store.fail(true)
    const asked = requestSeat('ann', { waitMs: 60_000 })
    await flush()
    assert.equal(workspaces.ready(), false)
    assert.deepEqual(
      engine.calls.filter((call) => call.startsWith('create')),
      [],
    )
    store.fail(false)
    time.advance(10_000)
    assert.equal((await asked).status, 'granted')
    assert.equal(workspaces.ready(), true)
    assert.equal(store.load().workspaces[0]?.name, 'lab-ann')
  })

  it('during a start only delays it', async () => {
    const store = createMemoryStore()
    await using loop = await startTestLoop({ store })
    const { director, requestSeat, time, engine } = loop
    director()
    const create = engine.hold('createContainer')
    const asked = requestSeat('ann')
    await flush()
    store.fail(true)
    create.letGo()
    await flush()
    assert.equal(engine.calls.includes('startContainer g1'), false)
    store.fail(false)
    time.advance(1_000)
    assert.equal((await asked).status, 'granted')
    assert.equal(engine.calls.filter((call) => call.startsWith('createContainer')).length, 1)
  })
})
