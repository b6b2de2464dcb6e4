import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { EngineResult } from '../../loop/engine.ts'
import { createEngineUnderTest, nameOf, run, valueOf, wanted } from './fixture.ts'

describe('freezing, renaming and measuring on a real engine', () => {
  const test = createEngineUnderTest('10.219.8.0/24')
  const { engine, docker, signal, prefix } = test
  before(async () => assert.equal(await engine.createNetwork(0, signal), 'created'))
  after(() => test[Symbol.asyncDispose]())

  const gone = 'f'.repeat(64)
  const stateOf = async (id: string) => (await docker.getContainer(id).inspect()).State.Status
  const failureOf = (outcome: EngineResult<unknown>) => {
    assert.ok(!outcome.ok)
    return outcome
  }

  it('freezes and thaws, also if it is called several times', async () => {
    const { id } = await test.started('ann')
    valueOf(await engine.freezeContainer(id, signal))
    valueOf(await engine.freezeContainer(id, signal))
    assert.equal(await stateOf(id), 'paused')
    const { containers } = await engine.takeInventory(signal)
    const found = wanted(containers.find(({ container }) => container.generation === id))
    assert.equal(found.container.status, 'paused')
    assert.ok(found.container.address !== undefined && found.container.startedAt !== undefined)
    valueOf(await engine.thawContainer(id, signal))
    valueOf(await engine.thawContainer(id, signal))
    assert.equal(await stateOf(id), 'running')
    const all = await Promise.all([1, 2, 3].map(() => engine.freezeContainer(id, signal)))
    assert.ok(all.every(({ ok }) => ok))
  })

  it('keeps the memory of a frozen container, which uses no CPU', async () => {
    const counting =
      'n=0; while :; do n=$((n+1)); echo $n > /tmp/m; mv /tmp/m /tmp/n; sleep 0.02; done'
    const { id } = await test.started('bea', { command: ['sh', '-c', counting] })
    const counted = async () => {
      const reading = 'until test -e /tmp/n; do sleep 0.02; done; cat /tmp/n'
      return Number(await run(docker, id, 'sh', '-c', reading))
    }
    const before = await counted()
    valueOf(await engine.freezeContainer(id, signal))
    assert.equal(valueOf(await engine.measureCpu(id, signal)), 0)
    valueOf(await engine.thawContainer(id, signal))
    assert.ok((await counted()) >= before)
  })

  it('reports the state of a container that cannot be frozen or thawed', async () => {
    const { id } = await test.started('cat')
    valueOf(await engine.stopContainer(id, { signal: 'KILL', timeoutMs: 0 }, signal))
    for (const [of, state] of [
      [id, /is exited, not/],
      [gone, /is gone, not/],
    ] as const) {
      assert.match(failureOf(await engine.freezeContainer(of, signal)).failure.detail, state)
      assert.match(failureOf(await engine.thawContainer(of, signal)).failure.detail, state)
    }
  })

  it('renames, also if it is called twice, and the new name resolves at once', async () => {
    const { id } = await test.started('dan')
    const other = await test.started('abc')
    valueOf(await engine.renameContainer(id, nameOf(prefix, 'eve'), signal))
    valueOf(await engine.renameContainer(id, nameOf(prefix, 'eve'), signal))
    assert.equal((await docker.getContainer(id).inspect()).Name, `/${nameOf(prefix, 'eve')}`)
    const found = await run(docker, other.id, 'getent', 'hosts', nameOf(prefix, 'eve'))
    assert.match(found, /^10\.219\.8\./)
    assert.equal(await run(docker, id, 'hostname'), nameOf(prefix, 'dan'))
  })

  it('does not take the name of another container', async () => {
    const first = await test.started('fay')
    const second = await test.started('gus')
    const taken = failureOf(await engine.renameContainer(second.id, nameOf(prefix, 'fay'), signal))
    assert.equal(taken.failure.code, 'name_taken')
    assert.equal(taken.retry, false)
    assert.equal((await docker.getContainer(first.id).inspect()).Name, `/${nameOf(prefix, 'fay')}`)
    const none = failureOf(await engine.renameContainer(gone, nameOf(prefix, 'hal'), signal))
    assert.match(none.failure.detail, /is gone/)
  })

  it('measures CPU usage in per cent of one CPU', async () => {
    const busy = await test.started('ida', {
      command: ['sh', '-c', 'while :; do :; done'],
      cpus: 0.5,
    })
    const idle = await test.started('jan')
    const [much, little] = await Promise.all([
      engine.measureCpu(busy.id, signal),
      engine.measureCpu(idle.id, signal),
    ])
    assert.ok(valueOf(much) > 10 && valueOf(much) < 90, `${valueOf(much)}`)
    assert.ok(valueOf(little) < 5, `${valueOf(little)}`)
    const reading = valueOf(await engine.readUsage(busy.id, signal))
    assert.ok(reading.memoryBytes > 0 && reading.cpuNs > 0, JSON.stringify(reading))
    valueOf(await engine.stopContainer(busy.id, { signal: 'KILL', timeoutMs: 0 }, signal))
    assert.match(failureOf(await engine.readUsage(busy.id, signal)).failure.detail, /does not run/)
    assert.match(failureOf(await engine.measureCpu(busy.id, signal)).failure.detail, /does not run/)
    assert.ok(!(await engine.measureCpu(gone, signal)).ok)
  })
})
