import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '@berth/shared/log'
import { testTemplate } from '../templates/testing/test-template.ts'
import { flush, startTestLoop } from './testing/test-loop.ts'
import { createUsage } from './usage.ts'

async function start(people: number) {
  const loop = await startTestLoop({ templates: [testTemplate('plain')] })
  loop.director()
  const { engine, time, workspaces } = loop
  const usage = createUsage({
    engine,
    state: () => workspaces.state(),
    clock: time.clock,
    setTimer: time.setTimer,
    log: createLog({ service: 'test', level: 'silent' }),
  })
  const requested = Array.from({ length: people }, (_, index) =>
    loop.requestSeat(`p${index}`, { template: 'plain' }),
  )
  await flush()
  await Promise.all(requested)
  const reads = () => engine.calls.filter((call) => call.startsWith('readUsage')).length
  const after = async (ms: number) => {
    time.advance(ms)
    await flush()
  }
  return {
    ...loop,
    usage,
    reads,
    after,
    generations: () => [...engine.containers.keys()],
    async [Symbol.asyncDispose]() {
      await usage[Symbol.asyncDispose]()
      await loop[Symbol.asyncDispose]()
    },
  }
}

describe('the usage of containers', () => {
  it('is read once a minute while nobody looks, and every ten seconds while somebody does', async () => {
    await using bed = await start(2)
    await bed.after(0)
    const first = bed.reads()
    await bed.after(59_000)
    assert.equal(bed.reads(), first)
    await bed.after(1_000)
    assert.equal(bed.reads(), first + 2)
    let seen = 0
    const watching = bed.usage.watch(() => (seen += 1))
    await bed.after(10_000)
    await bed.after(10_000)
    assert.equal(bed.reads(), first + 6)
    assert.equal(seen, 2)
    watching[Symbol.dispose]()
    await bed.after(10_000)
    assert.equal(bed.reads(), first + 6)
  })

  it('is memory at once, and CPU from the second reading on', async () => {
    await using bed = await start(2)
    using watching = bed.usage.watch(() => undefined)
    await bed.after(10_000)
    const [generation = ''] = bed.generations()
    assert.equal(bed.usage.of(generation)?.now.memoryBytes, 100 * 1024 * 1024)
    await bed.after(10_000)
    assert.equal(bed.usage.of(generation)?.now.cpuPercent, 25)
    assert.deepEqual(bed.usage.total()?.now, { memoryBytes: 200 * 1024 * 1024, cpuPercent: 50 })
    assert.ok(watching !== undefined)
  })

  it('is kept for each minute of an hour', async () => {
    await using bed = await start(1)
    for (let minute = 0; minute < 70; minute += 1) await bed.after(60_000)
    assert.equal(bed.usage.total()?.minutes.length, 60)
  })

  it('is read of a few containers at a time', async () => {
    await using bed = await start(15)
    const gate = bed.engine.hold('readUsage')
    const before = bed.reads()
    using watching = bed.usage.watch(() => undefined)
    await bed.after(60_000)
    assert.equal(bed.reads() - before, 8)
    gate.letGo()
    await flush()
    assert.equal(bed.reads() - before, 15)
    assert.ok(watching !== undefined)
  })

  it('is not read while the engine is away', async () => {
    await using bed = await start(1)
    bed.engine.away(true)
    await bed.after(0)
    const before = bed.reads()
    await bed.after(120_000)
    assert.equal(bed.reads(), before)
  })
})
