// Volumes from before Berth: copied with everything that they have, or made by hand with the labels of Berth.
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { systemClock as clock } from '@berth/shared/clock'
import { BerthError } from '@berth/shared/problems'
import { openAdoption, type AdoptOrder } from '../volumes/adopt-volume.ts'
import { baseImage, createEngineUnderTest, person, run, valueOf } from './fixture.ts'

describe('the adoption of volumes on a real engine', () => {
  const test = createEngineUnderTest('10.219.14.0/24')
  const { engine, docker, instance, signal } = test
  const adoption = openAdoption({ dockerHost: 'unix:///var/run/docker.sock', instance, clock })
  before(async () => assert.equal(await engine.createNetwork(0, signal), 'created'))
  afterEach(async () => {
    const { containers } = await engine.takeInventory(signal)
    for (const { container } of containers)
      valueOf(await engine.removeContainer(container.generation, signal))
  })
  after(async () => {
    adoption[Symbol.dispose]()
    await test[Symbol.asyncDispose]()
  })

  const home = { path: '/home/me', volume: '{instance}-{user}-home' }
  const user = '1000:100'

  /** A volume as DockerSpawner makes it: no labels, and the name of the person in its own name. */
  async function volumeOf(name: string, script: string): Promise<string> {
    const Name = `jupyterhub-user-${name}-${instance}`
    await docker.createVolume({ Name })
    test.after(() => docker.getVolume(Name).remove({ force: true }))
    await inVolume(Name, `${script}; chown -hR 1000:100 /v`)
    return Name
  }

  async function inVolume(Source: string, script: string): Promise<void> {
    const container = await docker.createContainer({
      Image: baseImage,
      Cmd: ['bash', '-ec', script],
      HostConfig: { Mounts: [{ Type: 'volume', Source, Target: '/v' }] },
    })
    await container.start()
    const { StatusCode } = (await container.wait()) as { StatusCode: number }
    await container.remove()
    assert.equal(StatusCode, 0, script)
  }

  const adopt = (from: string, name: string, more: Partial<AdoptOrder> = {}): Promise<void> => {
    const to = `${instance}-${name}-home`
    const order = { from, to, owner: person(name), merge: false, image: baseImage, ...more }
    return adoption.adopt(order, signal)
  }
  const refusalOf = async (work: Promise<void>): Promise<string> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof BerthError, String(error))
    return `${error.code}: ${error.message}`
  }
  const exists = async (name: string): Promise<boolean> => {
    const { Volumes } = await docker.listVolumes()
    return Volumes.some(({ Name }) => Name === name)
  }

  it('gives a person the files of DockerSpawner, with owners, modes, times and links, and keeps the old volume', async () => {
    const from = await volumeOf(
      'tia',
      'echo mine > /v/file; chmod 600 /v/file; touch -d 2020-01-02T03:04:05Z /v/file; ln /v/file /v/hard; ln -s file /v/soft; mkdir -p /v/.config/deep; echo x > "/v/.config/deep/ü b"; chmod 750 /v',
    )
    await adopt(from, 'tia')
    const { Labels } = await docker.getVolume(`${instance}-tia-home`).inspect()
    assert.deepEqual(Labels, {
      'berth.instance': instance,
      'berth.volume': `${instance}-tia-home`,
      'berth.user': 'tia',
      'berth.subject': 'u-tia',
    })
    const { id } = await test.started('tia', { home, user })
    const told = await run(
      docker,
      id,
      'sh',
      '-c',
      'cd ~/ 2>/dev/null; cd /home/me; cat soft; stat -c "%u:%g %a %Y %h" file; cat ".config/deep/ü b"; stat -c "%u:%g %a" .; touch new && echo wrote',
    )
    assert.equal(told, 'mine\n1000:100 600 1577934245 2\nx\n1000:100 750\nwrote')
    await inVolume(from, 'test "$(cat /v/file)" = mine; test ! -e /v/new')
  })

  it('adds to files that are there only when asked to, and keeps those that it replaces', async () => {
    const from = await volumeOf('ugo', 'echo old > /v/same; echo old > /v/only')
    const { id } = await test.started('ugo', { home, user })
    await run(docker, id, 'sh', '-c', 'echo new > /home/me/same; echo new > /home/me/other')
    assert.match(await refusalOf(adopt(from, 'ugo', { merge: true })), /is used by the container/)
    valueOf(await engine.removeContainer(id, signal))
    assert.match(await refusalOf(adopt(from, 'ugo')), /has files already\. With --merge/)
    await adopt(from, 'ugo', { merge: true })
    const again = await test.started('ugo', { home, user })
    const told = await run(
      docker,
      again.id,
      'sh',
      '-c',
      'cd /home/me; cat same same.~1~ only other',
    )
    assert.equal(told, 'old\nnew\nold\nnew')
  })

  it('shares a volume that a template writes to', async () => {
    const from = await volumeOf('data', 'echo all > /v/a')
    const to = `${instance}-datasets`
    await adopt(from, 'vera', { to, owner: undefined })
    const mount = { kind: 'volume', source: to, target: '/data', readOnly: false } as const
    const { id } = await test.started('vera', { volumes: [mount] })
    assert.equal(await run(docker, id, 'cat', '/data/a'), 'all')
  })

  it('refuses what would lose or mix files, and leaves nothing behind', async () => {
    const from = await volumeOf('wes', 'echo x > /v/a')
    const to = `${instance}-wes-home`
    assert.match(await refusalOf(adopt(`${from}-none`, 'wes')), /There is no volume/)
    assert.match(await refusalOf(adopt(from, 'wes', { to: from })), /name another volume/)
    const busy = await docker.createContainer({
      Image: baseImage,
      Cmd: ['sleep', 'infinity'],
      HostConfig: { Mounts: [{ Type: 'volume', Source: from, Target: '/v' }] },
    })
    await busy.start()
    const used = await refusalOf(adopt(from, 'wes'))
    await busy.remove({ force: true })
    assert.match(used, /is used by the container/)
    await assert.rejects(adopt(from, 'wes', { image: `${instance}/none` }), /No such image/)
    assert.equal(await exists(to), false)
    await adopt(from, 'wes')
    assert.match(
      await refusalOf(adopt(from, 'wes', { owner: person('wes', 'u-other'), merge: true })),
      /^identity_reused/,
    )
    assert.match(
      await refusalOf(adopt(from, 'wes', { owner: person('xia'), merge: true })),
      /^name_taken/,
    )
  })

  it('is not needed for a volume that was made by hand with the four labels, such as from a backup', async () => {
    const Name = `${instance}-yan-home`
    await docker.createVolume({
      Name,
      Driver: 'local',
      Labels: {
        'berth.instance': instance,
        'berth.volume': Name,
        'berth.user': 'yan',
        'berth.subject': 'u-yan',
      },
    })
    const packed =
      'mkdir /tmp/t; echo kept > /tmp/t/a; chown 1000:100 /tmp/t /tmp/t/a; tar -C /tmp/t -cpf /tmp/b.tar .'
    await inVolume(Name, `${packed}; tar -xpf /tmp/b.tar -C /v`)
    const { id } = await test.started('yan', { home, user })
    assert.equal(await run(docker, id, 'cat', '/home/me/a'), 'kept')
    const { subjects, homes = [] } = await engine.takeInventory(signal)
    assert.equal(subjects.get(person('yan').name), 'u-yan')
    assert.ok(homes.some(({ volume }) => volume === Name))
  })
})
