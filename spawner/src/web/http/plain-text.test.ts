import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plainLog, plainText } from './plain-text.ts'

describe('texts of other programs', () => {
  it('lose terminal sequences for colours, links and titles', () => {
    assert.equal(plainText('\u001b[33mWARN\u001b[0m low'), 'WARN low')
    assert.equal(plainText('\u001b]0;owned\u0007text'), 'text')
    assert.equal(plainText('\u001b]8;;http://evil.test\u0007here\u001b]8;;\u0007'), 'here')
  })

  it('lose control characters and marks that change the direction of text', () => {
    assert.equal(plainText('a\u0000b\u0008c\u009bd'), 'a b c d')
    assert.equal(plainText('safe\u202egnp.exe'), 'safe gnp.exe')
    assert.equal(plainText('safe\u061c.exe'), 'safe .exe')
    assert.equal(plainText('a\nb\rc'), 'a b c')
  })

  it('keep tabs, umlauts and markup, which the views escape', () => {
    assert.equal(plainText('\tMüller <script>&amp;'), '\tMüller <script>&amp;')
  })

  it('are cut at the limit, whatever they contain', () => {
    assert.equal(plainText('x'.repeat(10_000_000), 100), `${'x'.repeat(100)}…`)
    assert.ok(plainText('\u001b['.repeat(1_000_000), 100).length <= 101)
    assert.equal(plainText('half a pair \ud800'), 'half a pair \ufffd')
  })
})

describe('a log', () => {
  it('shows its last lines only', () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index}`)
    const shown = plainLog(lines)
    assert.equal(shown.length, 200)
    assert.equal(shown.at(-1), 'line 4999')
  })

  it('shows the last state of a line that was overwritten in place', () => {
    assert.deepEqual(plainLog(['10 %\r50 %\r100 %\r']), ['100 %'])
  })

  it('begins with the first line that is not empty', () => {
    assert.deepEqual(plainLog(['', '  ', 'a', '', 'b']), ['a', '', 'b'])
    assert.deepEqual(plainLog(['', '']), [])
  })
})
