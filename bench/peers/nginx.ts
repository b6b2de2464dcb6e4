// nginx: as the application behind every proxy, and as a proxy itself. Both have one worker.
// https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startPinned, type Pinned } from '../run/pinned.ts'
import type { BenchTools } from '../run/tools.ts'

export interface NginxOptions {
  readonly tools: BenchTools
  /** For its configuration and its temporary files. */
  readonly folder: string
  readonly cores: string
  readonly listen: { readonly host: string; readonly port: number }
}

/** Answers `/` with 64 bytes, and `/large` with the file of that name in `root`. */
export async function startNginxApplication(
  options: NginxOptions & { readonly root: string },
): Promise<Pinned> {
  const { host, port } = options.listen
  return start(options, [
    // Clients of the bench keep their connections: a limit on requests would measure reconnecting.
    'keepalive_requests 100000000;',
    'sendfile on;',
    'tcp_nopush on;',
    'client_max_body_size 0;',
    'server {',
    `  listen ${host}:${port} backlog=4096;`,
    `  root ${options.root};`,
    '  default_type application/octet-stream;',
    `  location = / { return 200 "${'x'.repeat(64)}"; }`,
    '  location = /large { }',
    '  location = /upload { return 200; }',
    '}',
  ])
}

export async function startNginxProxy(
  options: NginxOptions & { readonly upstream: { readonly host: string; readonly port: number } },
): Promise<Pinned> {
  const { listen, upstream } = options
  return start(options, [
    'keepalive_requests 100000000;',
    `upstream application { server ${upstream.host}:${upstream.port}; keepalive 64; keepalive_requests 100000000; }`,
    'map $http_upgrade $connection_upgrade { default upgrade; "" ""; }',
    'client_max_body_size 0;',
    'server {',
    `  listen ${listen.host}:${listen.port} backlog=4096;`,
    '  location / {',
    '    proxy_pass http://application;',
    '    proxy_http_version 1.1;',
    '    proxy_set_header Host $host;',
    '    proxy_set_header Upgrade $http_upgrade;',
    '    proxy_set_header Connection $connection_upgrade;',
    '    proxy_request_buffering off;',
    '    proxy_buffering on;',
    '    proxy_max_temp_file_size 0;',
    '    proxy_read_timeout 1h;',
    '  }',
    '}',
  ])
}

async function start(options: NginxOptions, http: readonly string[]): Promise<Pinned> {
  const { tools, folder, cores, listen } = options
  const own = join(folder, `nginx-${listen.port}`)
  await mkdir(own, { recursive: true })
  const file = join(own, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${join(own, kind)};`,
  )
  const text = [
    'daemon off;',
    'worker_processes 1;',
    'worker_rlimit_nofile 65536;',
    `pid ${join(own, 'pid')};`,
    'error_log stderr error;',
    'events { worker_connections 30000; }',
    'http {',
    '  access_log off;',
    ...temporary,
    ...http.map((line) => `  ${line}`),
    '}',
    '',
  ]
  await writeFile(file, text.join('\n'))
  return startPinned(tools.nginx, ['-p', own, '-c', file, '-e', 'stderr'], {
    cores,
    listensAt: listen,
    env: tools.env,
  })
}
