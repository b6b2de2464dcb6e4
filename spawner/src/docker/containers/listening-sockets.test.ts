import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listenersOf } from './listening-sockets.ts'

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout'
const tail = '00000000:00000000 00:00000000 00000000  1000        0 12345 1 0 100 0 0 10 0'
const socket = (local: string, state = '0A', remote = '00000000:0000') =>
  `   0: ${local} ${remote} ${state} ${tail}`

describe('listening sockets', () => {
  it('are read with their ports, at the loopback address or at any', () => {
    const text = [
      head,
      socket('0100007F:22B8'),
      socket('00000000:1F90'),
      socket('00000000000000000000000001000000:2710', '0A', `${'0'.repeat(32)}:0000`),
      socket('0000000000000000FFFF00000100007F:2711', '0A', `${'0'.repeat(32)}:0000`),
      socket(`${'0'.repeat(32)}:2712`, '0A', `${'0'.repeat(32)}:0000`),
    ].join('\n')
    assert.deepEqual(listenersOf(text), [
      { port: 8888, loopback: true },
      { port: 8080, loopback: false },
      { port: 10_000, loopback: true },
      { port: 10_001, loopback: true },
      { port: 10_002, loopback: false },
    ])
  })

  it('leave out connections, the name server of the engine, and what is no line of the table', () => {
    const text = [
      socket('0100007F:22B8', '01', '0100007F:9C40'),
      socket('0B00007F:8A3D'),
      'cat: /proc/net/tcp6: No such file or directory',
      '',
    ].join('\n')
    assert.deepEqual(listenersOf(text), [])
  })

  it('are not at the loopback address alone if another socket of the port is at any', () => {
    const text = [socket('0100007F:22B8'), socket('00000000:22B8')].join('\n')
    assert.deepEqual(listenersOf(text), [{ port: 8888, loopback: false }])
  })
})
