// Proof 33: Prometheus scrapes a deployment, by the files of docs/monitoring: every alert and every panel has an answer.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { arrive } from '../clients/arrival.ts'
import { send } from '../clients/http.ts'
import { signIn } from '../clients/people.ts'
import type { Deployment } from '../deployment/deployment.ts'
import { serviceImage } from '../deployment/gateway.ts'
import { inspected, servicesOf } from '../engine/belongings.ts'
import { run } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { surroundings } from '../run/surroundings.ts'

const folder = join(surroundings.root, 'docs/monitoring')
export const prometheusImage = `berth/e2e-prometheus:${surroundings.tag}`
export const prometheusFile = 'docs/monitoring/docker-compose.yml'

const dockerfile = `
FROM ${serviceImage('director')}
USER 0
RUN install -d -o 65534 -g 65534 /prometheus
COPY prometheus /bin/prometheus
USER 65534
ENTRYPOINT ["/bin/prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
CMD []
`

/** Debian's Prometheus, which looks for its files where the image of Prometheus itself does. */
export async function buildPrometheus(): Promise<void> {
  const from = ['--file', '-', surroundings.prometheus]
  const args = ['build', '--quiet', '--tag', prometheusImage, ...from]
  await run('docker', args, { input: dockerfile, withinMs: 120_000 })
}

interface Alerting {
  readonly name: string
  readonly health: string
  readonly query: string
  readonly state: string
}

/** @param deployment with two directors, and with Prometheus */
export function theMetrics(deployment: () => Deployment): void {
  describe('proof 33: the metrics', () => {
    let berth: Deployment
    let origin: string
    before(async () => {
      berth = deployment()
      const [listed] = await servicesOf(berth.engine, berth.instance, 'prometheus')
      const { NetworkSettings } = await inspected(berth.engine, listed?.Id ?? '')
      const address = NetworkSettings.Networks[`${berth.instance}-internal`]?.IPAddress
      origin = `http://${address}:9090`
    })

    async function ask<T>(path: string): Promise<T> {
      const url = new URL(path, origin)
      const place = { host: url.hostname, port: Number(url.port) }
      const answer = await send({ url, place, target: path })
      const text = await answer.text()
      assert.equal(answer.status, 200, `${path}: ${text}`)
      return (JSON.parse(text) as { data: T }).data
    }
    const query = (text: string) =>
      ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `/api/v1/query?query=${encodeURIComponent(text)}`,
      )

    it('are scraped from the spawner and from each director', async () => {
      await eventually('three services are scraped', 90_000, async () => {
        const { result } = await query('berth_ready == 1')
        return result.length === 3 && result
      })
      const { result } = await query('count by (service) (berth_build_info)')
      assert.deepEqual(
        Object.fromEntries(result.map(({ metric, value }) => [metric['service'], value[1]])),
        { director: '2', spawner: '1' },
      )
    })

    it('count what people do, and name nobody', async () => {
      const ann = await signIn(berth.site, 'alice')
      await arrive(ann, '/whoami').then((answer) => answer.leave())
      await eventually('the start is counted', 60_000, async () => {
        const { result } = await query('sum(berth_starts_total{outcome="ready"})')
        return Number(result[0]?.value[1]) >= 1
      })
      const series = await ask<Record<string, string>[]>(
        `/api/v1/series?match[]=${encodeURIComponent('{__name__=~"berth_.+"}')}`,
      )
      assert.ok(series.length > 50)
      for (const labels of series)
        for (const [name, value] of Object.entries(labels))
          assert.doesNotMatch(value, /alice|u-alice/, `${labels['__name__']}{${name}}`)
    })

    it('answer every alert and every panel of the dashboard', async () => {
      const { groups } = await eventually('the alerts are evaluated', 60_000, async () => {
        const rules = await ask<{ groups: { rules: Alerting[] }[] }>('/api/v1/rules')
        const all = rules.groups.flatMap((group) => group.rules)
        return all.length > 15 && all.every(({ health }) => health === 'ok') && rules
      })
      const down = groups
        .flatMap((group) => group.rules)
        .find(({ name }) => name === 'BerthServiceDown')
      assert.equal(down?.state, 'inactive')
      const dashboard = JSON.parse(await readFile(join(folder, 'dashboard.json'), 'utf8')) as {
        panels: { title: string; targets?: { expr: string }[] }[]
      }
      for (const { title, targets = [] } of dashboard.panels)
        for (const { expr } of targets) {
          const { result } = await query(expr.replaceAll('$template', '.*'))
          assert.ok(Array.isArray(result), title)
        }
    })

    it('raise the alarm when a service does not answer', async () => {
      await berth.compose('stop', 'spawner')
      await eventually('the alert is pending', 60_000, async () => {
        const { groups } = await ask<{ groups: { rules: Alerting[] }[] }>('/api/v1/rules')
        const rules = groups.flatMap((group) => group.rules)
        return rules.some(({ name, state }) => name === 'BerthServiceDown' && state !== 'inactive')
      })
      await berth.reconfigure({}, 'spawner')
    })
  })
}
