// @ts-check
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Failure } from './failure.mjs'
import { loadPresentSettings, loadSettings, readSettings } from './settings.mjs'

const folder = await mkdtemp(join(tmpdir(), 'berth-settings-'))
after(() => rm(folder, { recursive: true }))

/**
 * @param {Record<string, string>} file
 * @param {Record<string, string>} [env]
 */
const read = (file, env = {}) => readSettings({ environmentFile: '/x/.env', file, env })

test('uses the documented defaults when nothing is set', () => {
  const { instance, port, idpPort, gateway, mayInstallEngine } = read({})
  assert.deepEqual(
    { instance, port, idpPort, gateway, mayInstallEngine },
    { instance: 'berth', port: 4180, idpPort: 4191, gateway: undefined, mayInstallEngine: true },
  )
})

test('prefers the environment to the file, and ignores empty variables', () => {
  assert.equal(read({ BERTH_PORT: '5000' }, { BERTH_PORT: '6000' }).port, 6000)
  assert.equal(read({ BERTH_PORT: '5000' }, { BERTH_PORT: '' }).port, 5000)
})

test('publishes the API for scripts only if a token is set', () => {
  assert.equal(read({ API_PORT: '9000' }).apiPort, undefined)
  assert.equal(read({ API_TOKEN: 'a token' }).apiPort, 8082)
  assert.equal(read({ API_PORT: '9000' }, { API_TOKEN_FILE: '/run/token' }).apiPort, 9000)
})

test('publishes SSH only if its port is set, and not for several directors', () => {
  assert.equal(read({}).sshPort, undefined)
  assert.equal(read({ SSH_PORT: '2222' }).sshPort, 2222)
  assert.equal(read({ SSH_PORT: '2222', DIRECTORS: '1' }).sshPort, 2222)
  assert.equal(read({ SSH_PORT: '2222', DIRECTORS: '2' }).sshPort, undefined)
})

test('BERTH_INSTALL_ENGINE=0 forbids installing', () => {
  assert.equal(read({}, { BERTH_INSTALL_ENGINE: '0' }).mayInstallEngine, false)
})

test('recognises an engine that DOCKER_HOST or DOCKER_CONTEXT names', () => {
  assert.equal(read({}, { DOCKER_HOST: 'ssh://elsewhere' }).engineChosenElsewhere, true)
  assert.equal(read({}).engineChosenElsewhere, false)
})

for (const [name, value] of [
  ['BERTH_PORT', '0'],
  ['BERTH_PORT', '65536'],
  ['IDP_PORT', '4191x'],
  ['SSH_PORT', 'ssh'],
  ['INSTANCE', 'Berth'],
  ['INSTANCE', '-x'],
  ['GATEWAY', 'nginx'],
]) {
  test(`${name}=${value} is refused, and the error names the variable`, () => {
    assert.throws(
      () => read({ [name ?? '']: value ?? '' }),
      (error) => error instanceof Failure && error.message.includes(`${name} "${value}"`),
    )
  })
}

test('takes the instance from a file with line ends of Windows', async () => {
  await writeFile(join(folder, '.env'), '# ours\r\nINSTANCE=ours\r\nBERTH_PORT=5000\r\n')
  const { instance, port } = await loadSettings(folder, {})
  assert.deepEqual([instance, port], ['ours', 5000])
})

test('reads no other instance from a file that is there and cannot be read', async () => {
  const unreadable = join(folder, 'a-folder')
  await mkdir(unreadable)
  await assert.rejects(loadSettings(folder, { BERTH_ENV_FILE: unreadable }), /cannot be read/)
  const wide = join(folder, 'utf-16')
  await writeFile(wide, Buffer.from('INSTANCE=ours\n', 'utf16le'))
  await assert.rejects(loadSettings(folder, { BERTH_ENV_FILE: wide }), /no text in UTF-8/)
})

test('a file that BERTH_ENV_FILE names may be missing before the first start only', async () => {
  const env = { BERTH_ENV_FILE: join(folder, 'misspelt') }
  assert.equal((await loadSettings(folder, env)).instance, 'berth')
  await assert.rejects(loadPresentSettings(folder, env), /there is no such file/)
  await writeFile(env.BERTH_ENV_FILE, 'INSTANCE=ours')
  assert.equal((await loadPresentSettings(folder, env)).instance, 'ours')
})
