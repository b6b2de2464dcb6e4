// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildLine } from './build-line.mjs'
import { Failure } from './failure.mjs'
import { createProgress, failureText, formatElapsed } from './progress.mjs'

test('formats elapsed time briefly', () => {
  assert.deepEqual([40, 1_260, 9_949, 31_400, 59_700, 61_000, 600_000].map(formatElapsed), [
    '0.0 s',
    '1.3 s',
    '9.9 s',
    '31 s',
    '60 s',
    '1 min 01 s',
    '10 min 00 s',
  ])
})

test('in a log, writes a line for each message of a step and for its end, and none for passing details', async () => {
  /** @type {string[]} */
  const written = []
  let time = 0
  const out = /** @type {NodeJS.WriteStream} */ (
    /** @type {unknown} */ ({
      isTTY: false,
      write: (/** @type {string} */ text) => written.push(text),
    })
  )
  const progress = createProgress({ out, now: () => time })
  const result = await progress.step(
    'engine',
    async (say) => {
      say('installing')
      say.passing('package 1 of 9')
      time = 2_000
      return 26
    },
    (version) => `Docker ${version}`,
  )
  assert.equal(result, 26)
  assert.deepEqual(written, [
    '  … engine         installing\n',
    '  ✓ engine         Docker 26 (2.0 s)\n',
  ])
})

test('shows what failed, its last lines and what to do', () => {
  const text = failureText(new Failure('it failed', { lines: ['why'], help: 'do that' }))
  assert.equal(text, '\nit failed\n    | why\n\ndo that')
})

test('shortens a line of a build: no step number, no time, no address of a mirror', () => {
  assert.equal(buildLine('#7 19.24 Unpacking perl (5.36)'), 'Unpacking perl (5.36)')
  assert.equal(
    buildLine('Get:3 http://mirror.example.org/debian bookworm/main'),
    'Get:3 bookworm/main',
  )
  assert.ok(buildLine('x'.repeat(200)).length < 60)
})
