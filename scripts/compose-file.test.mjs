// @ts-check
// The compose file passes every variable that a service reads to that service, so that the environment can set it.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { directorSettings } from '@berth/shared/director-settings'
import { spawnerSettings } from '../spawner/src/settings.ts'

/**
 * @typedef {{ build?: { context?: string, dockerfile?: string }, healthcheck?: unknown, environment?: Record<string, unknown>, ports?: string[], volumes?: string[], profiles?: string[] }} Service
 * @param {string} name
 * @returns {Promise<Record<string, Service>>} the services of a compose file
 */
const servicesOf = async (name) => {
  const text = await readFile(join(import.meta.dirname, '..', name), 'utf8')
  return parse(text, { merge: true }).services
}
const services = await servicesOf('docker-compose.yml')

/** Fixed inside the container; they have no effect outside of it. */
const fixedInside = new Set(['LISTEN_PORT', 'API_PORT', 'OPS_PORT', 'DATA_DIR'])
/** The docker command reads a variable of the same name with another meaning, so the spawner takes it from the file only. */
const fromFileOnly = new Set(['DOCKER_HOST'])

for (const [service, settings] of Object.entries({
  director: directorSettings,
  spawner: spawnerSettings,
})) {
  test(`the ${service} gets every variable that it reads`, () => {
    const passed = new Set(Object.keys(services[service]?.environment ?? {}))
    const wanted = Object.entries(settings)
      .flatMap(([name, { secret }]) => (secret ? [name, `${name}_FILE`] : [name]))
      .filter((name) => !fixedInside.has(name) && !fromFileOnly.has(name))
    assert.deepEqual(
      wanted.filter((name) => !passed.has(name)),
      [],
    )
  })

  test(`the ${service} gets no variable that it does not read`, () => {
    const known = new Set(Object.entries(settings).flatMap(([name]) => [name, `${name}_FILE`]))
    const others = [
      'GATEWAY_SECRET',
      'GUEST_SECRET',
      'OAUTH2_PROXY_CLIENT_SECRET',
      'OAUTH2_PROXY_COOKIE_SECRET',
    ]
    const passed = Object.keys(services[service]?.environment ?? {})
    assert.ok(passed.length > 0)
    const unknown = passed.filter((name) => !known.has(name) && !others.includes(name))
    assert.deepEqual(unknown, [])
  })
}

test('every service has a health check, of its own or of its image, so that `up --wait` notices one that does not start', async () => {
  for (const [service, { healthcheck, build }] of Object.entries(services)) {
    if (healthcheck !== undefined) continue
    const { context = '.', dockerfile = 'Dockerfile' } = build ?? {}
    const path = join(import.meta.dirname, '..', context, dockerfile)
    assert.match(await readFile(path, 'utf8'), /^HEALTHCHECK /m, service)
  }
})

test('only the spawner has the socket of the engine', () => {
  const mounting = Object.entries(services).flatMap(([service, { volumes = [] }]) =>
    volumes.filter((volume) => volume.includes('docker.sock')).map(() => service),
  )
  assert.deepEqual(mounting, ['spawner'])
})

test('the compose file publishes ports on the loopback address only, except those of the profile edge', () => {
  const { edge, ...others } = services
  assert.deepEqual(edge?.profiles, ['edge'])
  const published = Object.values(others).flatMap(({ ports = [] }) => ports)
  assert.equal(published.length, 2)
  for (const port of published) assert.match(port, /^127\.0\.0\.1:/)
})

test('a compose file of its own publishes the API for scripts, on the loopback address', async () => {
  const { spawner } = await servicesOf('docker-compose.api.yml')
  assert.equal(spawner?.ports?.length, 1)
  assert.match(spawner?.ports?.[0] ?? '', /^127\.0\.0\.1:.*:8082$/)
})

test('a compose file of its own publishes the ports for TCP, on the loopback address unless it is told another', async () => {
  const { director } = await servicesOf('docker-compose.tcp.yml')
  assert.equal(director?.ports?.length, 1)
  assert.match(director?.ports?.[0] ?? '', /^\$\{TCP_ADDRESS:-127\.0\.0\.1\}:/)
})

test('a compose file of its own publishes SSH, on the loopback address unless it is told another', async () => {
  const { director } = await servicesOf('docker-compose.ssh.yml')
  assert.equal(director?.ports?.length, 1)
  assert.match(director?.ports?.[0] ?? '', /^\$\{SSH_PUBLISHED_ON:-127\.0\.0\.1\}:/)
})

test('the compose file for development publishes nothing more', async () => {
  for (const { ports } of Object.values(await servicesOf('docker-compose.dev.yml')))
    assert.equal(ports, undefined)
})
