// @ts-check
// docs/monitoring/ names services, ports, metrics and labels that exist, docs/monitoring.md explains every metric, and no
// metric has a label with an unbounded number of values.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { directorSettings } from '@berth/shared/director-settings'
import { createRegistry, startOpsServer } from '@berth/shared/ops-server'
import { parse } from 'yaml'
import { createMetrics as directorMetrics } from '../director/src/listener/metrics.ts'
import { createMetrics as spawnerMetrics } from '../spawner/src/metrics.ts'
import { noLimits } from '../spawner/src/policy/testing/no-limits.ts'
import { spawnerSettings } from '../spawner/src/settings.ts'

const root = join(import.meta.dirname, '..')
/** @param {string} path */
const textOf = (path) => readFile(join(root, path), 'utf8')
const page = await textOf('docs/monitoring.md')
const { scrape_configs: jobs, rule_files: ruleFiles } = parse(
  await textOf('docs/monitoring/prometheus.yml'),
)
const { services, networks } = parse(await textOf('docker-compose.yml'), { merge: true })
const { groups } = parse(await textOf('docs/monitoring/alerts.yml'))
/** @type {{ alert: string, expr: string }[]} */
const alerts = groups.flatMap((/** @type {any} */ group) => group.rules)
const dashboard = JSON.parse(await textOf('docs/monitoring/dashboard.json'))
/** @type {any[]} */
const panels = dashboard.panels

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

/**
 * What each service exports, by name.
 * @returns {Promise<Map<string, Set<string>>>} the labels of each metric
 */
const exported = async () => {
  const director = createRegistry('director', '0.0.0')
  directorMetrics(director)
  const spawner = createRegistry('spawner', '0.0.0')
  spawnerMetrics(spawner).countFrom(() => ({
    workspaces: [],
    queueLength: 0,
    queueEstimateMs: () => 0,
    limits: noLimits,
  }))
  const labels = new Map()
  for (const registry of [director, spawner]) {
    // It registers a metric of its own.
    await using _ops = await startOpsServer({ port: 0, registry, ready: () => true })
    for (const metric of registry.getMetricsAsArray()) {
      const names = /** @type {{ labelNames?: readonly string[] }} */ (metric).labelNames ?? []
      labels.set(metric.name, new Set([...(labels.get(metric.name) ?? []), ...names]))
    }
  }
  return labels
}
const metrics = await exported()

const expressions = [
  ...alerts.map(({ alert, expr }) => ({ where: alert, expr })),
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map((/** @type {{ expr: string }} */ { expr }) => ({ where: title, expr })),
  ),
  ...dashboard.templating.list
    .filter((/** @type {any} */ { type }) => type === 'query')
    .map((/** @type {any} */ { name, query }) => ({ where: name, expr: query })),
]
/** What Prometheus adds to every series. */
const added = ['job', 'instance', 'le']

/** @param {string} name as in an expression @returns the name of the metric that has this series */
const metricOf = (name) =>
  [name, name.replace(/_(bucket|sum|count)$/, '')].find((each) => metrics.has(each))

test('Prometheus finds the services that have metrics, on the network and at the port that they have', () => {
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
  assert.deepEqual(ruleFiles, ['alerts.yml'])
})

test('Prometheus asks for the path at which a service has metrics', async () => {
  const registry = createRegistry('spawner', '0.0.0')
  await using ops = await startOpsServer({ port: 0, registry, ready: () => true })
  for (const { metrics_path: path } of jobs) {
    const answer = await fetch(`http://127.0.0.1:${ops.port}${path}`)
    assert.equal(answer.status, 200, path)
    assert.match(await answer.text(), /berth_build_info/)
  }
})

test('alerts and dashboard name metrics that a service exports, with labels that these have', () => {
  assert.ok(expressions.length > 40)
  for (const { where, expr } of expressions) {
    const names = [...expr.matchAll(/\b(?:berth|process|nodejs)_\w+/g)].map(([name]) => name)
    assert.ok(names.length > 0 || expr.includes('up{'), where)
    const labels = new Set(added)
    for (const name of names) {
      const metric = metricOf(name)
      assert.ok(metric, `${where}: no service exports ${name}`)
      for (const label of metrics.get(metric) ?? []) labels.add(label)
    }
    const used = [
      ...[...expr.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label),
      ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/)),
    ]
    for (const label of used) assert.ok(labels.has(label), `${where}: no label ${label}`)
  }
})

test('each alert has a test in which it fires, and a row in docs/monitoring.md', async () => {
  const { tests } = parse(await textOf('docs/monitoring/alerts.test.yml'))
  const fires = new Set(
    tests
      .flatMap((/** @type {any} */ each) => each.alert_rule_test)
      .filter((/** @type {any} */ { exp_alerts }) => exp_alerts.length > 0)
      .map((/** @type {any} */ { alertname }) => alertname),
  )
  const names = alerts.map(({ alert }) => alert)
  assert.deepEqual(
    names.filter((name) => !fires.has(name)),
    [],
  )
  assert.deepEqual(
    names.filter((name) => !page.includes(`\`${name}\``)),
    [],
  )
})

test('every panel of the dashboard has a place of its own', () => {
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  /** @param {any} panel */
  const cells = ({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`)
  const taken = panels.flatMap(cells)
  assert.equal(new Set(taken).size, taken.length, 'two panels overlap')
  for (const { title, gridPos } of panels) assert.ok(gridPos.x + gridPos.w <= 24, title)
})

test('docs/monitoring.md explains every metric of Berth', () => {
  const own = [...metrics.keys()].filter((name) => name.startsWith('berth_'))
  assert.ok(own.length > 15)
  assert.deepEqual(
    own.filter((name) => !page.includes(`\`${name}`)),
    [],
  )
})

test('hazard: no metric has a label for each person, workspace, address or path', () => {
  const bounded = ['call', 'code', 'finding', 'kind', 'limit', 'node', 'outcome', 'phase']
  bounded.push('protocol', 'service', 'start', 'template', 'version')
  for (const [name, labels] of metrics)
    if (name.startsWith('berth_'))
      for (const label of labels) assert.ok(bounded.includes(label), `${name}{${label}}`)
})
