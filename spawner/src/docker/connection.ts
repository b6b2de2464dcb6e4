// The way to the engine: a local socket, TCP, or ssh. One pool of connections that stay open between calls.
import { Agent } from 'node:http'
import { inspect } from 'node:util'
import Docker from 'dockerode'

export interface Connection extends Disposable {
  readonly docker: Docker
}

/** Calls run beside each other; streams (events, pulls, waits) keep a connection each. */
const connections = { keepAlive: true, maxSockets: 64, maxFreeSockets: 16 }

/** @param dockerHost `unix:///path`, `tcp://host:port` or `ssh://user@host` */
export function connectEngine(dockerHost: string): Connection {
  const agent = createAgent()
  // Without an answer here, dockerode would look into the environment by itself.
  const unset = { host: undefined, port: undefined, username: undefined }
  const options = dockerHost.startsWith('unix://')
    ? { ...unset, socketPath: dockerHost.slice('unix://'.length), protocol: 'http' as const, agent }
    : remote(dockerHost, agent)
  return { docker: new Docker(options), [Symbol.dispose]: () => agent.destroy() }
}

/**
 * docker-modem writes the options of every request out for its debug log, whether that is on or not, and the
 * agent is among them with all its sockets and their buffers: 90 % of the time of a busy spawner without this.
 */
function createAgent(): Agent {
  const brief = { [inspect.custom]: () => 'Agent' }
  return Object.assign(new Agent(connections), brief)
}

function remote(dockerHost: string, agent: Agent): Docker.DockerOptions & { agent?: Agent } {
  const url = new URL(dockerHost)
  if (url.protocol === 'ssh:')
    return {
      protocol: 'ssh',
      host: url.hostname,
      port: url.port === '' ? 22 : url.port,
      username: decodeURIComponent(url.username),
    }
  const protocol = url.protocol === 'https:' ? 'https' : 'http'
  const port = url.port === '' ? 2375 : url.port
  return { protocol, host: url.hostname, port, agent }
}
