// The connection to the engine: a local socket, TCP, or ssh. One pool of connections that stay open between calls.
import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import Docker from 'dockerode'
import { isKnownHost } from './known-hosts.ts'

export interface Connection extends Disposable {
  readonly docker: Docker
}

/** Calls run concurrently; each stream (events, pull, wait) occupies a connection. */
const connections = { keepAlive: true, maxSockets: 64, maxFreeSockets: 16 }

/** @param dockerHost `unix:///path`, `tcp://host:port` or `ssh://user@host` */
export function connectEngine(dockerHost: string): Connection {
  const agent = createAgent()
  // dockerode reads a setting that is absent here from the environment.
  const unset = { host: undefined, port: undefined, username: undefined }
  const options = dockerHost.startsWith('unix://')
    ? { ...unset, socketPath: dockerHost.slice('unix://'.length), protocol: 'http' as const, agent }
    : remote(dockerHost, agent)
  return { docker: new Docker(options), [Symbol.dispose]: () => agent.destroy() }
}

function knownHosts(): string {
  try {
    return readFileSync(join(homedir(), '.ssh', 'known_hosts'), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

/**
 * docker-modem formats the options of every request for its debug log, even if the log is off. The agent is one of
 * them, with all its sockets and their buffers: without this, that takes 90 % of the time of a busy spawner.
 */
function createAgent(): Agent {
  const brief = { [inspect.custom]: () => 'Agent' }
  return Object.assign(new Agent(connections), brief)
}

function remote(dockerHost: string, agent: Agent): Docker.DockerOptions & { agent?: Agent } {
  const url = new URL(dockerHost)
  if (url.protocol === 'ssh:') {
    const [host, port] = [url.hostname, url.port === '' ? 22 : Number(url.port)]
    // The ssh agent holds the key to sign in with; known_hosts holds the key of the host.
    const sshOptions = { hostVerifier: (key: Buffer) => isKnownHost(knownHosts(), host, port, key) }
    return { protocol: 'ssh', host, port, username: decodeURIComponent(url.username), sshOptions }
  }
  const protocol = url.protocol === 'https:' ? 'https' : 'http'
  const port = url.port === '' ? 2375 : url.port
  return { protocol, host: url.hostname, port, agent }
}
