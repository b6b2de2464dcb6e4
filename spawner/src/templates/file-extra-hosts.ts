// Names in the container's /etc/hosts in the forms of Compose.
import { custom, type Parse } from '@berth/shared/parse'
import type { z } from 'zod'
import { either, list, map, value } from './file-fields.ts'
import * as field from './fields.ts'

const address: Parse<string> = custom((written) => {
  const bare = written.replace(/^\[(.*)\]$/, '$1')
  const isNumber =
    /^(\d{1,3}\.){3}\d{1,3}$/.test(bare) && bare.split('.').every((n) => Number(n) < 256)
  const isSix = bare.includes(':') && URL.canParse(`http://[${bare}]`)
  return bare === 'host-gateway' || isNumber || isSix ? bare : undefined
}, 'must be an IP address, or host-gateway for the host of the engine')

const entry: Parse<string> = (written) => {
  const [, name = '', to = ''] = /^([^:=]*)[:=](.*)$/.exec(written) ?? []
  const host = hostName(name)
  if ('complaint' in host)
    return { complaint: 'must be name=address, such as db.example.com=10.0.0.5' }
  const ip = address(to)
  return 'complaint' in ip ? ip : { value: `${host.value}:${ip.value}` }
}

function hostName(name: string): ReturnType<Parse<string>> {
  return name.startsWith('*') ? { complaint: 'must be the name of a host' } : field.host(name)
}

export const extraHosts = either(
  [
    map(
      either(
        [value(address, 'its address'), list(value(address, 'an address'), 'its addresses')],
        'an address, or a list of addresses',
        'its addresses',
      ),
      'by name',
    ),
    list(value(entry, 'name=address'), 'as name=address'),
  ],
  'a map, or a list of name=address',
  'Further names in `/etc/hosts`: a map of names to addresses, or a list of `name=address` (also `name:address`). `host-gateway` is the host of the engine',
)

/** @returns as the engine takes them: `name:address` */
export function readExtraHosts(
  written: z.infer<typeof extraHosts>,
  complain: (field: string, message: string) => void,
): readonly string[] {
  if (Array.isArray(written)) return written
  return [...written].flatMap(([name, to]) => {
    const host = hostName(name)
    if ('complaint' in host) complain(`extra_hosts.${name}`, host.complaint)
    return [to].flat().map((ip) => `${name.toLowerCase()}:${ip}`)
  })
}
