import assert from 'node:assert/strict'
import { it } from 'node:test'
import { labRoute, startTestBed } from '../testing/test-bed.ts'

it('checks the activity of an application when the spawner orders it, and posts the result', async () => {
  await using bed = await startTestBed()
  const workspace = await bed.workspace((req, res) => {
    const kernels = [{ execution_state: 'busy', last_activity: new Date().toISOString() }]
    const answer = req.url === '/api/status' ? { kernels: 1, connections: 0 } : kernels
    res.end(JSON.stringify(answer))
  })
  await bed.introduce([labRoute])
  const { address } = workspace
  const command = { workspace: 'lab-alice', generation: 'g1', address, deadlineMs: 2_000 }
  bed.spawner.send({ event: 'ask', data: { ...command, path: '/api/status' } })
  await bed.spawner.until(() => bed.spawner.answers.length > 0)
  const [{ lastActivityAgoMs = -1, ...said } = {}] = bed.spawner.answers
  assert.deepEqual(said, {
    director: 'director-1',
    workspace: 'lab-alice',
    generation: 'g1',
    busy: true,
  })
  assert.ok(lastActivityAgoMs >= 0 && lastActivityAgoMs < 60_000)
})
