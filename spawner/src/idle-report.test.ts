import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { reportText } from './idle-report.ts'

const use = { method: 'GET', count: 1, fewestBytes: 0, mostBytes: 0, firstAgoMs: 0, lastAgoMs: 0 }

describe('the idle report', () => {
  it('has a line for each kind of use, with how often it came and how large it was', () => {
    const text = reportText('lab-ann', {
      phase: 'ready',
      uses: [
        {
          ...use,
          what: 'frame',
          path: '/socket.io/',
          count: 21,
          fewestBytes: 7,
          mostBytes: 7,
          firstAgoMs: 512_300,
          lastAgoMs: 12_300,
        },
        {
          ...use,
          what: 'request',
          method: 'POST',
          path: '/',
          mostBytes: 64,
          firstAgoMs: 60_000,
          lastAgoMs: 60_000,
        },
      ],
    })
    assert.deepEqual(text.split('\n').slice(0, 3), [
      'lab-ann is ready. This counted as use in the last 15 minutes, the latest first:',
      '  WebSocket frame  /socket.io/  21 times, every 25s on average, 7 bytes, last 12s ago',
      '  request  POST /  1 time, 0 to 64 bytes, last 1m ago',
    ])
    assert.match(text, /"background".*"frames"/)
  })

  it('says so if nothing counted as use', () => {
    assert.equal(
      reportText('lab-ann', { phase: 'frozen', uses: [] }),
      'lab-ann is frozen, and nothing counted as use in the last 15 minutes.\n',
    )
  })
})
