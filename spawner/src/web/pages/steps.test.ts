import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { showSteps, type ShownStep } from './steps.ts'

const told = (steps: readonly ShownStep[]): string[] =>
  steps.map(({ phase, state, ms }) => `${phase} ${state}${ms === undefined ? '' : ` ${ms}`}`)

describe('the steps to a ready workspace', () => {
  it('are done with their durations, in progress, or to come', () => {
    const milestones = [
      { phase: 'queued', at: 1_000 },
      { phase: 'pulling', at: 1_400 },
      { phase: 'creating', at: 9_400 },
    ] as const
    assert.deepEqual(told(showSteps('creating', milestones, 9_900)), [
      'queued done 400',
      'pulling done 8000',
      'creating now 500',
      'starting next',
      'probing next',
    ])
  })

  it('are passed if they were not needed', () => {
    const milestones = [
      { phase: 'queued', at: 0 },
      { phase: 'starting', at: 100 },
    ] as const
    assert.deepEqual(told(showSteps('starting', milestones, 250)), [
      'queued done 100',
      'pulling passed',
      'creating passed',
      'starting now 150',
      'probing next',
    ])
  })

  it('add both times of a phase that the workspace was in twice', () => {
    const milestones = [
      { phase: 'queued', at: 0 },
      { phase: 'pulling', at: 100 },
      { phase: 'queued', at: 150 },
      { phase: 'pulling', at: 450 },
    ] as const
    assert.deepEqual(told(showSteps('pulling', milestones, 500)).slice(0, 2), [
      'queued done 400',
      'pulling now 100',
    ])
  })

  it('are all done or passed when the workspace is ready', () => {
    const milestones = [
      { phase: 'queued', at: 0 },
      { phase: 'probing', at: 10 },
      { phase: 'ready', at: 30 },
    ] as const
    assert.deepEqual(told(showSteps('ready', milestones, 500)), [
      'queued done 10',
      'pulling passed',
      'creating passed',
      'starting passed',
      'probing done 20',
    ])
  })

  it('show the step at which a start failed', () => {
    const milestones = [
      { phase: 'queued', at: 0 },
      { phase: 'pulling', at: 10 },
      { phase: 'failed', at: 60 },
    ] as const
    assert.deepEqual(told(showSteps('failed', milestones, 9_000)), [
      'queued done 10',
      'pulling failed 50',
      'creating next',
      'starting next',
      'probing next',
    ])
  })

  it('are all to come while nothing is starting', () => {
    for (const phase of ['absent', 'stopped', 'stopping'] as const)
      assert.ok(showSteps(phase, [], 0).every(({ state }) => state === 'next'))
  })

  it('never take negative time, even if the clock goes back', () => {
    assert.equal(showSteps('queued', [{ phase: 'queued', at: 500 }], 400)[0]?.ms, 0)
  })
})
