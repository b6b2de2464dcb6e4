import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Event } from '../domain.ts'
import type { Scenario } from '../testing/scenario.ts'
import { nameOf, withReady } from '../testing/scenario.ts'
import type { TemplatePolicy } from '../../templates/template.ts'

const policy = { idleFreezeMs: 40_000, idleStopMs: 0, idleRemoveMs: 0 }
const asking = { ...policy, activityPath: '/api/status' }
const measuring = { ...policy, busyCpuPercent: 20 }
/** The first idle step of the workspace is due now. */
const due = (more: Partial<TemplatePolicy>) =>
  withReady(['ann'], { policy: more }).passes(more.idleFreezeMs || (more.idleStopMs ?? 0))

type Answer = Extract<Event, { type: 'activity-answered' | 'cpu-measured' }>
type Told<T> = T extends Answer ? Omit<T, 'workspace' | 'generation'> : never

/** The application, or the engine, answers the open question. */
function answers(story: Scenario, told: Told<Answer>): Scenario {
  const at = story.orders.findIndex(({ type }) =>
    told.type === 'cpu-measured' ? type === 'measure-cpu' : type === 'check-activity',
  )
  assert.ok(at >= 0, 'it was asked')
  story.orders.splice(at, 1)
  const generation = story.workspace('ann').container?.generation ?? ''
  story.hears({ ...told, workspace: nameOf('ann'), generation })
  return story
}
const says = (story: Scenario, busy?: boolean, lastActivityAgoMs?: number) =>
  answers(story, {
    type: 'activity-answered',
    ...(busy === undefined ? {} : { busy }),
    ...(lastActivityAgoMs === undefined ? {} : { lastActivityAgoMs }),
  })
const measures = (story: Scenario, percent?: number) =>
  answers(story, { type: 'cpu-measured', ...(percent === undefined ? {} : { percent }) })

