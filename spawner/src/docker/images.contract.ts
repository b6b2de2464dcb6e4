import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import { baseImage, createEngineUnderTest } from './contract-fixture.ts'

describe('images on a real engine', () => {
  const test = createEngineUnderTest('10.219.5.0/24')
  const { engine, signal } = test
  after(() => test[Symbol.asyncDispose]())

  const ensure = async (image: string, percents: number[] = []) => {
    const template = test.template({ image })
    const outcome = await engine.ensureImage(template, (percent) => percents.push(percent), signal)
    return outcome.ok ? undefined : outcome.failure
  }

  it('are there at once where they are there', async () => {
    const percents: number[] = []
    assert.equal(await ensure(baseImage, percents), undefined)
    assert.deepEqual(percents, [])
  })

  it('named berth/... are built, never pulled', async () => {
    const percents: number[] = []
    const failure = await ensure('berth/no-such-image', percents)
    assert.equal(failure?.code, 'image_missing')
    assert.match(failure.detail, /has not been built on this engine/)
    assert.deepEqual(percents, [])
  })

  it('of a registry that does not listen are told apart', async () => {
    const failure = await ensure('127.0.0.1:1/some/image:1')
    assert.match(failure?.detail ?? '', /registry of the image .* cannot be reached/)
  })

  /** As much of a registry as it takes to say no. */
  async function registry(status: number, code: string): Promise<string> {
    const headers = { 'docker-distribution-api-version': 'registry/2.0' }
    const server = createServer((request, response) => {
      if (request.url === '/v2/') return response.writeHead(200, headers).end('{}')
      const body = JSON.stringify({ errors: [{ code, message: 'no' }] })
      return response
        .writeHead(status, { ...headers, 'content-type': 'application/json' })
        .end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    test.after(async () => server.close())
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('that the registry does not have are told apart', async () => {
    const failure = await ensure(`${await registry(404, 'MANIFEST_UNKNOWN')}/some/image:1`)
    assert.match(failure?.detail ?? '', /registry has no image|does not exist/)
  })

  it('that the registry denies are told apart', async () => {
    const failure = await ensure(`${await registry(403, 'DENIED')}/some/image:1`)
    assert.match(failure?.detail ?? '', /refuses access|wants a sign-in/)
  })
})
