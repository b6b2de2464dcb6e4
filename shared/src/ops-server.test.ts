import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRegistry, startOpsServer } from './ops-server.ts'
import { parseSubnetPool } from './subnet-pool.ts'

describe('ops server', () => {
  it('is healthy as soon as it answers, and ready when the service says so', async () => {
    let ready = false
    const registry = createRegistry('director', '0.1.0')
    await using ops = await startOpsServer({ port: 0, registry, ready: () => ready })
    const status = async (path: string) =>
      (await fetch(`http://127.0.0.1:${ops.port}${path}`)).status
    assert.equal(await status('/healthz'), 200)
    const metrics = async () => (await fetch(`http://127.0.0.1:${ops.port}/metrics`)).text()
    assert.equal(await status('/readyz'), 503)
    assert.match(await metrics(), /^berth_ready 0$/m)
    ready = true
    assert.equal(await status('/readyz?verbose'), 200)
    assert.match(await metrics(), /^berth_ready 1$/m)
    assert.equal(await status('/'), 404)
  })

  it('shows the metrics, with the version that runs', async () => {
    const registry = createRegistry('director', '0.1.0')
    await using ops = await startOpsServer({ port: 0, registry, ready: () => true })
    const text = await (await fetch(`http://127.0.0.1:${ops.port}/metrics`)).text()
    assert.match(text, /berth_build_info\{service="director",version="0\.1\.0",node="v\d+/)
    assert.match(text, /process_cpu_seconds_total/)
  })

  it('refuses connections from the network of workspaces', async () => {
    const refuseFrom = parseSubnetPool('127.0.0.0/8')
    assert(refuseFrom !== undefined)
    const registry = createRegistry('director', '0.1.0')
    await using ops = await startOpsServer({ port: 0, registry, ready: () => true, refuseFrom })
    await assert.rejects(fetch(`http://127.0.0.1:${ops.port}/healthz`))
  })
})
