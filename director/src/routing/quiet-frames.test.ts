import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import type { QuietFrames } from '@berth/shared/contract'
import { createFrameRules } from './quiet-frames.ts'

function judgeFor(rules: readonly QuietFrames[], target = '/socket.io/?EIO=4') {
  const time = createFakeTime()
  const found = createFrameRules(rules)(target)
  assert.ok(found)
  const judge = found.judge(time.clock)
  const isQuiet = (payload: string | Buffer) => {
    const bytes = Buffer.from(payload)
    return judge({ bytes: bytes.length, begin: bytes.subarray(0, found.longestPrefix) })
  }
  return { time, isQuiet }
}

describe('the rules about quiet frames', () => {
  it('are those whose pattern has the path of the handshake, without its query', () => {
    const rulesOf = createFrameRules([{ path: '/socket.io/*', prefix: '33' }])
    assert.ok(rulesOf('/socket.io/?EIO=4&transport=websocket'))
    assert.equal(rulesOf('/terminals/1?/socket.io/'), undefined)
    assert.equal(createFrameRules()('/'), undefined)
  })

  it('compare how a payload begins', () => {
    const { isQuiet } = judgeFor([
      { path: '*', prefix: '33' },
      { path: '*', prefix: '03f8' },
      { path: '*', prefix: 'c3bc3b' },
    ])
    for (const payload of ['3', '3probe', Buffer.from([3, 0xf8, 1]), 'ü;x'])
      assert.ok(isQuiet(payload))
    for (const payload of ['', '42', 'ü', Buffer.from([4, 3])]) assert.ok(!isQuiet(payload))
  })

  it('compare the size of a payload, in bytes', () => {
    const { isQuiet } = judgeFor([{ path: '*', maxBytes: 8 }])
    assert.ok(isQuiet(''))
    assert.ok(isQuiet('12345678'))
    assert.ok(!isQuiet('1234567ü'))
  })

  it('take one frame in each period, a little early or late', () => {
    const { time, isQuiet } = judgeFor([{ path: '*', periodMs: 1_000 }])
    assert.ok(isQuiet('x'))
    time.advance(950)
    assert.ok(isQuiet('x'))
    time.advance(1_100)
    assert.ok(isQuiet('x'))
    time.advance(500)
    assert.ok(!isQuiet('typed in between'))
    time.advance(500)
    assert.ok(isQuiet('x'))
  })

  it('hold only together: a frame is quiet if all that one rule sets is so', () => {
    const { time, isQuiet } = judgeFor([{ path: '*', prefix: '33', maxBytes: 3, periodMs: 1_000 }])
    assert.ok(!isQuiet('3 long'))
    assert.ok(!isQuiet('4'))
    assert.ok(isQuiet('3'))
    assert.ok(!isQuiet('3'))
    time.advance(1_000)
    assert.ok(isQuiet('3'))
  })

  it('make every frame quiet if they name only a path', () => {
    assert.ok(judgeFor([{ path: '/socket.io/' }]).isQuiet('42["anything"]'))
  })

  it('look into payloads, which must not be compressed, unless they name only a period', () => {
    const readsPayload = (rule: Omit<QuietFrames, 'path'>) =>
      createFrameRules([{ path: '*', ...rule }])('/')?.readsPayload
    assert.equal(readsPayload({ prefix: '33' }), true)
    assert.equal(readsPayload({ maxBytes: 8 }), true)
    assert.equal(readsPayload({ periodMs: 1_000 }), false)
  })
})
