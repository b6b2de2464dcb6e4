import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import type { EngineResult } from '../../loop/engine.ts'
import type { TemplateSpec } from '../../templates/template.ts'
import { Secret } from '@berth/shared/secret'
import { baseImage, createEngineUnderTest, nameOf, person, run, valueOf } from './fixture.ts'

describe('volumes on a real engine', () => {
  const test = createEngineUnderTest('10.219.2.0/24')
  const { engine, docker, instance, signal } = test
  before(async () => assert.equal(await engine.createNetwork(0, signal), 'created'))
  // A network has room for thirteen containers.
  afterEach(async () => {
    const { containers } = await engine.takeInventory(signal)
    for (const { container } of containers)
      valueOf(await engine.removeContainer(container.generation, signal))
  })
  after(() => test[Symbol.asyncDispose]())

  const home = { path: '/home/me/deep', volume: '{instance}-{user}-home' }
  const create = (name: string, spec: Partial<TemplateSpec>, subject?: string) =>
    engine.createContainer(
      {
        workspace: nameOf(test.prefix, name),
        template: test.template(spec),
        owner: person(name, subject),
        network: 0,
      },
      signal,
    )
  const codeOf = (outcome: EngineResult<unknown>) => (outcome.ok ? 'ok' : outcome.failure.code)

  it('are writable for the user if the image lacks the path', async () => {
    const { id } = await test.started('ann', { home, user: '1000:1000' })
    assert.equal(await run(docker, id, 'stat', '-c', '%u:%g %a', home.path), '1000:1000 755')
    const wrote = await run(docker, id, 'sh', '-c', `echo kept > ${home.path}/a && id -u`)
    assert.equal(wrote, '1000')
  })

  it('have a size, which the engine tells for those of this instance', async () => {
    const spec = { home, user: '1000:1000' }
    const { id } = await test.started('zoe', spec)
    const wrote = `dd if=/dev/zero of=${home.path}/a bs=1024 count=300 2>/dev/null && echo wrote`
    assert.equal(await run(docker, id, 'sh', '-c', wrote), 'wrote')
    const foreign = `${instance}-foreign`
    await docker.createVolume({ Name: foreign })
    test.after(() => docker.getVolume(foreign).remove())
    const sizes = await engine.volumeSizes(signal)
    const volume = engine.homeOf(test.template(spec), person('zoe'))
    assert.equal(volume, `${instance}-zoe-home`)
    const bytes = sizes.get(volume) ?? 0
    assert.ok(bytes >= 300 * 1024 && bytes < 400 * 1024, `${bytes} bytes`)
    assert.ok(!sizes.has(foreign))
    assert.equal(engine.homeOf(test.template(), person('zoe')), undefined)
  })

  it('are mounted where the image has a link, and the link and the files stay', async () => {
    const image = await imageOf(
      'mkdir -p /data/me /links && ln -s /data/me /home/me && ln -s ../home/me /links/me',
    )
    for (const [name, path] of [
      ['una', '/home/me'],
      ['vic', '/links/me'],
    ] as const) {
      const spec = { image, home: { ...home, path }, user: '1000:1000' }
      const first = await test.started(name, spec)
      assert.equal(await run(docker, first.id, 'readlink', '-f', path), '/data/me')
      assert.equal(await run(docker, first.id, 'stat', '-Lc', '%u:%g', path), '1000:1000')
      assert.equal(
        await run(docker, first.id, 'sh', '-c', `echo kept > ${path}/file && echo wrote`),
        'wrote',
      )
      valueOf(await engine.removeContainer(first.id, signal))
      const second = await test.started(name, spec)
      assert.equal(await run(docker, second.id, 'cat', `${path}/file`), 'kept')
    }
  })

  it('are mounted where the image has a link to a path that does not exist', async () => {
    const image = await imageOf('ln -s /data/none /home/me')
    const spec = { image, home: { ...home, path: '/home/me' }, user: '1000:1000' }
    const { id } = await test.started('wim', spec)
    assert.equal(await run(docker, id, 'sh', '-c', 'echo x > /home/me/a && cat /home/me/a'), 'x')
    assert.equal(await run(docker, id, 'readlink', '/home/me'), '/data/none')
  })

  it('and secrets are put where links lead that need folders of their own, and the links stay', async () => {
    const image = await imageOf(
      'mkdir -p /data/me && ln -s ../data/me /home/me && ln -s ../none/deep /home/keys',
    )
    const secrets = [{ name: 'key', target: '/home/keys/more/key', value: new Secret('s3cret') }]
    // With a slash at the end, an engine tells no target of the link.
    const spec = { image, home: { ...home, path: '/home//me/' }, user: '1000:1000', secrets }
    const { id } = await test.started('zed', spec)
    assert.equal(
      await run(docker, id, 'readlink', '/home/me', '/home/keys'),
      '../data/me\n../none/deep',
    )
    assert.equal(await run(docker, id, 'cat', '/none/deep/more/key'), 's3cret')
    assert.equal(await run(docker, id, 'sh', '-c', 'echo x > /home/me/a && cat /data/me/a'), 'x')
  })

  it('are refused at a loop of links, at a file, and twice at one place, with what the image has there', async () => {
    const image = await imageOf(
      'mkdir /data && ln -s /data /home/me && ln -s loop /home/loop && echo a > /home/file',
    )
    const data = {
      kind: 'volume',
      source: `${instance}-data`,
      target: '/data',
      readOnly: false,
    } as const
    for (const [path, said] of [
      ['/home/loop', /\(\/home\/loop\), because the image has a loop of links/],
      ['/home/file', /\(\/home\/file\), because the image has a file instead/],
      ['/home/file/me', /\(\/home\/file\/me\), because the image has a file/],
      ['/home/me', /lead \/home\/me and \/data to the same folder \(\/data\)/],
    ] as const) {
      const spec = { image, home: { ...home, path }, user: '1000:1000', volumes: [data] }
      const outcome = await create('abe', spec)
      assert.match(outcome.ok ? 'ok' : outcome.failure.detail, said)
    }
    const secrets = [{ name: 'key', target: '/home/file/key', value: new Secret('s3cret') }]
    const outcome = await create('abe', { image, secrets })
    assert.match(outcome.ok ? 'ok' : outcome.failure.detail, /because the image has a file/)
  })

  it('and secrets belong to a user whose id needs more than six octal digits', async () => {
    const secrets = [{ name: 'key', target: '/run/secrets/key', value: new Secret('s3cret') }]
    for (const [name, user] of [
      ['xia', '300000:300001'],
      ['yan', '2147483647:2097152'],
    ] as const) {
      const { id } = await test.started(name, { home, user, secrets })
      assert.equal(await run(docker, id, 'stat', '-c', '%u:%g', home.path), user)
      assert.equal(await run(docker, id, 'stat', '-c', '%u:%g', '/run/secrets/key'), user)
      assert.equal(
        await run(docker, id, 'sh', '-c', `cat /run/secrets/key && touch ${home.path}/x`),
        's3cret',
      )
    }
  })

  it('belong to the ids of a named user and group of the image', async () => {
    const { id } = await test.started('bea', { home, user: 'games:audio' })
    const ids = await run(docker, id, 'sh', '-c', 'id -u games; getent group audio')
    const [uid, group] = ids.split('\n')
    const owner = await run(docker, id, 'stat', '-c', '%u:%g', home.path)
    assert.equal(owner, `${uid}:${group?.split(':')[2]}`)
  })

  it('are removed only for their owner, and only while no container mounts them', async () => {
    const { id } = await test.started('hal', { home })
    const { homes = [] } = await engine.takeInventory(signal)
    const own = homes.find(({ user }) => user === 'hal')
    assert.equal(own?.mounted, true)
    const { volume, user } = own
    assert.equal((await engine.removeHome(volume, user, signal)).ok, false)
    valueOf(await engine.stopContainer(id, { signal: 'SIGKILL', timeoutMs: 1_000 }, signal))
    assert.equal((await engine.removeHome(volume, user, signal)).ok, false)
    valueOf(await engine.removeContainer(id, signal))
    assert.equal((await engine.removeHome(volume, 'eve' as typeof user, signal)).ok, false)
    valueOf(await engine.removeHome(volume, user, signal))
    valueOf(await engine.removeHome(volume, user, signal))
    const after = await engine.takeInventory(signal)
    assert.ok(!after.homes?.some((other) => other.volume === volume))
  })

  it('are refused for a user that the image does not have, with an error, and no container is left', async () => {
    const outcome = await create('cat', { home, user: 'nosuchuser' })
    assert.equal(codeOf(outcome), 'start_failed')
    assert.match(outcome.ok ? '' : outcome.failure.detail, /has no user or group nosuchuser/)
    const { containers } = await engine.takeInventory(signal)
    assert.ok(!containers.some(({ workspace }) => workspace === nameOf(test.prefix, 'cat')))
  })

  it('keep the files and the mode that the owner chose when the container is created again', async () => {
    const first = await test.started('dan', { home, user: '1000' })
    await run(docker, first.id, 'sh', '-c', `echo mine > ${home.path}/file; chmod 711 ${home.path}`)
    valueOf(await engine.removeContainer(first.id, signal))
    const second = await test.started('dan', { home, user: '1000' })
    assert.equal(await run(docker, second.id, 'cat', `${home.path}/file`), 'mine')
    assert.equal(await run(docker, second.id, 'stat', '-c', '%a', home.path), '711')
  })

  it('keep the owner that the image gives the path, if that is the user', async () => {
    const games = { path: '/usr/games', volume: home.volume }
    const { id } = await test.started('eli', { home: games, user: '0' })
    assert.equal(await run(docker, id, 'stat', '-c', '%u', games.path), '0')
  })

  it('are prepared at the start if the spawner died after it created the container', async () => {
    const workspace = nameOf(test.prefix, 'fay')
    const spec = { home, user: '1000' }
    const { generation } = valueOf(await create('fay', spec))
    // The state after a crash: another spawner, and a home that belongs to root.
    const path = home.path.replace('/deep', '')
    const tar = await ownedByRoot('deep')
    await docker.getContainer(generation).putArchive(tar, { path })
    const successor = createEngineUnderTest('10.219.2.0/24', instance)
    valueOf(await successor.engine.startContainer(generation, 0, signal))
    successor.engine[Symbol.dispose]()
    assert.equal(await run(docker, generation, 'stat', '-c', '%u', home.path), '1000', workspace)
  })

  it('hazard: are not taken from a running container of another user, whose name only the image resolves', async () => {
    const first = await test.started('nia', { home, user: '1000:1000' })
    await run(docker, first.id, 'sh', '-c', `echo mine > ${home.path}/file`)
    const other = { home, user: 'games', image: baseImage }
    const [workspace, owner] = [nameOf(test.prefix, 'nia-2'), person('nia')]
    const order = { workspace, owner, template: test.template(other), network: 0 }
    const refused = await engine.createContainer(order, signal)
    const detail = refused.ok ? '' : refused.failure.detail
    assert.equal(codeOf(refused), 'start_failed')
    assert.match(
      detail,
      /volume .*-nia-home is used by .*-nia, which runs as user 1000, and .* as user 5/,
    )
    assert.equal(await run(docker, first.id, 'stat', '-c', '%u', home.path), '1000')
    const { containers } = await engine.takeInventory(signal)
    assert.ok(!containers.some((found) => found.workspace === workspace), 'and nothing is left')

    // When the first one has ended, the second gets the files, and then the first cannot start beside it.
    valueOf(await engine.stopContainer(first.id, { signal: 'KILL', timeoutMs: 0 }, signal))
    const second = valueOf(await engine.createContainer(order, signal))
    valueOf(await engine.startContainer(second.generation, 0, signal))
    assert.equal(await run(docker, second.generation, 'stat', '-c', '%u', home.path), '5')
    const again = await engine.startContainer(first.id, 0, signal)
    assert.match(again.ok ? '' : again.failure.detail, /is used by .*-nia-2, which runs as user 5/)
    valueOf(await engine.stopContainer(second.generation, { signal: 'KILL', timeoutMs: 0 }, signal))
    valueOf(await engine.startContainer(first.id, 0, signal))
    assert.equal(await run(docker, first.id, 'stat', '-c', '%u', home.path), '1000')
  })

  it('are shared at once by containers of the same user, and with root', async () => {
    const first = await test.started('oda', { home, user: '5' })
    for (const [name, user] of [
      ['oda-2', 'games'],
      ['oda-3', '0'],
    ] as const) {
      const [workspace, owner] = [nameOf(test.prefix, name), person('oda')]
      const order = { workspace, owner, template: test.template({ home, user }), network: 0 }
      const { generation } = valueOf(await engine.createContainer(order, signal))
      valueOf(await engine.startContainer(generation, 0, signal))
      valueOf(await engine.removeContainer(generation, signal))
    }
    assert.equal(await run(docker, first.id, 'stat', '-c', '%u', home.path), '5')
  })

  it('that existed before are used as they are if the template only reads them', async () => {
    const Name = `${instance}-datasets`
    const foreign = await docker.createVolume({ Name, Labels: { project: 'x' } })
    test.after(() => foreign.remove())
    const mount = { kind: 'volume', source: Name, target: '/data', readOnly: true } as const
    const { id } = await test.started('pia', { volumes: [mount] })
    assert.match(await run(docker, id, 'sh', '-c', 'touch /data/x'), /Read-only file system/)
    valueOf(await engine.removeContainer(id, signal))
    const writing = await create('pia', { volumes: [{ ...mount, readOnly: false }] })
    assert.equal(codeOf(writing), 'name_taken')
    assert.match(writing.ok ? '' : writing.failure.detail, /read-only|adopt/)
    const personal = { ...mount, source: '{instance}-{user}-old' }
    const old = await docker.createVolume({ Name: `${instance}-pia-old` })
    test.after(() => old.remove())
    assert.equal(codeOf(await create('pia', { volumes: [personal] })), 'name_taken')
  })

  it('hazard: that belong to a person or to another instance are not read as shared data', async () => {
    const { id } = await test.started('rosa', { home })
    valueOf(await engine.removeContainer(id, signal))
    const theirs = `${instance}-rosa-home`
    const Name = `${instance}-of-another`
    const other = await docker.createVolume({ Name, Labels: { 'berth.instance': 'another' } })
    test.after(() => other.remove())
    for (const source of [theirs, Name]) {
      const mount = { kind: 'volume', source, target: '/data', readOnly: true } as const
      assert.equal(codeOf(await create('sid', { volumes: [mount] })), 'name_taken', source)
    }
  })

  it('of the same name that are foreign are refused', async () => {
    const Name = `${instance}-gus-home`
    const foreign = await docker.createVolume({ Name })
    test.after(() => foreign.remove())
    assert.equal(codeOf(await create('gus', { home })), 'name_taken')
    const { Labels } = (await docker.getVolume(Name).inspect()) as { Labels: object | null }
    assert.deepEqual(Labels ?? {}, {})
  })

  it('whose labels were copied from another volume of ours are refused', async () => {
    const Name = `${instance}-hal-home`
    const Labels = {
      'berth.instance': instance,
      'berth.volume': `${instance}-other-home`,
      'berth.user': 'hal',
      'berth.subject': 'u-hal',
    }
    await docker.createVolume({ Name, Labels })
    assert.equal(codeOf(await create('hal', { home })), 'name_taken')
  })

  it('are refused to a person with the user name of another, and the inventory has their subject', async () => {
    valueOf(await create('ida', { home }, 'u-first'))
    const { generation } = valueOf(await create('ida', { home }, 'u-first'))
    valueOf(await engine.removeContainer(generation, signal))
    assert.equal(codeOf(await create('ida', { home }, 'u-second')), 'identity_reused')
    const { subjects } = await engine.takeInventory(signal)
    assert.equal(subjects.get(person('ida').name), 'u-first')
  })

  it('are shared by all people if the name does not contain the user', async () => {
    const volumes = [
      { kind: 'volume' as const, source: `${instance}-data`, target: '/data', readOnly: true },
    ]
    const { id } = await test.started('jan', { volumes })
    await test.started('kim', { volumes })
    const { Labels } = await docker.getVolume(`${instance}-data`).inspect()
    assert.deepEqual(Labels, { 'berth.instance': instance, 'berth.volume': `${instance}-data` })
    assert.match(await run(docker, id, 'sh', '-c', 'touch /data/x'), /Read-only file system/)
  })

  it('are never removed with their container', async () => {
    const { id } = await test.started('leo', { home })
    valueOf(await engine.removeContainer(id, signal))
    const volume = await docker.getVolume(`${instance}-leo-home`).inspect()
    assert.equal(volume.Name, `${instance}-leo-home`)
  })

  /** The base image with the changes of one command. */
  async function imageOf(command: string): Promise<string> {
    const container = await docker.createContainer({
      Image: baseImage,
      Cmd: ['sh', '-c', command],
    })
    await container.start()
    const { StatusCode } = (await container.wait()) as { StatusCode: number }
    assert.equal(StatusCode, 0, command)
    const image = (await container.commit({ changes: ['CMD ["bash"]'] })) as { Id: string }
    await container.remove()
    test.after(() => docker.getImage(image.Id).remove({ force: true }))
    return image.Id
  }

  async function ownedByRoot(name: string): Promise<Buffer> {
    const { pack } = await import('tar-stream')
    const tar = pack()
    tar.entry({ name: `${name}/`, type: 'directory', uid: 0, gid: 0, mode: 0o755 })
    tar.finalize()
    const chunks: Uint8Array[] = []
    for await (const chunk of tar as AsyncIterable<Uint8Array>) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
})
