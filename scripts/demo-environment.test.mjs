// @ts-check
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { demoValues, ensureDemoEnvironment } from './demo-environment.mjs'
import { parseEnvironment } from './environment-file.mjs'

const folder = await mkdtemp(join(tmpdir(), 'berth-environment-'))
after(() => rm(folder, { recursive: true }))

/** @param {string} name */
const files = async (name) => {
  const example = join(folder, `${name}.example`)
  await writeFile(
    example,
    '# the secret\nINTERNAL_SECRET=\nCONTAINER_IMAGE=an-example\nCONTAINER_COMMAND=its own\n',
  )
  return { path: join(folder, name), example, random: randomBytes }
}

test('the cookie secret has the 32 bytes that oauth2-proxy wants', () => {
  const secret = demoValues(randomBytes)['OAUTH2_PROXY_COOKIE_SECRET'] ?? ''
  assert.equal(Buffer.from(secret, 'base64url').length, 32)
})

test('no two secrets are the same', () => {
  const values = demoValues(randomBytes)
  const secrets = Object.keys(values)
    .filter((name) => name.endsWith('_SECRET'))
    .map((name) => values[name])
  assert.equal(secrets.length, 4)
  assert.equal(new Set(secrets).size, 4)
})

test('makes the file from the example, readable by its owner only', async () => {
  const deps = await files('made')
  assert.equal(await ensureDemoEnvironment(deps), 'made')
  const text = await readFile(deps.path, 'utf8')
  assert.match(
    text,
    /^# the secret\nINTERNAL_SECRET=[0-9a-f]{64}\nCONTAINER_IMAGE=berth\/lab\n#CONTAINER_COMMAND=its own\n/,
  )
  assert.equal((await stat(deps.path)).mode & 0o777, 0o600)
})

test('generates secrets once: a second run changes nothing', async () => {
  const deps = await files('twice')
  await ensureDemoEnvironment(deps)
  const before = await readFile(deps.path, 'utf8')
  assert.equal(await ensureDemoEnvironment(deps), 'present')
  assert.equal(await readFile(deps.path, 'utf8'), before)
})

test('removes the permission of others to read the file', async () => {
  const deps = await files('open')
  await ensureDemoEnvironment(deps)
  await chmod(deps.path, 0o644)
  await ensureDemoEnvironment(deps)
  assert.equal((await stat(deps.path)).mode & 0o777, 0o600)
})

test('replaces the former default port of the identity provider', async () => {
  const deps = await files('port')
  await ensureDemoEnvironment(deps)
  const made = await readFile(deps.path, 'utf8')
  await writeFile(deps.path, made.replace('IDP_PORT:-4191', 'IDP_PORT:-4190'))
  assert.equal(await ensureDemoEnvironment(deps), 'completed')
  assert.equal(await readFile(deps.path, 'utf8'), made)
})

test('keeps the values of an administrator, and adds only missing ones', async () => {
  const deps = await files('kept')
  await writeFile(deps.path, 'INTERNAL_SECRET=of-my-own-making\nCONTAINER_IMAGE=mine\n')
  assert.equal(await ensureDemoEnvironment(deps), 'completed')
  const values = parseEnvironment(await readFile(deps.path, 'utf8'))
  assert.equal(values['INTERNAL_SECRET'], 'of-my-own-making')
  assert.equal(values['CONTAINER_IMAGE'], 'mine')
  assert.match(values['GATEWAY_SECRET'] ?? '', /^[0-9a-f]{64}$/)
})
