import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Log } from '@berth/shared/log'
import { createAudit, type AuditEntry } from './audit.ts'

it('an entry is one log line, and is kept', () => {
  const lines: unknown[] = []
  const log = {
    info: (...line: unknown[]) => lines.push(['info', ...line]),
    warn: (...line: unknown[]) => lines.push(['warn', ...line]),
  } as unknown as Log
  const kept: AuditEntry[] = []
  const audit = createAudit(log, (entry) => kept.push(entry))
  const stopped = { at: 1, administrator: 'ann', act: 'stop', target: 'lab-ben' } as const
  audit({ ...stopped, why: 'course is over', outcome: 'done', requestId: 'id-1' })
  audit({ ...stopped, act: 'open', target: 'GET /admin', why: '', outcome: 'refused' })
  assert.deepEqual(lines, [
    [
      'info',
      { user: 'ann', act: 'stop', target: 'lab-ben', why: 'course is over', requestId: 'id-1' },
      'admin acted',
    ],
    ['warn', { user: 'ann', act: 'open', target: 'GET /admin' }, 'admin refused'],
  ])
  assert.equal(kept.length, 2)
})
