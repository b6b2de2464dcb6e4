// @ts-check
// The compose file hands every variable that a service reads on to it, so that the environment can set it.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { directorSettings } from '../director/src/config.ts'
import { spawnerSettings } from '../spawner/src/settings.ts'

/** @param {string} name */
const read = (name) => readFile(join(import.meta.dirname, '..', name), 'utf8')
const text = await read('docker-compose.yml')

/**
 * What stands under `environment:` of a service.
 * @param {string} service
 */
const environmentOf = (service) => {
  const block = new RegExp(`^  ${service}:\\n((?:    .*\\n|\\n)+)`, 'm').exec(text)?.[1] ?? ''
  const environment = /^    environment:\n((?:      .*\n)+)/m.exec(block)?.[1] ?? ''
  return new Set([...environment.matchAll(/^      ([A-Z][A-Z0-9_]*):/gm)].map(([, name]) => name))
}

/** Inside a container of its own these are the image's business, and nobody outside sees them. */
const fixedInside = new Set(['LISTEN_PORT', 'API_PORT', 'OPS_PORT', 'DATA_DIR'])
/** The command line has a variable of this name, which means another thing; the spawner's comes from the file. */
const fromFileOnly = new Set(['DOCKER_HOST'])

for (const [service, settings] of Object.entries({
  director: directorSettings,
  spawner: spawnerSettings,
})) {
  test(`the ${service} gets every variable that it reads`, () => {
    const passed = environmentOf(service)
    const wanted = Object.entries(settings)
      .flatMap(([name, { secret }]) => (secret ? [name, `${name}_FILE`] : [name]))
      .filter((name) => !fixedInside.has(name) && !fromFileOnly.has(name))
    assert.deepEqual(
      wanted.filter((name) => !passed.has(name)),
      [],
    )
  })

  test(`the ${service} gets no variable that nobody reads`, () => {
    const known = new Set(Object.entries(settings).flatMap(([name]) => [name, `${name}_FILE`]))
    const others = ['GATEWAY_SECRET', 'OAUTH2_PROXY_CLIENT_SECRET', 'OAUTH2_PROXY_COOKIE_SECRET']
    const unknown = [...environmentOf(service)].filter(
      (name) => name && !known.has(name) && !others.includes(name),
    )
    assert.deepEqual(unknown, [])
  })
}

test('nobody but the spawner has the socket of the engine', () => {
  const mounts = text.split('\n').filter((line) => /^\s+- .*docker\.sock/.test(line))
  assert.equal(mounts.length, 1)
  const spawner = text.slice(text.indexOf('\n  spawner:'), text.indexOf('\n  idp:'))
  assert.ok(spawner.includes(mounts[0] ?? '-'))
})

test('nothing is published but on the loopback address', () => {
  const published = [...text.matchAll(/^    ports: \['(.*?)'\]/gm)].map(([, port]) => port)
  assert.equal(published.length, 2)
  for (const port of published) assert.match(port ?? '', /^127\.0\.0\.1:/)
})

test('the API for scripts is published by a file of its own, on the loopback address', async () => {
  assert.match(await read('docker-compose.api.yml'), /^    ports: \['127\.0\.0\.1:.*:8082'\]$/m)
})
