import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import {
  baseImage,
  createEngineUnderTest,
  derivedImage,
  nameOf,
  person,
  valueOf,
} from './fixture.ts'

describe('images on a real engine', () => {
  const test = createEngineUnderTest('10.219.5.0/24')
  const { engine, signal } = test
  after(() => test[Symbol.asyncDispose]())

  const ensure = async (image: string, percents: number[] = []) => {
    const template = test.template({ image })
    const outcome = await engine.ensureImage(template, (percent) => percents.push(percent), signal)
    return outcome.ok ? undefined : outcome.failure
  }

  it('that exist are not pulled', async () => {
    const percents: number[] = []
    assert.equal(await ensure(baseImage, percents), undefined)
    assert.deepEqual(percents, [])
  })

  it('have a number, and a size in which layers that they share count once', async () => {
    const id = await derivedImage(test, 'ENV BERTH_TEST=1')
    const { count, bytes } = await engine.imageSizes(signal)
    const { Size } = await test.docker.getImage(id).inspect()
    assert.ok(count > 1, `${count} images`)
    assert.ok(bytes >= Size, `${bytes} bytes`)
  })

  it('named berth/... are never pulled', async () => {
    const percents: number[] = []
    const failure = await ensure('berth/no-such-image', percents)
    assert.equal(failure?.code, 'image_missing')
    assert.match(failure.detail, /has not been built on this engine/)
    assert.deepEqual(percents, [])
  })

  it('fail with an error of their own if the registry does not listen', async () => {
    const failure = await ensure('127.0.0.1:1/some/image:1')
    assert.match(failure?.detail ?? '', /registry of the image .* cannot be reached/)
  })

  it('with labels for Berth or Orca are listed by each of their names', async () => {
    const { docker, instance } = test
    const id = await derivedImage(test, 'LABEL berth.image.kind=web\nLABEL orca.port=80')
    const plain = await derivedImage(test, 'LABEL some.other=1')
    const [repo, other] = [`${instance}/described`, `${instance}/plain`]
    for (const tag of ['1', '2']) await docker.getImage(id).tag({ repo, tag })
    await docker.getImage(plain).tag({ repo: other, tag: '1' })
    const listed = (await engine.images(signal)).filter(({ reference }) =>
      reference.startsWith(instance),
    )
    const labels = { 'berth.image.kind': 'web', 'orca.port': '80' }
    assert.deepEqual(
      listed.toSorted((a, b) => (a.reference < b.reference ? -1 : 1)),
      ['1', '2'].map((tag) => ({ reference: `${repo}:${tag}`, id, labels })),
    )
  })

  it('whose name moved are found under their new id', async () => {
    const { docker, instance } = test
    const repo = `${instance}/moving`
    const former = await derivedImage(test, 'LABEL version=1')
    const later = await derivedImage(test, 'LABEL version=2')
    await docker.getImage(former).tag({ repo, tag: 'latest' })
    const template = test.template({ image: repo })
    assert.equal(await engine.createNetwork(0, signal), 'created')
    const order = { workspace: nameOf(test.prefix, 'ann'), owner: person('ann'), network: 0 }
    valueOf(await engine.createContainer({ ...order, template }, signal))
    const before = await engine.takeInventory(signal)
    assert.equal(before.images.get(repo), former)
    assert.equal(before.containers[0]?.container.imageId, former)
    await docker.getImage(later).tag({ repo, tag: 'latest' })
    const after = await engine.takeInventory(signal)
    assert.equal(after.images.get(repo), later)
    assert.equal(after.containers[0]?.container.imageId, former)
  })

  /** A registry that refuses every request. */
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

  it('fail with an error of their own if the registry does not have them', async () => {
    const failure = await ensure(`${await registry(404, 'MANIFEST_UNKNOWN')}/some/image:1`)
    assert.match(failure?.detail ?? '', /registry has no image|does not exist/)
  })

  it('fail with an error of their own if the registry denies access', async () => {
    const failure = await ensure(`${await registry(403, 'DENIED')}/some/image:1`)
    assert.match(failure?.detail ?? '', /refuses access|requires a sign-in/)
  })
})
