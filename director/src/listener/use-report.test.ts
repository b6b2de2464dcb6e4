import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { nextMessage } from '../testing/next-message.ts'
import { granted, labRoute, startTestBed } from '../testing/test-bed.ts'

describe('the report of use', () => {
  it('lists the requests, frames and downloads that counted, and not those that the template names', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((req, res) => {
      req.resume()
      req.on('end', () => res.end(req.url === '/large' ? 'x'.repeat(200_000) : 'ok'))
    })
    const echo = new WebSocketServer({ server: workspace.server })
    echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
    const rules = {
      backgroundRequests: ['GET /poll'],
      quietFrames: [{ path: '/ws', prefix: '33' }],
    }
    await bed.introduce([{ ...labRoute, ...rules }])
    bed.spawner.seats = async () => granted(workspace.address)
    await bed.request({ path: '/poll?secret=1' })
    await bed.request({ path: '/large' })
    for (const body of ['12', '1234']) await bed.request({ path: '/save?x', method: 'POST', body })
    const socket = new WebSocket(`ws://127.0.0.1:${bed.director.port}/ws`, {
      headers: {
        host: 'berth.test',
        'x-forwarded-preferred-username': 'alice',
        'x-forwarded-user': 'u-alice',
      },
    })
    let heard = 0
    socket.on('message', () => (heard += 1))
    await once(socket, 'open')
    socket.send('3')
    socket.send('typed')
    while (heard < 2) await nextMessage(socket)

    bed.spawner.send({ event: 'use', data: { workspace: 'lab-alice', question: 'q1' } })
    await bed.spawner.until(() => bed.spawner.useReports.length > 0)
    const [report] = bed.spawner.useReports
    assert.equal(report?.director, 'director-1')
    assert.equal(report?.question, 'q1')
    const uses = report?.uses.map(({ what, method, path, count }) =>
      [what, method, path, count].join(' '),
    )
    assert.deepEqual(uses?.toSorted(), [
      'download GET /large 3',
      'frame GET /ws 1',
      'request GET /large 1',
      'request GET /ws 1',
      'request POST /save 2',
    ])
    const saved = report?.uses.find(({ path }) => path === '/save')
    assert.deepEqual([saved?.fewestBytes, saved?.mostBytes], [2, 4])
    socket.terminate()
  })
})
