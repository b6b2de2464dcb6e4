// What a container was made from, part by part, so that its owner can be told what has changed since. Pure.
import { createHash } from 'node:crypto'

/** As people are told of the engine's options. Any other option is told by its own name. */
const words: Readonly<Record<string, string>> = {
  Image: 'image',
  Entrypoint: 'entrypoint',
  Cmd: 'command',
  User: 'user',
  Env: 'environment',
  Healthcheck: 'health check',
  StopSignal: 'stop signal',
  StopTimeout: 'stop timeout',
  Init: 'init program',
  SecurityOpt: 'security options',
  CapAdd: 'capabilities',
  Runtime: 'runtime',
  ShmSize: 'shared memory',
  Memory: 'memory',
  MemorySwap: 'memory',
  NanoCpus: 'processors',
  PidsLimit: 'number of processes',
  LogConfig: 'logging',
  Devices: 'devices',
  DeviceRequests: 'devices',
  Tmpfs: 'temporary folders',
  Ulimits: 'limits of processes',
  ExtraHosts: 'host names',
  Mounts: 'volumes',
  secrets: 'secrets',
  networks: 'networks',
  egress: 'access to the internet',
}

/**
 * @param options what the hash covers, by the engine's name of each option
 * @returns each part with a hash of it, for the label `berth.parts`: `image=0a1b2c3d,memory=4e5f6a7b`
 */
export function hashParts(options: Readonly<Record<string, unknown>>): string {
  const parts = new Map<string, unknown[]>()
  for (const [name, value] of Object.entries(options)) {
    const word = words[name] ?? name
    parts.set(word, [...(parts.get(word) ?? []), value])
  }
  return [...parts].map(([word, values]) => `${word}=${shortHash(values)}`).join(',')
}

/** Short, as it only has to tell two versions of a template apart. */
function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8)
}
