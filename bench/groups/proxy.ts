// Requests with small answers: the director with everything on, beside Caddy, configurable-http-proxy and nginx, on one
// core each and in turn. The peers write no access log, as nginx's own documentation advises for speed; the director does.
import { loadWith } from '../load/wrk.ts'
import { steadyLoad } from '../load/steady.ts'
import { startCaddy } from '../peers/caddy.ts'
import { startConfigurableHttpProxy } from '../peers/configurable-http-proxy.ts'
import { startNginxApplication, startNginxProxy } from '../peers/nginx.ts'
import { caseOf } from '../report/case.ts'
import { cores, type Group } from '../run/bench.ts'
import { headOf, startDirector } from '../run/director.ts'
import { freePort } from '../../e2e/run/free-ports.ts'

const people = 32
const rounds = 5
const seconds = 4
/** Until the compilers of V8 and Go have seen enough. */
const warmUpSeconds = 10
const steady = { perSecond: 1_000, seconds: 5, connections: people }

export const proxy: Group = async ({ tools, folder, say }) => {
  await using all = new AsyncDisposableStack()
  const upstream = { host: '127.5.0.1', port: await freePort() }
  const application = { tools, folder, cores: cores.beside, listen: upstream, root: folder }
  all.use(await startNginxApplication(application))
  const place = async () => {
    const listen = { host: '127.0.0.1', port: await freePort() }
    return { tools, folder, cores: cores.measured, listen, upstream }
  }
  const peers = {
    caddy: await place(),
    'configurable-http-proxy': await place(),
    nginx: await place(),
  }
  all.use(await startCaddy(peers.caddy))
  all.use(await startConfigurableHttpProxy(peers['configurable-http-proxy']))
  all.use(await startNginxProxy(peers.nginx))
  const director = all.use(await startDirector({ cores: cores.measured, upstream }))

  const heads = Array.from({ length: people }, (_, index) => headOf(`person${index}`))
  const contestants = {
    director: director.at,
    caddy: peers.caddy.listen,
    'configurable-http-proxy': peers['configurable-http-proxy'].listen,
    nginx: peers.nginx.listen,
  }
  const load = { tools, folder, core: cores.beside, heads, connections: people }
  for (const at of Object.values(contestants))
    await loadWith({ ...load, at, seconds: warmUpSeconds })

  const speeds: Record<keyof typeof contestants, number>[] = []
  for (let round = 0; round < rounds; round += 1) {
    const measured: Partial<Record<string, number>> = {}
    for (const [name, at] of Object.entries(contestants)) {
      const { requestsPerSecond, medianMs } = await loadWith({ ...load, at, seconds })
      measured[name] = requestsPerSecond
      say(`${name}: ${Math.round(requestsPerSecond)} requests/s, median ${medianMs} ms`)
    }
    speeds.push(measured as (typeof speeds)[number])
  }
  const latencies = []
  for (let round = 0; round < rounds; round += 1) {
    const through = await steadyLoad({ at: director.at, core: cores.beside, heads, ...steady })
    const direct = await steadyLoad({ at: upstream, core: cores.beside, heads, ...steady })
    say(`at ${steady.perSecond}/s: ${through.medianMs} ms, direct ${direct.medianMs} ms`)
    latencies.push({ ours: through.medianMs, reference: direct.medianMs })
  }
  const against = (name: keyof typeof contestants) =>
    speeds.map((speed) => ({ ours: speed.director, reference: speed[name] }))
  return [
    caseOf('proxy-caddy', 'requests/s', against('caddy'), { ratioAtLeast: 1.1 }),
    caseOf('proxy-chp', 'requests/s', against('configurable-http-proxy'), { ratioAtLeast: 2.3 }),
    caseOf('proxy-nginx', 'requests/s', against('nginx'), { ratioAtLeast: 0.33 }),
    caseOf('latency', 'ms', latencies, { moreByAtMost: 0.5 }),
  ]
}
