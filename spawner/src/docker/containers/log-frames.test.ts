import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLogReader, lastLines, payloads } from './log-frames.ts'

const frame = (text: string, stream = 1): Buffer => {
  const body = Buffer.from(text)
  const head = Buffer.alloc(8)
  head.writeUInt8(stream, 0)
  head.writeUInt32BE(body.length, 4)
  return Buffer.concat([head, body])
}
const bounds = { lines: 3, lineLength: 20 }
const lines = (...frames: Buffer[]) => lastLines(Buffer.concat(frames), bounds)

describe('the log of a container', () => {
  it('is read from the frames of both streams, in order', () => {
    assert.deepEqual(lines(frame('one\n'), frame('two\n', 2), frame('three')), [
      'one',
      'two',
      'three',
    ])
  })

  it('joins a line that is split between frames', () => {
    assert.deepEqual(lines(frame('he'), frame('llo\nwor'), frame('ld\n')), ['hello', 'world'])
  })

  it('keeps only the last lines, and cuts long ones', () => {
    assert.deepEqual(lines(frame('a\nb\nc\nd\n' + 'x'.repeat(50))), [
      'c',
      'd',
      'x'.repeat(20) + '…',
    ])
  })

  it('removes colours, control characters and marks that reorder text', () => {
    assert.deepEqual(lines(frame('\u001b[31mred\u001b[0m\u0007 \u202eevil\u0000\n\u0085\n')), [
      'red evil',
    ])
    assert.deepEqual(lines(frame('10%\r50%\r100%\n')), ['100%'])
    assert.deepEqual(lines(frame('\u001b]0;title\u0007shown\r\n')), ['shown'])
  })

  it('handles 65,536 frames of one byte each, as a container may write them', () => {
    const flood = Buffer.concat(Array.from({ length: 65_536 }, () => frame('x')))
    assert.equal([...payloads(flood)].length, 65_536)
    assert.deepEqual(lastLines(flood, bounds), ['x'.repeat(20) + '…'])
  })

  it('keeps the complete part of a frame that is cut off', () => {
    assert.deepEqual(lines(frame('whole\n'), frame('half of it').subarray(0, 12)), [
      'whole',
      'half',
    ])
    assert.deepEqual(lines(frame('whole\n'), Buffer.from([1, 0, 0])), ['whole'])
    assert.deepEqual(lines(), [])
  })
})

describe('a log that is followed', () => {
  it('is read wherever the stream is cut, each line once and complete', () => {
    const whole = Buffer.concat([
      frame('one\ntw'),
      frame('o\n', 2),
      frame('h\u00e9llo \u{1f6a2}\r\n'),
      frame('\u001b[31mred\u001b[0m\nunfinished'),
    ])
    for (let size = 1; size <= whole.length; size += 1) {
      const read = createLogReader(20)
      const chunks = []
      for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size))
      assert.deepEqual(chunks.flatMap(read), ['one', 'two', 'h\u00e9llo \u{1f6a2}', 'red'])
    }
  })

  it('keeps no more of a line that never ends than is shown', () => {
    const read = createLogReader(20)
    for (let count = 0; count < 1_000; count += 1)
      assert.deepEqual(read(frame('x'.repeat(1_000))), [])
    assert.deepEqual(read(frame('\n')), ['x'.repeat(20) + '\u2026'])
  })
})
