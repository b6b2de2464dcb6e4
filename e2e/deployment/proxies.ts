// Proxies that were there before Berth, each in a container of its own on a network of its own: nginx and Apache, with the
// lines that docs/set-up.md has for them.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { selfSigned } from '../engine/certificate.ts'
import { buildImage } from '../engine/image.ts'
import { run } from '../run/command.ts'
import { freePorts } from '../run/free-ports.ts'
import { surroundings } from '../run/surroundings.ts'

export interface ProxyPorts {
  readonly http: number
  readonly https: number
}

export interface Proxies {
  readonly nginx: ProxyPorts
  readonly apache: ProxyPorts
  /** The authority of their certificate. */
  readonly ca: string
  /** Starts them on the network `<instance>-proxy`. The gateway has to be there: nginx looks up its name once, at its start. */
  start(instance: string): Promise<void>
}

/** @param folder where their files may be written */
export async function prepareProxies(folder: string, names: readonly string[]): Promise<Proxies> {
  await mkdir(folder, { recursive: true })
  const { cert } = await selfSigned(folder, names)
  const [nginxHttp = 0, nginxHttps = 0, apacheHttp = 0, apacheHttps = 0] = await freePorts(4)
  const nginx = { http: nginxHttp, https: nginxHttps }
  const apache = { http: apacheHttp, https: apacheHttps }
  const images = { nginx: await buildImage('nginx'), apache: await buildImage('apache') }
  const page = await readFile(join(surroundings.root, 'docs/set-up.md'), 'utf8')

  return {
    nginx,
    apache,
    ca: cert,
    async start(instance) {
      const lines = (text: string): string => text.replaceAll('127.0.0.1', `${instance}-gateway`)
      const [, map = ''] = /`(map \$http_upgrade [^`]+)`/.exec(page) ?? []
      const files = {
        nginx: nginxFile(map, lines(blockOf(page, 'nginx'))),
        apache: apacheFile(lines(blockOf(page, 'apache'))),
      }
      for (const [name, { http, https }] of Object.entries({ nginx, apache })) {
        const kind = name as keyof typeof images
        await writeFile(join(folder, `${name}.conf`), files[kind])
        const labels = [`berth.instance=${instance}`, 'berth.role=proxy']
        await run('docker', [
          ...['run', '--detach', '--network', `${instance}-proxy`],
          ...labels.flatMap((label) => ['--label', label]),
          ...['--publish', `127.0.0.1:${http}:80`, '--publish', `127.0.0.1:${https}:443`],
          ...['--volume', `${folder}:/etc/test:ro`, images[kind]],
        ])
      }
    },
  }
}

function blockOf(page: string, language: string): string {
  const [, block] = new RegExp('```' + language + '\n([\\s\\S]+?)```').exec(page) ?? []
  if (block === undefined) throw new Error(`docs/set-up.md has no lines for ${language}`)
  return block
}

const nginxFile = (map: string, location: string): string => `
daemon off;
pid /tmp/nginx.pid;
error_log /dev/stderr;
events {}
http {
  access_log off;
  ${map}
  server { listen 80; return 308 https://$host$request_uri; }
  server {
    listen 443 ssl;
    ssl_certificate /etc/test/cert.pem;
    ssl_certificate_key /etc/test/key.pem;
    ${location}
  }
}
`

const apacheModules = ['mpm_event', 'authz_core', 'alias', 'ssl', 'socache_shmcb', 'headers']
const apacheProxyModules = ['unique_id', 'proxy', 'proxy_http', 'proxy_wstunnel']

const apacheFile = (lines: string): string => `
ServerRoot /etc/apache2
PidFile /tmp/apache.pid
Mutex pthread
ServerName localhost
${[...apacheModules, ...apacheProxyModules]
  .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
  .join('\n')}
ErrorLog /proc/self/fd/2
Listen 80
Listen 443
<VirtualHost *:80>
  RedirectMatch permanent ^(.*)$ https://localhost$1
</VirtualHost>
<VirtualHost *:443>
  SSLEngine on
  SSLCertificateFile /etc/test/cert.pem
  SSLCertificateKeyFile /etc/test/key.pem
  ${lines}
</VirtualHost>
`
