import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { WorkspaceName } from '@berth/shared/names'
import { pino } from 'pino'
import { startApi } from '../testing/api.ts'
import { startWeb } from '../testing/server.ts'

type Line = Record<string, unknown>

function recording() {
  const lines: Line[] = []
  const stream = { write: (text: string) => void lines.push(JSON.parse(text) as Line) }
  return { lines, log: pino({ level: 'debug', messageKey: 'message' }, stream) }
}

const ofDirector = { 'x-request-id': 'edge-1' }
const uuid = /^[0-9a-f-]{36}$/

describe('the id of a request that a director passes on', () => {
  it('is on the answer and in the line about the seat', async () => {
    const { lines, log } = recording()
    await using web = await startWeb({ log })
    const workspace = 'lab-alice' as WorkspaceName
    web.workspaces.reply = async () => ({ status: 'waiting', workspace, phase: 'pulling' })
    const { headers } = await web.ask('/internal/v1/seats', {
      method: 'POST',
      headers: { ...ofDirector, 'content-type': 'application/json' },
      body: JSON.stringify({
        director: 'd1',
        user: { name: 'alice', subject: 'u-alice', groups: [] },
        template: 'lab',
        protocol: 'http',
        waitMs: 0,
        start: 'start',
      }),
    })
    assert.equal(headers['x-request-id'], 'edge-1')
    const [line] = lines.filter(({ message }) => message === 'seat requested')
    assert.deepEqual(
      [line?.['requestId'], line?.['workspace'], line?.['status']],
      ['edge-1', workspace, 'waiting'],
    )
  })

  it('is in the line about a fault', async () => {
    const { lines, log } = recording()
    await using web = await startWeb({ log })
    web.workspaces.reply = async () => {
      throw new Error('a fault')
    }
    const { status, headers } = await web.ask('/internal/v1/page', { headers: ofDirector })
    assert.equal(headers['x-request-id'], 'edge-1', String(status))
    web.workspaces.view = () => {
      throw new Error('a fault')
    }
    await web.ask('/.berth/status', { headers: ofDirector })
    const [line] = lines.filter(({ message }) => message === 'request failed')
    assert.deepEqual([line?.['requestId'], line?.['path']], ['edge-1', '/.berth/status'])
  })

  it('is made here if the director sends none that can be taken over', async () => {
    await using web = await startWeb()
    for (const sent of [{}, { 'x-request-id': 'with a blank' }]) {
      const { headers } = await web.ask('/.berth/status', { headers: sent })
      assert.match(String(headers['x-request-id']), uuid)
    }
  })
})

describe('the id of a request of a script', () => {
  it('is made here, and is on the answer and in the line about a wrong token', async () => {
    const { lines, log } = recording()
    await using api = await startApi({ log })
    const { headers } = await api.ask('/api/v1/workspaces', {
      headers: { ...ofDirector, authorization: 'Bearer wrong' },
    })
    const id = headers.get('x-request-id')
    assert.match(String(id), uuid)
    assert.deepEqual(
      lines.map(({ message, requestId }) => [message, requestId]),
      [['wrong or missing API token', id]],
    )
  })
})
