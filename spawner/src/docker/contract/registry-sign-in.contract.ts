// Pulls from a real registry that requires a password.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { baseImage, createEngineUnderTest, valueOf } from './fixture.ts'

/** bcrypt of `s3cret`. */
const people = 'puller:$2b$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n'

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** @returns the status of the registry's answer to a request without a password; 0 without an answer */
function knock(port: number): Promise<number> {
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path: '/v2/', agent: false }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    call.on('error', () => resolve(0))
    call.end()
  })
}

describe('a registry that requires a password', { timeout: 120_000 }, () => {
  const folder = mkdtemp(join(tmpdir(), 'berth-contract-registry-'))
  const test = folder.then((dockerConfig) =>
    createEngineUnderTest('10.219.10.0/24', undefined, { dockerConfig }),
  )
  let reference = ''
  let registry = ''

  const writeConfig = async (config: object) =>
    writeFile(join(await folder, 'config.json'), JSON.stringify(config))
  const ensure = async () => {
    const under = await test
    const template = under.template({ image: reference, pull: 'always' })
    return under.engine.ensureImage(template, () => 0, under.signal)
  }

  before(async () => {
    const [root, port] = [await folder, await freePort()]
    registry = `127.0.0.1:${port}`
    reference = `${registry}/team/app:1`
    await writeFile(join(root, 'people'), people)
    const configuration = [
      'version: 0.1',
      'log: { level: error, accesslog: { disabled: true } }',
      `storage: { filesystem: { rootdirectory: ${root}/data } }`,
      `http: { addr: '${registry}', secret: nothing-depends-on-it }`,
      `auth: { htpasswd: { realm: contract, path: ${root}/people } }`,
    ]
    await writeFile(join(root, 'config.yml'), `${configuration.join('\n')}\n`)
    const child = spawn('docker-registry', ['serve', join(root, 'config.yml')], { stdio: 'ignore' })
    const ended = once(child, 'exit')
    const { docker, ...rest } = await test
    rest.after(async () => {
      child.kill('SIGKILL')
      await ended
      await rm(root, { recursive: true, force: true })
    })
    while ((await knock(port)) !== 401) {
      assert.equal(child.exitCode, null, 'the registry ended')
      await sleep(50)
    }
    await docker.getImage(baseImage).tag({ repo: `${registry}/team/app`, tag: '1' })
    const authconfig = { username: 'puller', password: 's3cret', serveraddress: registry }
    const pushed = await docker.getImage(reference).push({ authconfig })
    await new Promise<void>((resolve, reject) =>
      docker.modem.followProgress(pushed, (error) => (error === null ? resolve() : reject(error))),
    )
    await docker.getImage(reference).remove()
  })
  after(async () => (await test)[Symbol.asyncDispose]())

  it('refuses a pull without credentials', async () => {
    const outcome = await ensure()
    assert.match(outcome.ok ? '' : outcome.failure.detail, /refuses access|requires a sign-in/)
  })

  it('refuses a pull if a credential helper keeps the password, and only the log names it', async () => {
    await writeConfig({ auths: {}, credHelpers: { [registry]: 'pass' } })
    const outcome = await ensure()
    assert.ok(!outcome.ok)
    assert.match(outcome.failure.cause ?? '', /docker-credential-pass.*not available/)
    assert.match(outcome.failure.detail, /credentials for its registry could not be read/)
    assert.doesNotMatch(outcome.failure.detail, /docker-credential|REGISTRY_CONFIG/)
  })

  it('refuses a pull with a wrong password, and the error does not show it', async () => {
    const auth = Buffer.from('puller:wr0ng-word').toString('base64')
    await writeConfig({ auths: { [registry]: { auth } } })
    const outcome = await ensure()
    assert.ok(!outcome.ok)
    assert.match(outcome.failure.detail, /refuses access|requires a sign-in/)
    assert.ok(!outcome.failure.detail.includes('wr0ng') && !outcome.failure.detail.includes(auth))
  })

  it('gives the image for the right password, and the inventory has its id', async () => {
    const { docker, engine, signal, ...rest } = await test
    const auth = Buffer.from('puller:s3cret').toString('base64')
    await writeConfig({ auths: { [registry]: { auth } } })
    rest.after(() => docker.getImage(reference).remove())
    valueOf(await ensure())
    const { Id } = await docker.getImage(reference).inspect()
    assert.equal((await engine.takeInventory(signal)).images.get(reference), Id)
  })
})
