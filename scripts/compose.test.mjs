// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTroubled, passedOn, socketOf } from './compose.mjs'

test('passes on variables whose names are chosen by the user, without writing down their values', () => {
  const override = passedOn({
    CONTAINER_ENV_TOKEN: 'hush',
    OAUTH2_PROXY_FOO: 'bar',
    CONTAINER_ENV_NONE: '',
    PATH: '/bin',
  })
  assert.deepEqual(override, {
    services: {
      spawner: { environment: { CONTAINER_ENV_TOKEN: null } },
      gateway: { environment: { OAUTH2_PROXY_FOO: null } },
    },
  })
  assert.ok(!JSON.stringify(override).includes('hush'))
})

test('does not blame a service that is up, with or without a health check', () => {
  assert.equal(isTroubled('Up 3 seconds (healthy)'), false)
  assert.equal(isTroubled('Up 3 seconds'), false)
  for (const status of [
    'Exited (1) 2 seconds ago',
    'Restarting (1) 1 second ago',
    'Up 9 seconds (unhealthy)',
    'Up 2 seconds (health: starting)',
  ]) {
    assert.equal(isTroubled(status), true, status)
  }
})

test('gives the spawner the socket of the engine in use, unless DOCKER_SOCKET names another', () => {
  const DOCKER_HOST = 'unix:///run/user/1000/docker.sock'
  assert.deepEqual(socketOf({ DOCKER_HOST }), { DOCKER_SOCKET: '/run/user/1000/docker.sock' })
  assert.deepEqual(socketOf({ DOCKER_HOST, DOCKER_SOCKET: '/mine' }), {})
  assert.deepEqual(socketOf({ DOCKER_HOST: 'unix:///home/u/.docker/desktop/docker.sock' }), {})
  assert.deepEqual(socketOf({ DOCKER_HOST: 'ssh://elsewhere' }), {})
  assert.deepEqual(socketOf({}), {})
})
