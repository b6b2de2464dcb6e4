// The whole loop on a real engine, stopped at each of its named points: the next spawner finds everything again.
import assert from 'node:assert/strict'
import { noLimits } from '../../policy/testing/no-limits.ts'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '@berth/shared/clock'
import type { Command, SeatAnswer } from '@berth/shared/contract'
import { createLog } from '@berth/shared/log'
import { createLoop } from '../../loop/loop.ts'
import type { Engine } from '../../loop/engine.ts'
import type { PausePoint } from '../../loop/pause-points.ts'
import type { PolicyConfig, SeatRefusal } from '../../policy/domain.ts'
import type { Template } from '../../templates/template.ts'
import { baseImage, createEngineUnderTest, nameOf, person, run } from './fixture.ts'

/** The points that a first start passes. */
const starting: readonly PausePoint[] = [
  'before-inventory',
  'after-inventory',
  'before-create-network',
  'after-create-network',
  'before-pull-image',
  'after-pull-image',
  'before-attach-director',
  'after-attach-director',
  'before-create-container',
  'after-create-container',
  'before-start-container',
  'after-start-container',
]
/** The points that an end passes. */
const ending: readonly PausePoint[] = [
  'before-stop-container',
  'after-stop-container',
  'before-remove-container',
  'after-remove-container',
]

