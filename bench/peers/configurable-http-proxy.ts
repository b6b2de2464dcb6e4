// JupyterHub's own proxy. https://github.com/jupyterhub/configurable-http-proxy
import { startPinned, type Pinned } from '../run/pinned.ts'
import { freePort } from '../../e2e/run/free-ports.ts'
import type { ProxyOptions } from './caddy.ts'

export async function startConfigurableHttpProxy(options: ProxyOptions): Promise<Pinned> {
  const { tools, cores, listen, upstream } = options
  const args = [
    ...['--ip', listen.host, '--port', String(listen.port)],
    ...['--api-ip', '127.0.0.1', '--api-port', String(await freePort())],
    ...['--default-target', `http://${upstream.host}:${upstream.port}`],
    ...['--log-level', 'error'],
  ]
  return startPinned(process.execPath, [tools.configurableHttpProxy, ...args], {
    cores,
    listensAt: listen,
    env: { ...tools.env, CONFIGPROXY_AUTH_TOKEN: 'of the bench alone' },
  })
}
