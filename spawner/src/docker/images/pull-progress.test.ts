import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createPullProgress, parsePullLine, type PullLine } from './pull-progress.ts'

const line = (id: string, status: string, current?: number, total?: number): PullLine => ({
  id,
  status,
  ...(current === undefined ? {} : { progressDetail: { current, total } }),
})

describe('the progress of a pull', () => {
  it('follows the bytes, and the download counts more than the extraction', () => {
    const progress = createPullProgress()
    const heard = [
      line('latest', 'Pulling from library/debian'),
      line('a', 'Pulling fs layer'),
      line('b', 'Pulling fs layer'),
      line('a', 'Downloading', 50, 100),
      line('a', 'Download complete'),
      line('b', 'Downloading', 150, 300),
      line('a', 'Extracting', 200, 200),
      line('a', 'Pull complete'),
      line('b', 'Download complete'),
      line('b', 'Pull complete'),
    ].map((each) => progress.heard(each))
    assert.deepEqual(heard, [0, 0, 0, 17, 35, 43, 51, 51, 77, 99])
  })

  it('ignores layers that exist already: they come first, and would make it 99 from the beginning', () => {
    const progress = createPullProgress()
    assert.equal(progress.heard(line('a', 'Already exists')), 0)
    progress.heard(line('b', 'Pulling fs layer'))
    assert.equal(progress.heard(line('b', 'Downloading', 50, 100)), 35)
  })

  it('never falls and never reaches 100, whatever the engine says', () => {
    const status = fc.constantFrom(
      'Pulling fs layer',
      'Waiting',
      'Downloading',
      'Verifying Checksum',
      'Download complete',
      'Extracting',
      'Pull complete',
      'Already exists',
      'Digest: sha256:0',
    )
    const lines = fc.array(
      fc.record({
        id: fc.constantFrom('a', 'b', 'c', 'd'),
        status,
        progressDetail: fc.record({
          current: fc.nat(2000),
          total: fc.integer({ min: -1, max: 1000 }),
        }),
      }),
    )
    fc.assert(
      fc.property(lines, (all) => {
        const progress = createPullProgress()
        let last = 0
        for (const each of all) {
          const percent = progress.heard(each)
          assert.ok(percent >= last && percent <= 99 && Number.isInteger(percent))
          last = percent
        }
      }),
    )
  })

  it('ignores lines in another format', () => {
    assert.equal(parsePullLine('not json'), undefined)
    assert.equal(parsePullLine('{"id": 7}'), undefined)
    assert.equal(parsePullLine('{"errorDetail":{},"error":"denied"}')?.error, 'denied')
  })
})