describe('an application whose idle step is due', () => {
  it('is asked by a director that reaches it, and is frozen when it answers that it is idle', () => {
    const story = due(asking)
    assert.deepEqual(story.orders, [
      {
        type: 'check-activity',
        director: 'd1',
        workspace: nameOf('ann'),
        generation: story.workspace('ann').container?.generation,
        address: { host: '10.213.0.2', port: 8888 },
        path: '/api/status',
        deadlineMs: 8_000,
      },
    ])
    says(story, false)
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('is asked in both ways if both are set, and is idle only if both answers say so', () => {
    const story = due({ ...asking, busyCpuPercent: 20 })
    assert.deepEqual(story.ordered(), ['check-activity', 'measure-cpu'])
    says(story, false)
    assert.deepEqual(story.ordered(), ['measure-cpu'])
    measures(story, 20)
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('is left alone while it computes, and is asked again after a quarter of the step', () => {
    const story = due(measuring)
    measures(story, 21)
    assert.deepEqual(story.ordered(), [])
    story.passes(9_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['measure-cpu'])
    measures(story, 0)
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('is asked again within a minute, however long the step is', () => {
    const story = due({ ...measuring, idleFreezeMs: 3_600_000 })
    measures(story, 100)
    story.passes(59_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['measure-cpu'])
  })

  it('is asked as soon as a step is due, even under the lease of a tab that polls', () => {
    const story = withReady(['ann'], { policy: measuring })
    story.passes(39_000)
    assert.deepEqual(story.reports('ann', 39_000), [nameOf('ann')])
    story.passes(1_000)
    assert.deepEqual(story.ordered(), ['measure-cpu'])
  })

  it('keeps a background request waiting while it is asked, and serves it if it is busy', () => {
    const story = due(measuring)
    const polls = () => story.asks('ann', { start: 'no', navigation: false })
    assert.equal(polls().status, 'waiting')
    measures(story, 100)
    assert.equal(polls().status, 'granted')
  })

  it('refuses a background request that waited once it answers that it is idle', () => {
    const story = due(measuring)
    const polls = () => story.asks('ann', { start: 'no', navigation: false })
    assert.equal(polls().status, 'waiting')
    measures(story, 0)
    const refused = polls()
    assert.ok(refused.status === 'refused' && refused.failure.code === 'workspace_idle')
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('reports its own last activity, which counts as use at that time', () => {
    const story = due(asking)
    says(story, false, 15_000)
    assert.deepEqual(story.ordered(), [])
    story.passes(24_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['check-activity'])
    says(story, false, 40_000)
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('is stopped as long after its own last activity as after the last use by a person', () => {
    const story = due({ ...asking, idleStopMs: 100_000 })
    says(story, false, 15_000)
    story.passes(25_000)
    says(story, false, 40_000).obeys()
    assert.equal(story.phase('ann'), 'frozen')
    story.passes(59_999)
    assert.equal(story.phase('ann'), 'frozen')
    story.passes(1)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('is no longer asked when a person arrives in between', () => {
    const story = due(asking)
    assert.equal(story.asks('ann').status, 'granted')
    assert.equal(story.workspace('ann').veto?.question, undefined)
    says(story, false)
    assert.deepEqual(story.ordered(), [])
    story.passes(39_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['check-activity'])
  })

  it('is stopped when it answers that it is idle, if freezing is off', () => {
    const story = due({ ...asking, idleFreezeMs: 0, idleStopMs: 100_000 })
    assert.deepEqual(story.ordered(), ['check-activity'])
    assert.equal(story.phase('ann'), 'ready')
    says(story, false)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('is not asked a second time because the freeze failed', () => {
    const story = due({ ...asking, idleFreezeMs: 400_000 })
    says(story, false)
    story.fails('freeze-container')
    story.passes(30_000)
    assert.deepEqual(story.ordered(), [])
    story.passes(30_000)
    assert.deepEqual(story.ordered(), ['check-activity'])
  })

  it('is not asked again for the next step if it was idle moments ago', () => {
    const story = due({ ...asking, idleFreezeMs: 400_000, idleStopMs: 420_000 })
    says(story, false)
    story.fails('freeze-container')
    story.passes(20_000)
    assert.deepEqual(story.ordered(), ['stop-container'])
  })

  it('shows why its answer told nothing, until an answer tells something or it starts anew', () => {
    const story = due(asking)
    const met = { finding: 'status', status: 404 } as const
    answers(story, { type: 'activity-answered', ...met })
    assert.deepEqual(story.workspace('ann').activityMet, met)
    story.passes(10_000)
    says(story, true)
    assert.equal(story.workspace('ann').activityMet, undefined)
  })

  it('is judged by its own answer: an answer of its former container does not count', () => {
    const story = due(asking)
    const told = { workspace: nameOf('ann'), generation: 'former', busy: false }
    story.hears({ type: 'activity-answered', ...told })
    assert.deepEqual(story.ordered(), ['check-activity'])
  })

  it('is stopped as soon as it is done, if it was busy through all steps', () => {
    const story = due({ ...measuring, idleStopMs: 80_000 })
    for (let round = 0; round < 4; round++) measures(story, 100).passes(10_000)
    assert.equal(story.phase('ann'), 'ready')
    measures(story, 1)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('is not asked while it is frozen: the clock alone stops it', () => {
    const story = due({ ...asking, idleStopMs: 80_000 })
    says(story, false).obeys()
    story.passes(40_000)
    assert.deepEqual(story.ordered(), ['stop-container'])
  })

  it('ends with its lifetime, busy or not', () => {
    const story = due({ ...asking, maxLifetimeMs: 45_000 })
    says(story, true)
    story.passes(5_000)
    assert.equal(story.phase('ann'), 'stopping')
  })
})

/** A forgotten tab that polls every second, and its director, which reports every five seconds. */
function createForgottenTab(story: Scenario) {
  let leasedUntil = story.now + 20_000
  let reportAt = story.now + 5_000
  const refusals: number[] = []
  return {
    refusals,
    pollsFor(seconds: number, answers: (story: Scenario) => unknown) {
      for (let second = 0; second < seconds; second++) {
        if (story.ordered().includes('freeze-container')) return
        story.passes(1_000)
        if (story.ordered().includes('measure-cpu')) answers(story)
        if (story.now >= reportAt && story.now < leasedUntil) {
          reportAt = story.now + 5_000
          const [renewed] = story.reports('ann', 3_600_000)
          if (renewed !== undefined) leasedUntil = story.now + 20_000
        }
        if (story.now < leasedUntil) continue
        const reply = story.asks('ann', { start: 'no', navigation: false })
        if (reply.status === 'granted') leasedUntil = story.now + reply.leaseMs
        else refusals.push(story.now)
      }
    },
  }
}

describe('a forgotten tab at an application that computes', () => {
  it('gets an answer to each poll, for as long as the computation runs', () => {
    const story = withReady(['ann'], { policy: measuring })
    const tab = createForgottenTab(story)
    tab.pollsFor(600, () => measures(story, 100))
    assert.deepEqual(tab.refusals, [])
  })

  it('hazard: does not keep the workspace running once the computation is over', () => {
    const story = withReady(['ann'], { policy: measuring })
    const tab = createForgottenTab(story)
    tab.pollsFor(300, () => measures(story, 100))
    const overAt = story.now
    tab.pollsFor(100, () => measures(story, 0))
    assert.deepEqual(story.ordered(), ['freeze-container'])
    // The pause between two questions, and the lease and margin that the last renewal gave.
    assert.ok(story.now - overAt <= 10_000 + 30_000 + 1_000, `${story.now - overAt}`)
  })

  it('is frozen with its workspace although each poll came while the application was asked', () => {
    const story = due(measuring)
    for (let polls = 0; polls < 50; polls++) {
      story.asks('ann', { start: 'no', navigation: false })
      if (story.ordered().includes('measure-cpu')) measures(story, 0)
      story.passes(1_000)
    }
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })
})

describe('an application that is busy', () => {
  it('hazard: counts as idle without another question once the busy limit is reached, even if it is busy for ever', () => {
    const story = due({ ...measuring, busyAtMostMs: 25_000 })
    measures(story, 100).passes(10_000)
    measures(story, 100).passes(10_000)
    measures(story, 100).passes(4_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('cannot postpone the idle step beyond the busy limit by activity of its own', () => {
    const story = due({ ...asking, busyAtMostMs: 25_000 })
    for (let told = 0; story.ordered().includes('check-activity'); told++) {
      assert.ok(told < 10)
      says(story, false, 0).passes(25_000)
    }
    assert.deepEqual(story.ordered(), ['freeze-container'])
    assert.equal(story.workspace('ann').lastUseAt + 65_000, story.now)
  })

  it('stays for any length of time if no busy limit is set', () => {
    const story = due(measuring)
    for (let round = 0; round < 1_000; round++) measures(story, 100).passes(10_000)
    assert.equal(story.phase('ann'), 'ready')
  })
})

describe('an application that cannot be asked', () => {
  it('counts as busy for an hour only, if no busy limit is set', () => {
    const story = due(asking)
    const dueAt = story.now
    for (let rounds = 0; story.ordered().includes('check-activity'); rounds++) {
      assert.ok(rounds < 500)
      assert.equal(story.phase('ann'), 'ready')
      says(story).passes(10_000)
    }
    assert.deepEqual(story.ordered(), ['freeze-container'])
    assert.ok(story.now - dueAt >= 3_600_000 && story.now - dueAt < 3_630_000)
  })

  it('counts as busy until the busy limit of its template, if that is set', () => {
    const story = due({ ...measuring, busyAtMostMs: 15_000 })
    measures(story).passes(10_000)
    measures(story).passes(5_000)
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('is frozen when the busy limit is reached while a question is open', () => {
    const story = due({ ...asking, busyAtMostMs: 5_000 })
    story.passes(4_999)
    assert.deepEqual(story.ordered(), ['check-activity'])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['check-activity', 'freeze-container'])
  })

  it('has its question given up after ten seconds, and is asked again later', () => {
    const story = due(asking)
    story.orders.length = 0
    story.passes(9_999)
    assert.ok(story.workspace('ann').veto?.question)
    story.passes(1)
    assert.equal(story.workspace('ann').veto?.question, undefined)
    story.passes(9_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['check-activity'])
  })

  it('hazard: is not frozen because of an answer to an earlier question that arrives too late', () => {
    const story = due(asking)
    story.passes(10_000)
    says(story, false)
    assert.deepEqual(story.ordered(), [])
    assert.equal(story.phase('ann'), 'ready')
  })

  it('is frozen at the busy limit although no director is connected', () => {
    const story = withReady(['ann'], { policy: { ...asking, busyAtMostMs: 20_000 } })
    story.hears({ type: 'director-gone', director: 'd1' })
    story.passes(40_000)
    assert.deepEqual(story.ordered(), [])
    story.passes(20_000)
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('is still found busy by the other way of asking', () => {
    const story = due({ ...asking, busyCpuPercent: 20, busyAtMostMs: 0 })
    measures(story, 100)
    assert.deepEqual(story.workspace('ann').veto, { busyUntil: story.now + 10_000 })
  })
})
