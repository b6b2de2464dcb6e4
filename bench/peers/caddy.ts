// Caddy as a reverse proxy on one core. https://caddyserver.com/docs/caddyfile/directives/reverse_proxy
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startPinned, type Pinned } from '../run/pinned.ts'
import type { BenchTools } from '../run/tools.ts'

export interface ProxyOptions {
  readonly tools: BenchTools
  readonly folder: string
  readonly cores: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly upstream: { readonly host: string; readonly port: number }
}

export async function startCaddy(options: ProxyOptions): Promise<Pinned> {
  const { tools, folder, cores, listen, upstream } = options
  const own = join(folder, `caddy-${listen.port}`)
  await mkdir(own, { recursive: true })
  const file = join(own, 'Caddyfile')
  const text = [
    '{',
    '  admin off',
    '  auto_https off',
    '}',
    `http://:${listen.port} {`,
    `  bind ${listen.host}`,
    `  reverse_proxy ${upstream.host}:${upstream.port} {`,
    '    transport http {',
    '      keepalive_idle_conns_per_host 64',
    '    }',
    '  }',
    '}',
    '',
  ]
  await writeFile(file, text.join('\n'))
  return startPinned(tools.caddy, ['run', '--config', file, '--adapter', 'caddyfile'], {
    cores,
    listensAt: listen,
    // One core: more threads that run at once would only take turns.
    env: { ...tools.env, GOMAXPROCS: '1', HOME: own, XDG_DATA_HOME: own, XDG_CONFIG_HOME: own },
  })
}
