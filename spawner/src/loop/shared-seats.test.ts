import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testTemplate } from '../templates/testing/test-template.ts'
import { startTestLoop, flush, userOf } from './testing/test-loop.ts'

/** A template of which two people share each workspace, and room for one of them. */
async function openBoard() {
  const loop = await startTestLoop({ limits: { maxWorkspaces: 1 } })
  const board = testTemplate('board', { policy: { seats: 2, seatIdleMs: 40_000 } })
  const templates = new Map([['board', board]])
  loop.workspaces.reconfigure({ ...loop.config, templates })
  loop.director()
  const sit = (who: string) => loop.requestSeat(who, { template: 'board', waitMs: 600_000 })
  return { ...loop, sit, [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose]() }
}

describe('people who share a workspace', () => {
  it('get a seat in the workspace of others as soon as one becomes free', async () => {
    await using loop = await openBoard()
    const { sit, time, workspaces } = loop
    const [ann, bob] = await Promise.all([sit('ann'), sit('bob')])
    assert.ok(ann.status === 'granted' && bob.status === 'granted')
    assert.equal(ann.generation, bob.generation)

    const waiting = sit('cat')
    await flush()
    const before = workspaces.view(userOf('cat'), 'board').status
    assert.equal(before.phase, 'queued')
    assert.notEqual(before.workspace, ann.workspace)
    let told = 0
    const following = workspaces.follow(userOf('cat'), 'board', () => (told += 1))

    // Ann and Bob do nothing more, and their seats end.
    for (let second = 0; second < 60; second += 1) {
      time.advance(1_000)
      await flush()
    }
    const cat = await waiting
    assert.ok(cat.status === 'granted', cat.status)
    assert.equal(cat.generation, ann.generation, 'in the very same container')
    assert.ok(told > 0, 'who follows is told that the seat is elsewhere')
    following[Symbol.dispose]()
  })

  it('are told apart: another person of the same name sees nothing of the workspace', async () => {
    await using loop = await openBoard()
    const { sit, workspaces } = loop
    await sit('ann')
    const stranger = { ...userOf('ann'), subject: 'another' }
    const { status } = workspaces.view(stranger, 'board')
    assert.notEqual(status.phase, 'ready')
  })

  it('each renew their own lease', async () => {
    await using loop = await openBoard()
    const { sit, workspaces } = loop
    const [ann] = await Promise.all([sit('ann'), sit('bob')])
    assert.ok(ann.status === 'granted')
    const { workspace, generation } = ann
    const used = { workspace, generation, lastUseAgoMs: 0, connections: 1 }
    const leases = await workspaces.reportActivity('d1', [
      { ...used, user: userOf('ann').name },
      { ...used, user: userOf('eve').name },
    ])
    assert.deepEqual(leases, [
      { workspace, user: 'ann', generation, leaseMs: 10_000, unusedEndsInMs: 40_000 },
      { workspace, user: 'eve', generation, leaseMs: 0, seatEnded: true },
    ])
  })
})
