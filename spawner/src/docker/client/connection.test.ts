import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { connectEngine } from './connection.ts'

/** The options that dockerode keeps. */
function modemOf(dockerHost: string): Record<string, unknown> {
  return { ...connectEngine(dockerHost).docker.modem }
}

describe('the connection to the engine', () => {
  it('is a local socket, TCP or ssh, and ignores DOCKER_HOST of the process', () => {
    const former = process.env['DOCKER_HOST']
    process.env['DOCKER_HOST'] = 'tcp://somewhere.else:1'
    try {
      const local = modemOf('unix:///run/engine.sock')
      assert.equal(local['socketPath'], '/run/engine.sock')
      assert.equal(local['host'], undefined)
      const tcp = modemOf('tcp://engine.example:2377')
      assert.deepEqual(
        [tcp['protocol'], tcp['host'], tcp['port']],
        ['http', 'engine.example', '2377'],
      )
      const ssh = modemOf('ssh://me@engine.example')
      assert.deepEqual(
        [ssh['protocol'], ssh['host'], ssh['port'], ssh['username']],
        ['ssh', 'engine.example', 22, 'me'],
      )
    } finally {
      if (former === undefined) delete process.env['DOCKER_HOST']
      else process.env['DOCKER_HOST'] = former
    }
  })

  it('hides the sockets and buffers of its agent from the debug log of docker-modem', () => {
    const { agent } = modemOf('unix:///run/engine.sock')
    assert.equal(inspect({ agent }, { showHidden: true, depth: null }), '{ agent: Agent }')
  })
})