describe('a spawner that dies on a real engine', () => {
  const test = createEngineUnderTest('10.219.6.0/24')
  const { engine, docker, instance, prefix } = test
  const home = { path: '/home/me', volume: '{instance}-{user}-home' }
  let director = ''
  before(async () => {
    const Labels = { 'berth.instance': instance, 'berth.role': 'director' }
    const options = { Image: baseImage, Cmd: ['sleep', 'infinity'], Labels }
    const container = await docker.createContainer(options)
    await container.start()
    director = container.id.slice(0, 12)
  })
  after(() => test[Symbol.asyncDispose]())

  function config(idleStopMs: number): PolicyConfig {
    const base = test.template({ home, user: '1000' })
    const policy = { ...base.policy, idleStopMs, idleRemoveMs: idleStopMs }
    const template: Template = { ...base, policy }
    return {
      limits: noLimits,
      templates: new Map([[template.name, template]]),
      lease: { leaseMs: 200, marginMs: 100 },
      spareNetworks: 0,
      networkCount: 16,
      presenceMs: 30_000,
      forgetAfterMs: 3_600_000,
      retryAfterMs: 200,
      specOf: (of, owner) => engine.specOf(of, owner),
      partsOf: (of, owner) => engine.partsOf(of, owner),
    }
  }

  /** Dies at a point: calls that it has begun go on at the engine, and it does nothing more. */
  function spawner(diesAt?: PausePoint, idleStopMs = 0) {
    const died = Promise.withResolvers<void>()
    let isDead = false
    const never = new Promise<never>(() => undefined)
    const reached = (point: PausePoint) => {
      if (point === diesAt) {
        isDead = true
        died.resolve()
      }
      return isDead ? never : undefined
    }
    const loop = createLoop({
      engine: untilDead(engine, () => isDead, never),
      config: config(idleStopMs),
      reconcileEveryMs: 500,
      clock,
      log: createLog({ service: 'test', level: 'silent' }),
      observer: {
        inventoryTaken: () => undefined,
        ready: () => undefined,
        startFailed: () => undefined,
        activityUnknown: () => undefined,
        refused: () => undefined,
        reclaimed: () => undefined,
      },
      reached,
    })
    const probe = (command: Command) => {
      if (command.event !== 'probe') return
      const { workspace, generation } = command.data
      queueMicrotask(() =>
        loop.reportProbe({ director, workspace, generation, reachable: true, ms: 1 }),
      )
    }
    // Releases the timers and the stream of the dead spawner; a real one would not end in order.
    test.after(async () => void loop[Symbol.asyncDispose]())
    return {
      loop,
      died: died.promise,
      async start() {
        void loop.start()
        loop.connectDirector(director, probe)
      },
      ask: (name: string): Promise<SeatAnswer | SeatRefusal> =>
        loop.requestSeat(
          {
            director,
            user: person(name),
            template: prefix,
            protocol: 'http',
            waitMs: 30_000,
            start: 'start',
            navigation: false,
          },
          new AbortController().signal,
        ),
    }
  }

  async function ownOf(name: string) {
    const { containers, networks } = await engine.takeInventory(test.signal)
    const workspace = nameOf(prefix, name)
    return { own: containers.filter((each) => each.workspace === workspace), networks }
  }

  for (const [at, point] of starting.entries())
    it(`${point}: the next spawner grants one container, with its home`, async () => {
      const name = `p${at}`
      const first = spawner(point)
      await first.start()
      void first.ask(name)
      await first.died
      const second = spawner()
      await second.start()
      const reply = await askUntilAnswered(() => second.ask(name))
      await second.loop[Symbol.asyncDispose]()
      assert.equal(reply.status, 'granted', JSON.stringify(reply))
      const { own } = await ownOf(name)
      assert.equal(own.length, 1)
      assert.ok(reply.status === 'granted')
      assert.equal(own[0]?.container.generation, reply.generation)
      const owner = await run(docker, reply.generation, 'stat', '-c', '%u', home.path)
      assert.equal(owner, '1000')
      await clearAway()
    })

  for (const [at, point] of ending.entries())
    it(`${point}: the next spawner completes the end`, async () => {
      const name = `e${at}`
      const first = spawner(point, 400)
      await first.start()
      assert.equal((await first.ask(name)).status, 'granted')
      await first.died
      const second = spawner(undefined, 400)
      await second.start()
      await gone(name)
      await second.loop[Symbol.asyncDispose]()
      await clearAway()
    })

  /** The next test begins with an empty engine, because the pool is small. */
  async function clearAway(): Promise<void> {
    const { containers, networks } = await engine.takeInventory(test.signal)
    await Promise.all(
      containers.map(({ container }) => engine.removeContainer(container.generation, test.signal)),
    )
    await Promise.all(networks.map(({ index }) => engine.removeNetwork(index, test.signal)))
  }

  async function gone(name: string): Promise<void> {
    const isGone = async () => (await ownOf(name)).own.length === 0
    const enough = new AbortController()
    const deadline = AbortSignal.any([enough.signal, AbortSignal.timeout(30_000)])
    const opened = Promise.withResolvers<void>()
    const heard = (async () => {
      for await (const event of engine.events(() => opened.resolve(), deadline))
        if (event.type === 'container-destroyed' && (await isGone())) return
    })()
    await opened.promise
    if (!(await isGone())) return heard
    enough.abort()
    await heard.catch(() => undefined)
  }

  async function askUntilAnswered(
    ask: () => Promise<SeatAnswer | SeatRefusal>,
  ): Promise<SeatAnswer | SeatRefusal> {
    for (;;) {
      const reply = await ask()
      if (reply.status !== 'refused' || reply.failure.code !== 'engine_unreachable') return reply
    }
  }
})

/** Passes calls on as long as the spawner lives; later answers never arrive. */
function untilDead(engine: Engine, isDead: () => boolean, never: Promise<never>): Engine {
  return new Proxy(engine, {
    get(target, name: keyof Engine) {
      if (name === 'specOf' || name === 'partsOf' || name === 'homeOf')
        return (...options: Parameters<Engine['specOf']>) => target[name](...options)
      if (name === 'events')
        return async function* (...options: Parameters<Engine['events']>) {
          for await (const event of target.events(...options)) {
            if (isDead()) await never
            yield event
          }
        }
      return async (...options: unknown[]) => {
        if (isDead()) return never
        const method = Reflect.get(target, name) as (...all: unknown[]) => Promise<unknown>
        const answer = await method(...options)
        return isDead() ? never : answer
      }
    },
  })
}
