// @ts-check
// The example for Prometheus in docs/operations.md leads to services, ports and paths that exist.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { directorSettings } from '@berth/shared/director-settings'
import { createRegistry, startOpsServer } from '@berth/shared/ops-server'
import { parse } from 'yaml'
import { spawnerSettings } from '../spawner/src/settings.ts'

const root = join(import.meta.dirname, '..')
const page = await readFile(join(root, 'docs/operations.md'), 'utf8')
const [, example = ''] = /```yaml\n(scrape_configs:\n[^`]*)```/.exec(page) ?? []
const { scrape_configs: jobs } = parse(example)
const { services, networks } = parse(await readFile(join(root, 'docker-compose.yml'), 'utf8'), {
  merge: true,
})

/** @returns {[host: string, port: string][]} */
const targets = () =>
  jobs.flatMap((/** @type {any} */ job) => [
    ...(job.static_configs ?? []).flatMap((/** @type {any} */ each) =>
      each.targets.map((/** @type {string} */ target) => target.split(':')),
    ),
    ...(job.dns_sd_configs ?? []).flatMap((/** @type {any} */ each) =>
      each.names.map((/** @type {string} */ name) => [name, String(each.port)]),
    ),
  ])

test('names the services that have metrics, on the network and at the port that they have', () => {
  assert.deepEqual(
    targets().map(([host]) => host),
    ['spawner', 'director'],
  )
  const defaults = {
    spawner: String(services.spawner.environment.OPS_PORT ?? spawnerSettings.OPS_PORT.default),
    director: String(services.director.environment.OPS_PORT ?? directorSettings.OPS_PORT.default),
  }
  for (const [host, port] of targets()) {
    assert.equal(port, defaults[/** @type {'spawner' | 'director'} */ (host)], host)
    assert.ok(services[host].networks.includes('internal'), host)
  }
  assert.match(networks.internal.name, /-internal$/)
  assert.match(page, /docker network connect berth-internal/)
})

test('names the path at which a service has metrics', async () => {
  const registry = createRegistry('spawner', '0.0.0')
  await using ops = await startOpsServer({ port: 0, registry, ready: () => true })
  for (const { metrics_path: path } of jobs) {
    const answer = await fetch(`http://127.0.0.1:${ops.port}${path}`)
    assert.equal(answer.status, 200, path)
    assert.match(await answer.text(), /berth_build_info/)
  }
})
