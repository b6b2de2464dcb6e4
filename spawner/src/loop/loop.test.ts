import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Route } from '@berth/shared/contract'
import type { State } from '../policy/domain.ts'
import { testTemplate } from '../templates/testing/test-template.ts'
import { routeOf, templateRoutes } from './routes.ts'
import { createTestLoop, startTestLoop, flush, userOf } from './testing/test-loop.ts'

const granted = (reply: { status: string }) => reply.status === 'granted'

describe('the loop', () => {
  it('brings a person from nothing into a container', async () => {
    await using loop = await startTestLoop()
    const { engine, workspaces, director, requestSeat, told } = loop
    director()
    const reply = await requestSeat('ann')
    assert.equal(reply.status, 'granted')
    assert.deepEqual(reply.address, { host: '10.213.0.2', port: 8888 })
    assert.equal(reply.generation, 'g1')
    // The director is attached while the container is made.
    assert.deepEqual(
      engine.calls.filter((call) => !call.startsWith('attach')),
      [
        'takeInventory',
        'createNetwork 0',
        'ensureImage',
        'createContainer lab-ann',
        'startContainer g1',
      ],
    )
    assert.ok(engine.calls.includes('attachDirector 0 d1'))
    assert.deepEqual(told, ['ready cold'])
    assert.equal(workspaces.ready(), true)
  })

  it('answers a hundred requests for one workspace at once by one container', async () => {
    await using loop = await startTestLoop()
    const { engine, director, requestSeat } = loop
    director('d1')
    director('d2')
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_each, at) =>
        requestSeat('ann', { director: at % 2 ? 'd1' : 'd2' }),
      ),
    )
    assert.ok(replies.every(granted))
    assert.equal(engine.calls.filter((call) => call.startsWith('createContainer')).length, 1)
  })

  it('holds the answer no longer than requested, and then tells how the workspace stands', async () => {
    await using loop = await startTestLoop()
    const { engine, time, director, requestSeat } = loop
    director()
    const image = engine.hold('ensureImage')
    const waiting = requestSeat('ann', { waitMs: 400 })
    await flush()
    time.advance(399)
    await flush()
    time.advance(1)
    assert.deepEqual(await waiting, { status: 'waiting', workspace: 'lab-ann', phase: 'pulling' })
    image.letGo()
    assert.equal((await requestSeat('ann')).status, 'granted')
  })

  it('holds a background request while the application is asked whether it is busy', async () => {
    await using loop = await startTestLoop()
    const { time, workspaces, config, director, requestSeat } = loop
    const lab = config.templates.get('lab')
    assert.ok(lab !== undefined)
    const asking = { ...lab, policy: { ...lab.policy, activityPath: '/api/kernels' } }
    workspaces.reconfigure({ ...config, templates: new Map([['lab', asking]]) })
    const { commands } = director()
    const reply = await requestSeat('ann')
    assert.ok(reply.status === 'granted')
    time.advance(60_000)
    await flush()
    assert.equal(commands.at(-1)?.event, 'ask')
    const polled = requestSeat('ann', { start: 'no' })
    await flush()
    const { workspace, generation } = reply
    workspaces.reportActivityCheck({ director: 'd1', workspace, generation, busy: true })
    assert.equal((await polled).status, 'granted')
  })

  it('counts the time that the answer was held into the lease', async () => {
    await using loop = await startTestLoop()
    const { engine, time, director, requestSeat } = loop
    director()
    const image = engine.hold('ensureImage')
    const asked = requestSeat('ann')
    await flush()
    time.advance(2_500)
    image.letGo()
    const reply = await asked
    assert.ok(reply.status === 'granted')
    assert.equal(reply.leaseMs, 12_500)
  })

  it('tells with a grant when the lifetime ends, by the wall clock', async () => {
    await using loop = await startTestLoop()
    const { time, workspaces, config, director, requestSeat } = loop
    const lab = config.templates.get('lab')
    assert.ok(lab !== undefined)
    const limited = { ...lab, policy: { ...lab.policy, maxLifetimeMs: 30_000 } }
    workspaces.reconfigure({ ...config, templates: new Map([['lab', limited]]) })
    director()
    const startedAt = time.clock.wall()
    await requestSeat('ann')
    time.advance(5_000)
    const answer = await requestSeat('ann')
    assert.ok(answer.status === 'granted')
    assert.equal(answer.endsAt, new Date(startedAt + 30_000).toISOString())
  })

  it('ends a held request whose caller has gone', async () => {
    await using loop = await startTestLoop()
    const { engine, time, director, requestSeat } = loop
    director()
    engine.hold('ensureImage')
    const gone = new AbortController()
    const asked = requestSeat('ann', {}, gone.signal)
    await flush()
    const before = time.pending()
    gone.abort()
    assert.equal((await asked).status, 'waiting')
    assert.ok(time.pending() < before, 'its timers are gone with it')
  })

  it('keeps a person in the queue whose request is held for longer than presence lasts', async () => {
    await using loop = await startTestLoop({ limits: { maxWorkspaces: 1 } })
    const { time, workspaces, director, requestSeat } = loop
    director()
    assert.ok(granted(await requestSeat('ann')))
    const waiting = requestSeat('bob', { waitMs: 300_000 })
    await flush()
    time.advance(45_000)
    await flush()
    const view = workspaces.view(userOf('bob'), 'lab')
    assert.equal(view.status.phase, 'queued')
    assert.equal(view.status.position, 1)
    // ann's workspace falls idle, and bob gets the place.
    time.advance(60_000)
    await flush()
    assert.ok(granted(await waiting))
  })

  it('lets a person leave the queue who made one request only', async () => {
    await using loop = await startTestLoop({ limits: { maxWorkspaces: 1 } })
    const { time, workspaces, director, requestSeat } = loop
    director()
    await requestSeat('ann')
    assert.equal((await requestSeat('bob', { waitMs: 0 })).status, 'waiting')
    time.advance(31_000)
    assert.equal(workspaces.view(userOf('bob'), 'lab').status.phase, 'absent')
  })

  it('renews the leases of the person’s own seats that are reported, and no others', async () => {
    await using loop = await startTestLoop()
    const { workspaces, director, requestSeat } = loop
    director()
    await requestSeat('ann')
    const seats = [
      { workspace: 'lab-ann', user: userOf('ann').name, lastUseAgoMs: 0, connections: 0 },
      { workspace: 'lab-bob', user: userOf('bob').name, lastUseAgoMs: 0, connections: 0 },
      { workspace: 'lab-ann', user: userOf('eve').name, lastUseAgoMs: 0, connections: 0 },
    ]
    assert.deepEqual(await workspaces.reportActivity('d1', seats), [
      {
        workspace: 'lab-ann',
        user: 'ann',
        generation: 'g1',
        leaseMs: 10_000,
        unusedEndsInMs: 60_000,
      },
    ])
  })

  it('stops an idle workspace, starts it again, and removes it later', async () => {
    await using loop = await startTestLoop()
    const { engine, time, director, requestSeat, told } = loop
    director()
    await requestSeat('ann')
    time.advance(61_000)
    await flush()
    assert.equal(engine.containers.get('g1')?.status, 'exited')
    assert.ok(granted(await requestSeat('ann')))
    assert.deepEqual(told, ['ready cold', 'ready stopped'])
    time.advance(61_000)
    await flush()
    time.advance(61_000)
    await flush()
    assert.equal(engine.containers.size, 0)
  })

  it('tells a failure with the last log lines of the container, and starts again on request', async () => {
    await using loop = await startTestLoop()
    const { engine, workspaces, director, requestSeat, told } = loop
    director()
    engine.fail('startContainer', { code: 'start_failed', detail: 'It ended.', exitCode: 3 })
    const reply = await requestSeat('ann')
    assert.ok(reply.status === 'refused')
    assert.equal(reply.failure.code, 'start_failed')
    await flush()
    const { failure } = workspaces.view(userOf('ann'), 'lab')
    assert.deepEqual(failure?.log, ['last line'])
    assert.equal(failure.exitCode, 3)
    assert.ok(told.includes('failed') && told.includes('refused start_failed'))
    workspaces.requestStart(userOf('ann'), 'lab')
    assert.ok(granted(await requestSeat('ann')))
  })

  it('retries a step that failed by the engine', async () => {
    await using loop = await startTestLoop()
    const { engine, time, director, requestSeat } = loop
    director()
    engine.fail('createContainer', { code: 'engine_unreachable', detail: 'away' }, true)
    const asked = requestSeat('ann')
    await flush()
    time.advance(1_100)
    assert.ok(granted(await asked))
  })

  it('abandons a pull that nobody waits for, and ignores its late result', async () => {
    await using loop = await startTestLoop()
    const { engine, time, workspaces, director, requestSeat } = loop
    director()
    const image = engine.hold('ensureImage')
    const asked = requestSeat('ann')
    await flush()
    time.advance(1)
    workspaces.cancelStart(userOf('ann'), 'lab')
    assert.equal((await asked).status, 'refused')
    await flush()
    image.letGo()
    assert.ok(granted(await requestSeat('ann')))
  })

  it('adopts a workspace that it finds running, without touching it', async () => {
    await using loop = createTestLoop()
    const { engine, workspaces, director, requestSeat } = loop
    engine.containers.set('g9', {
      generation: 'g9',
      spec: 'spec',
      status: 'running',
      address: '10.213.0.34',
      startedAt: -60_000,
      workspace: 'lab-ann' as never,
      owner: userOf('ann'),
      network: 2,
    })
    await engine.createNetwork(2, new AbortController().signal)
    await workspaces.start()
    director()
    const reply = await requestSeat('ann')
    assert.ok(reply.status === 'granted')
    assert.equal(reply.generation, 'g9')
    assert.ok(!engine.calls.some((call) => /^(start|create)Container/.test(call)))
  })

  it('has the sessions ended that an earlier run of the spawner left, of a frozen workspace once it is thawed', async () => {
    const login = { method: 'exec', shell: '/bin/sh', user: '1000' } as const
    const lab = testTemplate('lab', { ssh: login, policy: { idleFreezeMs: 60_000 } })
    await using loop = createTestLoop({ templates: [lab] })
    const { engine, workspaces, director, requestSeat } = loop
    for (const [at, [user, status]] of [
      ['ann', 'running'],
      ['bob', 'paused'],
    ].entries()) {
      await engine.createNetwork(2 + at, new AbortController().signal)
      engine.containers.set(`g${at}`, {
        generation: `g${at}`,
        spec: 'spec',
        status: status as 'running' | 'paused',
        address: `10.213.0.${34 + at * 16}`,
        startedAt: -60_000,
        workspace: `lab-${user}` as never,
        owner: userOf(String(user)),
        network: 2 + at,
      })
    }
    const ended = () => engine.calls.filter((call) => call.startsWith('endLeftSessions'))
    await workspaces.start()
    director()
    await flush()
    assert.deepEqual(ended(), ['endLeftSessions g0 1000'])
    assert.ok(granted(await requestSeat('bob')))
    await flush()
    assert.deepEqual(ended(), ['endLeftSessions g0 1000', 'endLeftSessions g1 1000'])
    assert.ok(granted(await requestSeat('cid')))
    await flush()
    assert.equal(ended().length, 2, 'a container of this run has none')
  })

  it('introduces a director again on its second stream, and drops only the stream that ends', async () => {
    await using loop = await startTestLoop()
    const { director } = loop
    const first = director()
    await flush()
    const second = director()
    await flush()
    first.connection[Symbol.dispose]()
    assert.deepEqual(
      [first, second].map(({ commands }) => commands.map(({ event }) => event)),
      [['routes'], ['routes']],
    )
    const [routes] = second.commands
    assert.ok(routes?.event === 'routes')
    assert.deepEqual(routes.data.routes, [
      {
        template: 'lab',
        prefix: 'lab',
        port: 8888,
        hosts: [],
        shared: false,
        readyPath: '/ready',
        groups: [],
        passIdentity: [],
        passTokens: [],
        backgroundRequests: ['GET /api/*'],
        connectionIdleMs: 60_000,
      },
    ])
  })

  it('tells directors where a template opens, below its own prefix', () => {
    const path = { prefix: '/desk', strip: true }
    const open = '/vnc.html?path={prefix}/ws'
    const template = testTemplate('desk', { open, route: { hosts: [], path } })
    assert.equal(routeOf(template).open, '/vnc.html?path=/desk/ws')
    assert.equal(routeOf({ ...template, route: { hosts: ['x.org'] } }).open, '/vnc.html?path=/ws')
    assert.equal('open' in routeOf(testTemplate('lab')), false)
  })

  it('has the directors probe, from where the requests will come', async () => {
    await using loop = await startTestLoop()
    const { director, requestSeat } = loop
    const { commands } = director()
    await requestSeat('ann')
    const probe = commands.find(({ event }) => event === 'probe')
    assert.ok(probe?.event === 'probe')
    assert.deepEqual(
      [probe.data.workspace, probe.data.generation, probe.data.path],
      ['lab-ann', 'g1', '/ready'],
    )
  })

  it('calls followers back at each phase, and not after they have left', async () => {
    await using loop = await startTestLoop()
    const { workspaces, director, requestSeat } = loop
    director()
    const phases = new Set<string>()
    let calls = 0
    const following = workspaces.follow(userOf('ann'), 'lab', () => {
      calls += 1
      phases.add(workspaces.view(userOf('ann'), 'lab').status.phase)
    })
    await requestSeat('ann')
    assert.deepEqual([...phases], ['pulling', 'creating', 'starting', 'probing', 'ready'])
    following[Symbol.dispose]()
    const before = calls
    workspaces.requestStart(userOf('ann'), 'lab')
    assert.equal(calls, before)
  })

  it('says that the engine does not answer, and continues when it answers again', async () => {
    await using loop = createTestLoop()
    const { engine, time, workspaces, director, requestSeat } = loop
    engine.away(true)
    await workspaces.start()
    director()
    assert.equal(workspaces.ready(), false)
    const reply = await requestSeat('ann')
    assert.ok(reply.status === 'refused')
    assert.equal(reply.failure.code, 'engine_unreachable')
    await flush()
    engine.away(false)
    time.advance(10_000)
    await flush()
    assert.equal(workspaces.ready(), true)
    assert.ok(granted(await requestSeat('ann')))
  })

  it('takes an inventory after the events broke off, and trusts it', async () => {
    await using loop = await startTestLoop()
    const { engine, time, workspaces, director, requestSeat } = loop
    director()
    await requestSeat('ann')
    engine.away(true)
    await flush()
    assert.equal(workspaces.ready(), false)
    engine.containers.clear()
    engine.away(false)
    time.advance(10_000)
    await flush()
    assert.equal(workspaces.ready(), true)
    assert.equal(workspaces.view(userOf('ann'), 'lab').status.phase, 'absent')
  })

  it('takes an inventory at regular intervals', async () => {
    await using loop = await startTestLoop()
    const { engine, time } = loop
    const looks = () => engine.calls.filter((call) => call === 'takeInventory').length
    const before = looks()
    for (let minute = 0; minute < 3; minute += 1) {
      time.advance(60_000)
      await flush()
    }
    assert.equal(looks(), before + 3)
  })

  it('records the end of a container that the engine reports', async () => {
    await using loop = await startTestLoop()
    const { engine, workspaces, director, requestSeat } = loop
    director()
    await requestSeat('ann')
    engine.emit({ type: 'container-died', generation: 'g1', exitCode: 1 })
    await flush()
    assert.equal(workspaces.view(userOf('ann'), 'lab').status.phase, 'stopped')
  })

  it('can be paused at a named point, and continues from there', async () => {
    const gate = Promise.withResolvers<void>()
    const points: string[] = []
    const reached = (point: string) => {
      points.push(point)
      return point === 'before-create-container' ? gate.promise : undefined
    }
    await using loop = await startTestLoop({ reached })
    const { engine, director, requestSeat } = loop
    director()
    const asked = requestSeat('ann')
    await flush()
    assert.ok(!engine.calls.includes('createContainer lab-ann'))
    gate.resolve()
    assert.ok(granted(await asked))
    assert.deepEqual(points.slice(0, 2), ['before-inventory', 'after-inventory'])
    assert.ok(points.includes('after-start-container'))
  })

  it('answers all held requests and leaves the workspaces alone when it ends', async () => {
    const { engine, workspaces, director, requestSeat } = createTestLoop()
    await workspaces.start()
    director()
    await requestSeat('ann')
    engine.hold('ensureImage')
    const asked = requestSeat('bob')
    await flush()
    await workspaces[Symbol.asyncDispose]()
    const reply = await asked
    assert.ok(reply.status === 'refused')
    assert.equal(reply.failure.code, 'shutting_down')
    assert.equal(engine.containers.get('g1')?.status, 'running')
    const late = await requestSeat('cat')
    assert.ok(late.status === 'refused')
    assert.equal(late.failure.code, 'shutting_down')
    await workspaces[Symbol.asyncDispose]()
  })

  it('finds the only template by an empty name', () => {
    const { workspaces } = createTestLoop()
    assert.deepEqual(workspaces.templateNamed('lab'), { name: 'lab', title: 'Lab' })
    assert.deepEqual(workspaces.templateNamed(''), { name: 'lab', title: 'Lab' })
    assert.equal(workspaces.templateNamed('constructor'), undefined)
  })
})

