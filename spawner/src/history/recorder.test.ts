import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { guestName, type UserName } from '@berth/shared/names'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { noLimits } from '../policy/testing/no-limits.ts'
import { emptyTally } from '../policy/state/tally.ts'
import type { Entry } from './entry.ts'
import { createRecently } from './recently.ts'
import { createRecorder } from './recorder.ts'

const minutes = 60_000
const name = (text: string) => text as UserName

function recording() {
  const time = createFakeTime()
  const entries: Entry[] = []
  const recorder = createRecorder(time.clock, (entry) => entries.push(entry))
  return { time, entries, recorder }
}

const full = { failure: { code: 'queue_full', detail: 'The queue is full.' }, limit: 9 } as const

describe('the recorder', () => {
  it('records a refusal with its code and limit, and the same one not again for five minutes', () => {
    const { time, entries, recorder } = recording()
    const ann = { person: name('ann'), template: 'lab' }
    for (let asked = 0; asked < 3; asked++) recorder.refused(ann, full)
    recorder.refused({ ...ann, person: name('bob') }, full)
    recorder.refused(ann, { failure: { code: 'limit_user', detail: 'Too many.' } })
    assert.deepEqual(
      entries.map(({ person, reason, limit }) => [person, reason, limit]),
      [
        ['ann', 'queue_full', 9],
        ['bob', 'queue_full', 9],
        ['ann', 'limit_user', undefined],
      ],
    )
    assert.equal(entries[0]?.at, time.clock.wall())
    assert.equal(entries[0]?.detail, 'The queue is full.')
    time.advance(4 * minutes)
    recorder.refused(ann, full)
    time.advance(6 * minutes)
    recorder.refused(ann, full)
    assert.equal(entries.length, 4, 'the page was open all the time, until it was closed')
  })

  it('records no sign-in of a guest, and one refusal for all of them: a client can be any number of guests', () => {
    const { entries, recorder } = recording()
    for (const id of ['one', 'two', 'three']) {
      const guest = guestName(id)
      recorder.seen(guest)
      recorder.refused({ person: guest, template: 'lab' }, full)
    }
    assert.deepEqual(
      entries.map(({ type, person }) => [type, person]),
      [['refusal', guestName('one')]],
    )
  })

  it('records no refusal that only tells the state of the workspace', () => {
    const { entries, recorder } = recording()
    for (const code of ['workspace_idle', 'workspace_stopped', 'start_failed'] as const)
      recorder.refused(
        { person: name('ann'), template: 'lab' },
        { failure: { code, detail: 'It is not in use.' } },
      )
    assert.deepEqual(entries, [])
  })

  it('records a sign-in when a person comes after hours without any request or work', () => {
    const { time, entries, recorder } = recording()
    recorder.seen(name('ann'))
    recorder.seen(name('ann'))
    time.advance(3 * 60 * minutes)
    recorder.active(name('ann'))
    time.advance(3 * 60 * minutes)
    recorder.seen(name('ann'))
    assert.equal(entries.length, 1)
    time.advance(5 * 60 * minutes)
    recorder.seen(name('ann'))
    assert.deepEqual(
      entries.map(({ type, person }) => [type, person]),
      [
        ['sign-in', 'ann'],
        ['sign-in', 'ann'],
      ],
    )
    recorder.active(name('bob'))
    recorder.seen(name('bob'))
    assert.equal(
      entries.length,
      2,
      'a person who worked during a restart of the spawner did not sign in',
    )
  })

  it('records each act of an administrator, with why', () => {
    const { entries, recorder } = recording()
    recorder.audited({
      at: 5,
      administrator: 'admin',
      act: 'stop',
      target: 'lab-ann',
      why: 'Maintenance',
      outcome: 'done',
    })
    assert.deepEqual(entries, [
      {
        at: 5,
        type: 'act',
        person: 'admin',
        reason: 'stop',
        target: 'lab-ann',
        detail: 'Maintenance',
        outcome: 'done',
      },
    ])
  })

  it('samples the most that was in use since the sample before', () => {
    const { time, recorder } = recording()
    const count = (places: number, queued: number) =>
      recorder.counted({ ...emptyTally, places }, queued, { ...noLimits, maxWorkspaces: 7 })
    count(3, 0)
    count(5, 2)
    count(4, 1)
    const at = time.clock.wall()
    assert.deepEqual(recorder.sample(), { at, places: 5, queued: 2, limit: 7 })
    assert.deepEqual(recorder.sample(), { at, places: 4, queued: 1, limit: 7 })
  })
})

describe('what was seen recently', () => {
  it('is bounded: the longest unseen is forgotten first', () => {
    const seen = createRecently({ now: () => 0, forMs: 10, most: 2 })
    for (const key of ['a', 'b', 'a', 'c']) seen.isNew(key)
    assert.deepEqual(
      ['a', 'c', 'b'].map((key) => seen.isNew(key)),
      [false, false, true],
    )
  })
})
