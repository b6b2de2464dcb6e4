import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Entry } from '../history/entry.ts'
import { createRecorder } from '../history/recorder.ts'
import { startTestLoop, userOf } from './testing/test-loop.ts'

/** A loop that tells its history. */
async function telling(options: Parameters<typeof startTestLoop>[0] = {}) {
  const entries: Entry[] = []
  const loop = await startTestLoop({
    ...options,
    history: {
      moved: (change) => recorder.moved(change),
      refused: (asked, refusal) => recorder.refused(asked, refusal),
      seen: (person) => recorder.seen(person),
      active: (person) => recorder.active(person),
      counted: (tally, queued, limits) => recorder.counted(tally, queued, limits),
    },
  })
  const recorder = createRecorder(loop.time.clock, (entry) => entries.push(entry))
  loop.director()
  return { ...loop, recorder, entries, [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose]() }
}

const shown = (entries: readonly Entry[]) =>
  entries.map(({ type, person, outcome, reason }) => [type, person, outcome ?? reason])

describe('the loop', () => {
  it('tells the history who came, what started and what stopped', async () => {
    await using loop = await telling()
    const { requestSeat, workspaces, entries, time, recorder } = loop
    const reply = await requestSeat('ann')
    assert.equal(reply.status, 'granted')
    workspaces.end(reply.workspace as Parameters<typeof workspaces.end>[0], 'stop')
    await time.pass(100)
    assert.deepEqual(shown(entries), [
      ['sign-in', 'ann', undefined],
      ['start', 'ann', 'ready'],
      ['stop', 'ann', 'asked'],
    ])
    assert.equal(recorder.sample().places, 1)
    assert.equal(recorder.sample().places, 0)
  })

  it('tells the history a refused seat and a refused start', async () => {
    await using loop = await telling({ limits: { maxWorkspaces: 1, maxQueue: 1 } })
    const { requestSeat, workspaces, entries } = loop
    await requestSeat('ann')
    await requestSeat('bob', { waitMs: 0 })
    assert.equal((await requestSeat('cid', { waitMs: 0 })).status, 'refused')
    workspaces.requestStart(userOf('dan'), 'lab')
    const refusals = entries.filter(({ type }) => type === 'refusal')
    assert.deepEqual(
      refusals.map(({ person, template, reason, limit }) => [person, template, reason, limit]),
      [
        ['cid', 'lab', 'queue_full', 1],
        ['dan', 'lab', 'queue_full', 1],
      ],
    )
  })

  it('does not take a forgotten tab for a sign-in', async () => {
    await using loop = await telling()
    await loop.requestSeat('ann', { start: 'no', waitMs: 0 })
    assert.deepEqual(loop.entries, [])
  })
})