describe('templates that change while the loop runs', () => {
  const routesOf = (commands: readonly { event: string; data: unknown }[]) =>
    commands
      .filter(({ event }) => event === 'routes')
      .map(({ data }) => (data as { routes: Route[] }).routes.map(({ template }) => template))

  it('are served at once, and every introduced director gets all routes again', async () => {
    await using loop = await startTestLoop()
    const { workspaces, config, director, requestSeat } = loop
    const [first, second] = [director('d1'), director('d2')]
    await flush()
    assert.equal((await requestSeat('ann', { template: 'hello' })).status, 'refused')
    const hello = testTemplate('hello')
    workspaces.reconfigure({
      ...config,
      templates: new Map([...config.templates, ['hello', hello]]),
    })
    for (const { commands } of [first, second])
      assert.deepEqual(routesOf(commands), [['lab'], ['lab', 'hello']])
    assert.ok(granted(await requestSeat('ann', { template: 'hello' })))
    assert.deepEqual(workspaces.templateNamed('hello'), { name: 'hello', title: 'hello' })
    assert.equal(workspaces.templateNamed(''), undefined, 'there is not one alone any more')
  })

  it('send nothing to directors where the routes stay as they were', async () => {
    await using loop = await startTestLoop()
    const { workspaces, config, director } = loop
    const { commands } = director()
    await flush()
    workspaces.reconfigure({ ...config, limits: { ...config.limits, maxWorkspaces: 7 } })
    assert.deepEqual(routesOf(commands), [['lab']])
    assert.equal(workspaces.counts().limits.maxWorkspaces, 7)
  })

  it('admit people who waited for a limit that was raised', async () => {
    await using loop = await startTestLoop({ limits: { maxWorkspaces: 1 } })
    const { workspaces, config, director, requestSeat } = loop
    director()
    await requestSeat('ann')
    const waiting = requestSeat('bob')
    await flush()
    workspaces.reconfigure({ ...config, limits: { ...config.limits, maxWorkspaces: 2 } })
    assert.ok(granted(await waiting))
  })

  it('notify the followers of a workspace', async () => {
    await using loop = await startTestLoop()
    const { workspaces, config } = loop
    let told = 0
    const following = workspaces.follow(userOf('ann'), 'lab', () => (told += 1))
    workspaces.reconfigure({ ...config, templates: new Map() })
    assert.equal(told, 1)
    following[Symbol.dispose]()
  })

  it('give a workspace a route of its own for as long as it exists', async () => {
    const workspaceRoutes = ({ workspaces }: State): Route[] => {
      const [route] = templateRoutes({ templates: new Map([['hex', testTemplate('hex')]]) })
      return [...workspaces.keys()].map((workspace) => ({ ...route!, workspace }))
    }
    await using loop = await startTestLoop({ workspaceRoutes })
    const { workspaces, director, requestSeat } = loop
    const { commands } = director()
    await requestSeat('ann')
    assert.deepEqual(routesOf(commands), [['lab'], ['lab', 'hex']])
    workspaces.cancelStart(userOf('ann'), 'lab')
  })

  it('hazard: reports of use do not look through all routes', async () => {
    let looks = 0
    const workspaceRoutes = (): Route[] => {
      looks += 1
      return []
    }
    await using loop = await startTestLoop({ workspaceRoutes })
    const { workspaces, director, requestSeat, time } = loop
    const { id } = director()
    const granted = await requestSeat('ann')
    assert.ok(granted.status === 'granted')
    time.advance(1_000)
    const before = looks
    const { workspace } = granted
    for (let round = 0; round < 10; round += 1) {
      time.advance(1_000)
      const seat = { workspace, user: userOf('ann').name, lastUseAgoMs: 0, connections: 1 }
      assert.equal((await workspaces.reportActivity(id, [seat])).length, 1)
    }
    assert.equal(looks, before)
  })
})
