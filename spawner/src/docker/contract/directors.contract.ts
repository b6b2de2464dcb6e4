import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { baseImage, createEngineUnderTest, nameOf, run } from './fixture.ts'
import { networkName } from '../observe/ownership.ts'

describe('directors on a real engine', () => {
  const test = createEngineUnderTest('10.219.4.0/24')
  const { engine, docker, instance, signal, prefix } = test
  let front: string
  before(async () => {
    front = `${instance}-front`
    const Labels = { 'berth.instance': instance }
    await docker.createNetwork({ Name: front, Labels })
    await Promise.all([engine.createNetwork(0, signal), engine.createNetwork(1, signal)])
  })
  after(() => test[Symbol.asyncDispose]())

  async function startService(labels: Record<string, string>): Promise<string> {
    const container = await docker.createContainer({
      Image: baseImage,
      Cmd: ['sleep', 'infinity'],
      Labels: labels,
      HostConfig: { NetworkMode: front },
    })
    test.after(() => container.remove({ force: true }).catch(() => undefined))
    await container.start()
    return container.id.slice(0, 12)
  }
  const director = () => startService({ 'berth.instance': instance, 'berth.role': 'director' })
  const route = (id: string) => run(docker, id, 'sh', '-c', 'cat /proc/net/route | sed -n 2p')

  it('are attached, found on the network, and can be attached again', async () => {
    const id = await director()
    assert.equal(await engine.attachDirector(0, id, signal), 'attached')
    assert.equal(await engine.attachDirector(0, id, signal), 'attached')
    const { networks, directors } = await engine.takeInventory(signal)
    assert.deepEqual([...(networks.find(({ index }) => index === 0)?.attached ?? [])], [id])
    assert.deepEqual([...(networks.find(({ index }) => index === 1)?.attached ?? [])], [])
    assert.ok(directors.includes(id))
  })

  it('keep their default route on the front network', async () => {
    const id = await director()
    const before = await route(id)
    assert.match(before, /^\w+\s+00000000\s/)
    assert.equal(await engine.attachDirector(0, id, signal), 'attached')
    assert.equal(await engine.attachDirector(1, id, signal), 'attached')
    assert.equal(await route(id), before)
  })

  it('reach the workspace by name; a container on another network does not', async () => {
    const id = await director()
    await test.started('ann')
    assert.equal(await engine.attachDirector(0, id, signal), 'attached')
    const name = nameOf(prefix, 'ann')
    assert.match(await run(docker, id, 'getent', 'hosts', name), /^10\.219\.4\./)
    const stranger = await startService({})
    assert.equal(await run(docker, stranger, 'getent', 'hosts', name), '')
  })

  it('are refused without the label of the role, with another instance, or if they do not run', async () => {
    assert.equal(await engine.attachDirector(0, await startService({}), signal), 'gone')
    const other = await startService({ 'berth.instance': 'x', 'berth.role': 'director' })
    assert.equal(await engine.attachDirector(0, other, signal), 'gone')
    const spawner = { 'berth.instance': instance, 'berth.role': 'spawner' }
    assert.equal(await engine.attachDirector(0, await startService(spawner), signal), 'gone')
    const stopped = await director()
    await docker.getContainer(stopped).kill()
    assert.equal(await engine.attachDirector(0, stopped, signal), 'gone')
    assert.equal(await engine.attachDirector(0, 'f'.repeat(12), signal), 'gone')
  })

  it('are refused if the id is not that of a container', async () => {
    for (const id of ['../networks', 'a b', '', networkName(instance, 0), 'ABCDEF012345'])
      assert.equal(await engine.attachDirector(0, id, signal), 'gone')
  })

  it('cannot be attached to a network that does not exist', async () => {
    assert.equal(await engine.attachDirector(9, await director(), signal), 'failed')
  })

  it('can start again after a network was removed while they were stopped', async () => {
    const id = await director()
    assert.equal(await engine.attachDirector(1, id, signal), 'attached')
    await docker.getContainer(id).kill()
    assert.ok((await engine.removeNetwork(1, signal)).ok)
    await docker.getContainer(id).start()
    const { State } = await docker.getContainer(id).inspect()
    assert.equal(State.Running, true)
  })
})
