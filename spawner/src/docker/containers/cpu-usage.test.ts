import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { percentBetween, readingOf } from './cpu-usage.ts'

const stats = (read: string, total_usage: number) => ({
  read,
  cpu_stats: { cpu_usage: { total_usage } },
})
const at = (ms: number, cpuNs: number) => ({ at: ms, cpuNs, memoryBytes: 0 })

describe('the CPU usage of a container', () => {
  it('is in per cent of one CPU, and may be more than a hundred', () => {
    assert.equal(percentBetween(at(1_000, 5e9), at(2_000, 5.25e9)), 25)
    assert.equal(percentBetween(at(1_000, 0), at(3_000, 5e9)), 250)
    assert.equal(percentBetween(at(1_000, 7), at(2_000, 7)), 0)
  })

  it('is unknown from two readings of the same moment, or of two runs of the container', () => {
    assert.equal(percentBetween(at(1_000, 5), at(1_000, 9)), undefined)
    assert.equal(percentBetween(at(1_000, 5e9), at(2_000, 1e9)), undefined)
  })

  it('is read only from the statistics of a container that runs', () => {
    assert.deepEqual(readingOf(stats('1970-01-01T00:00:01.5Z', 42)), at(1_500, 42))
    assert.equal(readingOf(stats('0001-01-01T00:00:00Z', 0)), undefined)
    assert.equal(readingOf({ read: '2026-01-01T00:00:00Z' }), undefined)
  })

  it('comes with the memory, without what the kernel keeps of files', () => {
    const memoryOf = (memory_stats: object) =>
      readingOf({ ...stats('1970-01-01T00:00:01.5Z', 42), memory_stats })?.memoryBytes
    assert.equal(memoryOf({ usage: 100, stats: { inactive_file: 30 } }), 70)
    assert.equal(memoryOf({ usage: 100, stats: { total_inactive_file: 40 } }), 60)
    assert.equal(memoryOf({ usage: 100 }), 100)
    assert.equal(memoryOf({ usage: 10, stats: { inactive_file: 30 } }), 0)
  })
})
