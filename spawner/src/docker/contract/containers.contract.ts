import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import type { Person } from '@berth/shared/contract'
import { sharedName, standbyName } from '@berth/shared/names'
import type { EngineEvent, EngineResult } from '../../loop/engine.ts'
import type { TemplateSpec } from '../../templates/template.ts'
import {
  baseImage,
  createEngineUnderTest,
  derivedImage,
  nameOf,
  person,
  run,
  valueOf,
  wanted,
} from './fixture.ts'

describe('containers on a real engine', () => {
  const test = createEngineUnderTest('10.219.3.0/24')
  const { engine, docker, instance, signal, prefix } = test
  before(async () => assert.equal(await engine.createNetwork(0, signal), 'created'))
  after(() => test[Symbol.asyncDispose]())

  const order = (name: string, spec: Partial<TemplateSpec> = {}, owner: Person = person(name)) => ({
    workspace: nameOf(prefix, name),
    template: test.template(spec),
    owner,
    network: 0,
  })
  const create = (...of: Parameters<typeof order>) => engine.createContainer(order(...of), signal)
  const failureOf = (outcome: EngineResult<unknown>) => (outcome.ok ? undefined : outcome.failure)
  const seen = async (name: string) => {
    const { containers } = await engine.takeInventory(signal)
    return containers.filter(({ workspace }) => workspace === nameOf(prefix, name))
  }
  const foreignContainer = async (name: string, more: object = {}) => {
    const options = { name: nameOf(prefix, name), Image: baseImage, Cmd: ['true'], ...more }
    const container = await docker.createContainer(options)
    test.after(() => container.remove({ force: true, v: true }).catch(() => undefined))
    return container
  }

  /** The first event of the kind from now on. */
  const listenFor = async (isWanted: (event: EngineEvent) => boolean) => {
    const listening = new AbortController()
    test.after(async () => listening.abort())
    const opened = Promise.withResolvers<void>()
    const { promise, resolve, reject } = Promise.withResolvers<EngineEvent>()
    void (async () => {
      for await (const event of engine.events(() => opened.resolve(), listening.signal))
        if (isWanted(event)) resolve(event)
    })().catch(reject)
    await opened.promise
    return { event: promise }
  }
  const isUnhealthy = (event: EngineEvent) =>
    event.type === 'container-health' && event.health === 'unhealthy'
  const quick = { startPeriodMs: 1, intervalMs: 100, retries: 1 }

  it('are hardened: no new privileges, no capabilities for a normal user, limits, an init', async () => {
    const { id } = await test.started('ann', {
      user: '1000',
      memoryBytes: 32 * 1024 ** 2,
      pids: 40,
    })
    const status = await run(docker, id, 'cat', '/proc/self/status')
    assert.match(status, /^NoNewPrivs:\s+1$/m)
    for (const kind of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      assert.match(status, new RegExp(`^${kind}:\\s+0+$`, 'm'))
    const { HostConfig, Config } = await docker.getContainer(id).inspect()
    assert.equal(HostConfig.Memory, 32 * 1024 ** 2)
    assert.equal(HostConfig.MemorySwap, HostConfig.Memory)
    assert.equal(HostConfig.PidsLimit, 40)
    assert.equal(HostConfig.NanoCpus, 1e9)
    assert.deepEqual(HostConfig.PortBindings ?? {}, {})
    assert.match(await run(docker, id, 'cat', '/proc/1/cmdline'), /docker-init|tini/)
    assert.equal(Config.Hostname, nameOf(prefix, 'ann'))
  })

  it('are found with their owner and the hash of their options', async () => {
    const owner = { ...person('bea'), email: 'bea@example.com' }
    const { generation, spec, parts } = valueOf(await create('bea', {}, owner))
    const [found, ...more] = await seen('bea')
    const { images } = await engine.takeInventory(signal)
    assert.equal(more.length, 0)
    assert.deepEqual(found, {
      workspace: nameOf(prefix, 'bea'),
      template: prefix,
      kind: 'private',
      owner: { ...owner, groups: [] },
      network: 0,
      container: {
        generation,
        spec,
        parts: wanted(parts),
        status: 'created',
        name: nameOf(prefix, 'bea'),
        imageId: wanted(images.get(baseImage)),
        memoryBytes: 64 * 1024 ** 2,
        port: 8080,
        scheme: 'http',
      },
    })
    assert.equal(spec, engine.specOf(test.template(), owner))
    assert.equal(parts, engine.partsOf(test.template(), owner))
  })

  it('of kind shared or standby are found as such, also after they are renamed', async () => {
    const template = test.template()
    const made = { template, owner: undefined, network: 0 } as const
    const shared = { ...made, kind: 'shared', workspace: sharedName(prefix, 1) } as const
    const standby = { ...made, kind: 'standby', workspace: standbyName(prefix, 2) } as const
    for (const order of [shared, standby]) valueOf(await engine.createContainer(order, signal))
    const { containers } = await engine.takeInventory(signal)
    const found = (kind: string) => wanted(containers.find((each) => each.kind === kind))
    assert.equal(found('shared').owner, undefined)
    assert.equal(found('shared').workspace, shared.workspace)
    assert.equal(found('standby').container.spec, engine.specOf(template, person('abe')))
    const { generation } = found('standby').container
    const name = nameOf(prefix, 'abe')
    valueOf(await engine.renameContainer(generation, name, signal))
    const claimed = (await engine.takeInventory(signal)).containers.find(
      ({ container }) => container.generation === generation,
    )
    assert.equal(claimed?.container.name, name)
    assert.equal(claimed.workspace, standby.workspace)
    valueOf(await engine.startContainer(generation, 0, signal))
    assert.equal(await run(docker, generation, 'hostname'), standby.workspace)
    // Another container does not take the name of the claimed one.
    assert.equal(failureOf(await create('abe'))?.code, 'name_taken')
  })

  it('whose owner cannot be read are no workspace, and their name is taken', async () => {
    const foreign = await foreignContainer('zed', {
      Labels: {
        'berth.instance': instance,
        'berth.workspace': nameOf(prefix, 'zed'),
        'berth.user': ' ',
      },
    })
    assert.deepEqual(await seen('zed'), [])
    const { foreignNames } = await engine.takeInventory(signal)
    assert.ok(foreignNames.includes(nameOf(prefix, 'zed')))
    await foreign.remove()
  })

  it('are created once if several calls ask for the same', async () => {
    const made = await Promise.all([1, 2, 3].map(() => create('cat')))
    assert.equal(new Set(made.map((each) => valueOf(each).generation)).size, 1)
  })

  it('are replaced if the one that exists was created from another template', async () => {
    const former = valueOf(await create('dan', { environment: { A: '1' } }))
    const later = valueOf(await create('dan', { environment: { A: '2' } }))
    assert.notEqual(later.generation, former.generation)
    assert.equal((await seen('dan')).length, 1)
  })

  it('do not replace a foreign container of the same name', async () => {
    const foreign = await foreignContainer('eve')
    assert.equal(failureOf(await create('eve'))?.code, 'name_taken')
    assert.equal((await foreign.inspect()).State.Status, 'created')
    const { foreignNames } = await engine.takeInventory(signal)
    assert.ok(foreignNames.includes(nameOf(prefix, 'eve')))
  })

  it('are refused to a person with the user name of another', async () => {
    valueOf(await create('fay'))
    const other = person('fay', 'u-another')
    assert.equal(failureOf(await create('fay', {}, other))?.code, 'identity_reused')
  })

  it('are refused if the image has a reserved label', async () => {
    const image = await derivedImage(test, `LABEL berth.workspace=${nameOf(prefix, 'gus')}`)
    const refused = failureOf(await engine.ensureImage(test.template({ image }), () => 0, signal))
    assert.match(refused?.detail ?? '', /carries the label berth\.workspace/)
  })

  it('are not ours if their labels come from the image', async () => {
    const labels = {
      'berth.instance': instance,
      'berth.workspace': nameOf(prefix, 'hal'),
      'berth.template': prefix,
      'berth.user': 'hal',
      'berth.subject': 'u-hal',
      'berth.role': 'director',
    }
    const lines = Object.entries(labels).map(([label, value]) => `LABEL ${label}=${value}`)
    const image = await derivedImage(test, lines.join('\n'))
    const foreign = await foreignContainer('hal', { Image: image, Cmd: ['sleep', 'infinity'] })
    await foreign.start()
    assert.deepEqual(await seen('hal'), [])
    const { directors, foreignNames } = await engine.takeInventory(signal)
    assert.deepEqual([...directors], [])
    assert.ok(foreignNames.includes(nameOf(prefix, 'hal')))
    assert.equal(failureOf(await create('hal'))?.code, 'name_taken')
    assert.equal((await foreign.inspect()).State.Running, true)
    assert.equal(await engine.attachDirector(0, foreign.id.slice(0, 12), signal), 'gone')
  })

  it('can be started twice, and both calls return the address', async () => {
    const { id, address } = await test.started('ida')
    assert.equal(valueOf(await engine.startContainer(id, 0, signal)).address, address)
    const [found] = await seen('ida')
    assert.equal(found?.container.address, address)
    assert.equal(found.container.status, 'running')
  })

  it('that end at once report their exit code, and their last log lines are read', async () => {
    const command = [
      'sh',
      '-c',
      "echo to stdout; printf '\\033[31mto stderr\\033[0m\\n' >&2; exit 7",
    ]
    const { generation } = valueOf(await create('jan', { command }))
    const failure = failureOf(await engine.startContainer(generation, 0, signal))
    await docker.getContainer(generation).wait()
    const words = await engine.lastWords(generation, signal)
    assert.deepEqual([...words.log].sort(), ['to stderr', 'to stdout'])
    // The container may still have run when the start was checked.
    if (failure !== undefined) assert.equal(failure.exitCode, 7)
  })

  it('are followed line by line, until they end or the reader leaves', async () => {
    const command = ['sh', '-c', 'echo first; while read line; do echo "$line" >&2; done < /tmp/in']
    const setUp = ['sh', '-c', `mkfifo /tmp/in; exec ${command.map((one) => `'${one}'`).join(' ')}`]
    const { id } = await test.started('lea', { command: setUp })
    const lines: string[] = []
    const leaving = new AbortController()
    const left = (async () => {
      for await (const further of engine.followLog(id, 10, leaving.signal))
        if (further.length > 0) leaving.abort()
    })()
    await left
    for await (const further of engine.followLog(id, 10, signal)) {
      lines.push(...further)
      // The program ends when its input does.
      if (lines.length === 1) await run(docker, id, 'sh', '-c', 'echo second > /tmp/in')
    }
    assert.deepEqual(lines, ['first', 'second'])
    const none = []
    for await (const further of engine.followLog('0'.repeat(64), 10, signal)) none.push(further)
    assert.deepEqual(none, [])
  })

  it('that run out of memory report that', async () => {
    const command = ['sh', '-c', 'tail /dev/zero']
    const { generation } = valueOf(await create('kim', { command, memoryBytes: 8 * 1024 ** 2 }))
    await engine.startContainer(generation, 0, signal)
    await docker.getContainer(generation).wait()
    const { log, outOfMemory } = await engine.lastWords(generation, signal)
    const { State } = await docker.getContainer(generation).inspect()
    if (State.OOMKilled) assert.match(wanted(log.at(-1)), /more than its 8 MiB of memory/)
    assert.equal(outOfMemory, State.OOMKilled ? 8 * 1024 ** 2 : undefined)
    assert.notEqual(State.ExitCode, 0)
    const [found] = await seen('kim')
    assert.equal(found?.container.outOfMemory, State.OOMKilled || undefined)
  })

  it('report as an event that the kernel killed a process in them for memory', async () => {
    const heard = await listenFor(({ type }) => type === 'container-out-of-memory')
    const command = ['sh', '-c', 'tail /dev/zero; sleep infinity']
    const { id } = await test.started('ken', { command, memoryBytes: 8 * 1024 ** 2 })
    assert.equal((await heard.event).generation, id)
  })

  it('tell where something in them listens, only inside or for others too', async () => {
    const listen = (at: string) => `IO::Socket::INET->new(Listen => 1, LocalAddr => "${at}")`
    const program = `my @open = (${listen('127.0.0.1:8888')}, ${listen('0.0.0.0:8001')}); print STDERR "up\\n"; sleep 600`
    const command = ['perl', '-MIO::Socket::INET', '-e', program]
    const { id } = await test.started('lea', { command })
    const follow = { follow: true as const, stdout: true, stderr: true }
    const output = await docker.getContainer(id).logs(follow)
    await once(output, 'data')
    const found = await engine.listeners(id, signal)
    assert.deepEqual(
      [...found].sort((a, b) => a.port - b.port),
      [
        { port: 8001, loopback: false },
        { port: 8888, loopback: true },
      ],
    )
    assert.deepEqual(await engine.listeners('f'.repeat(64), signal), [])
  })

  it('keep the port and the scheme that they were made with', async () => {
    await test.started('lou', { port: 8443, scheme: 'https' })
    const [found] = await seen('lou')
    assert.deepEqual([found?.container.port, found?.container.scheme], [8443, 'https'])
  })

  it('whose health check does not succeed report what it said last', async () => {
    const image = await derivedImage(test, 'HEALTHCHECK CMD no-such-curl http://localhost')
    const heard = await listenFor(isUnhealthy)
    const { id } = await test.started('may', { image, healthcheck: quick })
    await heard.event
    const { health } = await engine.lastWords(id, signal)
    assert.match(wanted(health), /no-such-curl: not found/)
  })

  it('can have another health check than their image, or none', async () => {
    const image = await derivedImage(test, 'HEALTHCHECK CMD false')
    const heard = await listenFor(isUnhealthy)
    const own = { ...quick, test: ['CMD-SHELL', 'echo mine; false'] }
    const { id } = await test.started('meg', { image, healthcheck: own })
    await heard.event
    assert.equal((await engine.lastWords(id, signal)).health, 'mine')
    await test.started('mia', { image, healthcheck: { test: ['NONE'] } })
    const [found] = await seen('mia')
    assert.equal(found?.container.health, undefined)
  })

  it('whose command does not exist fail with the engine’s message', async () => {
    const { generation } = valueOf(await create('leo', { command: ['/no/such/program'] }))
    const outcome = await engine.startContainer(generation, 0, signal)
    // It is the init that looks for the program.
    await docker.getContainer(generation).wait()
    const words = await engine.lastWords(generation, signal)
    const told = `${failureOf(outcome)?.cause ?? ''} ${words.log.join()}`
    assert.match(told, /no such (file|program)|not found/i)
  })

  it('stop by the signal within the timeout, and are killed after it', async () => {
    const trap = (signalName: string, code: number) => [
      'sh',
      '-c',
      `trap 'exit ${code}' ${signalName}; while :; do sleep 0.05; done`,
    ]
    const polite = await test.started('max', { command: trap('INT', 5) })
    const stopped = await engine.stopContainer(
      polite.id,
      { signal: 'SIGINT', timeoutMs: 10_000 },
      signal,
    )
    assert.deepEqual(valueOf(stopped), { exitCode: 5 })
    const again = await engine.stopContainer(polite.id, { signal: '', timeoutMs: 0 }, signal)
    assert.deepEqual(valueOf(again), { exitCode: 5 })
    const deaf = await test.started('ned', { command: ['sh', '-c', "trap '' TERM; sleep 60"] })
    const killed = await engine.stopContainer(deaf.id, { signal: '', timeoutMs: 1_000 }, signal)
    assert.deepEqual(valueOf(killed), { exitCode: 137 })
  })

  it('that are frozen are thawed before the stop, so that the signal reaches them', async () => {
    const command = ['sh', '-c', "trap 'exit 3' TERM; while :; do sleep 0.05; done"]
    const { id } = await test.started('oda', { command })
    await docker.getContainer(id).pause()
    const [frozen] = await seen('oda')
    assert.equal(frozen?.container.status, 'paused')
    const stopped = await engine.stopContainer(id, { signal: '', timeoutMs: 20_000 }, signal)
    assert.deepEqual(valueOf(stopped), { exitCode: 3 })
  })

  it('are removed with the anonymous volumes of their image', async () => {
    const image = await derivedImage(test, 'VOLUME /scratch')
    const { id } = await test.started('pia', { image })
    const { Mounts } = await docker.getContainer(id).inspect()
    const volume = wanted(Mounts.find(({ Destination }) => Destination === '/scratch')?.Name)
    const both = await Promise.all([1, 2].map(() => engine.removeContainer(id, signal)))
    assert.ok(both.every(({ ok }) => ok))
    assert.deepEqual(await seen('pia'), [])
    await assert.rejects(docker.getVolume(volume).inspect(), { statusCode: 404 })
  })

  it('that are gone can be stopped, removed and asked for their log without an error', async () => {
    const gone = 'f'.repeat(64)
    const how = { signal: '', timeoutMs: 0 }
    assert.deepEqual(valueOf(await engine.stopContainer(gone, how, signal)), {})
    assert.ok((await engine.removeContainer(gone, signal)).ok)
    assert.deepEqual(await engine.lastWords(gone, signal), { log: [] })
    assert.ok(!(await engine.startContainer(gone, 0, signal)).ok)
  })

  it('with a health check report their health soon after the start', async () => {
    const image = await derivedImage(test, 'HEALTHCHECK CMD test -e /tmp/up')
    const command = ['sh', '-c', 'touch /tmp/up; sleep infinity']
    const heard = Promise.withResolvers<string>()
    const listening = new AbortController()
    test.after(async () => listening.abort())
    const opened = Promise.withResolvers<void>()
    void (async () => {
      for await (const event of engine.events(() => opened.resolve(), listening.signal))
        if (event.type === 'container-health') heard.resolve(event.health)
    })().catch(heard.reject)
    await opened.promise
    const { id } = await test.started('rob', { image, command })
    const began = performance.now()
    assert.equal(await heard.promise, 'healthy')
    assert.ok(performance.now() - began < 15_000)
    const [found] = await seen('rob')
    assert.equal(found?.container.health, 'healthy')
    assert.equal(found.container.generation, id)
  })

  it('report their death and their removal as events', async () => {
    const listening = new AbortController()
    test.after(async () => listening.abort())
    const opened = Promise.withResolvers<void>()
    const heard: string[] = []
    const ended = (async () => {
      for await (const event of engine.events(() => opened.resolve(), listening.signal)) {
        if (event.type === 'container-died') heard.push(`died ${event.exitCode}`)
        if (event.type === 'container-destroyed') return
      }
    })()
    await opened.promise
    const { id } = await test.started('sue', { command: ['sh', '-c', 'sleep 0.3; exit 4'] })
    await docker.getContainer(id).wait()
    valueOf(await engine.removeContainer(id, signal))
    await ended
    assert.deepEqual(heard, ['died 4'])
  })
})
