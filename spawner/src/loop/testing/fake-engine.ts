// An engine in memory for the tests of the loop: it carries out each call at once, or holds it until the test lets go.
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { Container, Failure, Inventory, NetworkIndex } from '../../policy/domain.ts'
import type { Engine, EngineEvent, EngineResult } from '../engine.ts'

type CallName = Exclude<keyof Engine, 'events' | 'followLog' | 'specOf' | 'partsOf' | 'homeOf'>

export interface FakeEngine extends Engine {
  /** Every call, in order, as `name subject`. */
  readonly calls: string[]
  /** The next calls of that name wait until let go. */
  hold(name: CallName): { letGo(): void }
  /** The next call of that name fails with that failure. */
  fail(name: CallName, failure: Failure, retry?: boolean): void
  /** The engine stops answering, or answers again. */
  away(isAway: boolean): void
  emit(event: EngineEvent): void
  /** Volumes of people, which the next inventory shows. */
  readonly homes: NonNullable<Inventory['homes']>[number][]
  /** The container logs a line. */
  print(line: string): void
  readonly containers: Map<
    string,
    { workspace: WorkspaceName; owner: Person | undefined; network: number } & Container
  >
}

const ok = <T>(value: T): EngineResult<T> => ({ ok: true, value })

export function createFakeEngine(clock: Clock): FakeEngine {
  const calls: string[] = []
  const containers: FakeEngine['containers'] = new Map()
  const networks = new Map<NetworkIndex, Set<string>>()
  const gates = new Map<CallName, Promise<void>>()
  const failures = new Map<CallName, { failure: Failure; retry: boolean }>()
  let isAway = false
  let made = 0
  const written: string[] = []
  const homes: FakeEngine['homes'] = []
  let logged = Promise.withResolvers<void>()
  let stream = Promise.withResolvers<void>()
  const events: EngineEvent[] = []

  async function enter(name: CallName, subject: string, signal: AbortSignal): Promise<void> {
    calls.push(`${name} ${subject}`.trim())
    const gate = gates.get(name)
    if (gate !== undefined)
      await Promise.race([
        gate,
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
      ])
    if (isAway) throw new Error('connect ECONNREFUSED')
  }

  async function outcome<T>(
    name: CallName,
    subject: string,
    signal: AbortSignal,
    work: () => T,
  ): Promise<EngineResult<T>> {
    try {
      await enter(name, subject, signal)
    } catch (error) {
      const failure = { code: 'engine_unreachable' as const, detail: String(error) }
      return { ok: false, failure, retry: true }
    }
    const planned = failures.get(name)
    failures.delete(name)
    return planned === undefined ? ok(work()) : { ok: false, ...planned }
  }

  async function nextLines(signal: AbortSignal): Promise<readonly string[]> {
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    )
    await Promise.race([logged.promise, aborted])
    return written.splice(0)
  }

  const look = (): Inventory => ({
    startedAt: clock.now(),
    containers: [...containers.values()].map(({ workspace, owner, network, ...container }) => ({
      workspace,
      template: 'lab',
      kind: 'private',
      owner,
      network,
      container,
    })),
    networks: [...networks].map(([index, attached]) => ({
      index,
      egress: 'internet',
      attached: [...attached],
    })),
    foreignIndexes: [],
    foreignNames: [],
    subjects: new Map(),
    directors: ['d1', 'd2'],
    images: new Map(),
    ...(homes.length === 0 ? {} : { homes: [...homes], wallAt: clock.wall() }),
  })

  return {
    calls,
    containers,
    homes,
    hold(name) {
      const { promise, resolve } = Promise.withResolvers<void>()
      gates.set(name, promise)
      return {
        letGo() {
          gates.delete(name)
          resolve()
        },
      }
    },
    fail: (name, failure, retry = false) => void failures.set(name, { failure, retry }),
    away(value) {
      isAway = value
      if (value) stream.resolve()
    },
    print(line) {
      written.push(line)
      logged.resolve()
      logged = Promise.withResolvers()
    },
    emit(event) {
      events.push(event)
      stream.resolve()
    },

    async takeInventory(signal) {
      await enter('takeInventory', '', signal)
      return look()
    },
    async *events(onOpen, signal) {
      if (isAway) throw new Error('connect ECONNREFUSED')
      onOpen()
      signal.addEventListener('abort', () => stream.resolve())
      while (!signal.aborted && !isAway) {
        yield* events.splice(0)
        await stream.promise
        stream = Promise.withResolvers<void>()
      }
    },
    async images(signal) {
      await enter('images', '', signal)
      return []
    },
    ensureImage(_template, onPull, signal) {
      return outcome('ensureImage', '', signal, () => onPull(50))
    },
    createContainer({ workspace, owner, network }, signal) {
      return outcome('createContainer', workspace, signal, () => {
        made += 1
        const container = {
          generation: `g${made}`,
          spec: 'spec',
          parts: 'image=1,memory=1',
          status: 'created' as const,
        }
        containers.set(container.generation, { ...container, workspace, owner, network })
        return container
      })
    },
    startContainer(generation, network, signal) {
      return outcome('startContainer', generation, signal, () => {
        const address = `10.213.0.${network * 16 + 2}`
        const found = containers.get(generation)
        if (found !== undefined)
          containers.set(generation, { ...found, status: 'running', address })
        return { address }
      })
    },
    stopContainer(generation, _options, signal) {
      return outcome('stopContainer', generation, signal, () => {
        const found = containers.get(generation)
        if (found !== undefined) containers.set(generation, { ...found, status: 'exited' })
        logged.resolve()
        logged = Promise.withResolvers()
        return { exitCode: 0 }
      })
    },
    freezeContainer(generation, signal) {
      return outcome('freezeContainer', generation, signal, () => {
        const found = containers.get(generation)
        if (found !== undefined) containers.set(generation, { ...found, status: 'paused' })
      })
    },
    thawContainer(generation, signal) {
      return outcome('thawContainer', generation, signal, () => {
        const found = containers.get(generation)
        if (found !== undefined) containers.set(generation, { ...found, status: 'running' })
      })
    },
    renameContainer(generation, name, signal) {
      return outcome('renameContainer', generation, signal, () => {
        const found = containers.get(generation)
        if (found !== undefined) containers.set(generation, { ...found, name })
      })
    },
    measureCpu: (generation, signal) => outcome('measureCpu', generation, signal, () => 0),
    readUsage: (generation, signal) =>
      outcome('readUsage', generation, signal, () => {
        const at = clock.wall()
        // A quarter of a processor, all the time.
        return { at, cpuNs: at * 250_000, memoryBytes: 100 * 1024 * 1024 }
      }),
    removeContainer(generation, signal) {
      return outcome('removeContainer', generation, signal, () => {
        containers.delete(generation)
      })
    },
    listeners: async () => [],
    async lastWords() {
      return { log: ['last line'] }
    },
    logs: async (_generation, lines) => ['first line', 'last line'].slice(-lines),
    async *followLog(generation, lines, signal) {
      yield ['first line', 'last line'].slice(-lines)
      while (containers.get(generation)?.status === 'running' && !signal.aborted) {
        const further = await nextLines(signal)
        if (further.length > 0) yield further
      }
    },
    async openSession() {
      throw new Error('no session is opened in these tests')
    },
    async admitKey() {
      throw new Error('no key is admitted in these tests')
    },
    endLeftSessions: (generation, user, signal) =>
      outcome('endLeftSessions', `${generation} ${user}`, signal, () => 0),
    removeHome: (volume, _user, signal) => outcome('removeHome', volume, signal, () => undefined),
    async volumeSizes(signal) {
      await enter('volumeSizes', '', signal)
      return new Map([['alice-home', 3 * 2 ** 20]])
    },
    async imageSizes(signal) {
      await enter('imageSizes', '', signal)
      return { count: 12, bytes: 5 * 2 ** 30 }
    },
    async createNetwork(index, signal) {
      const result = await outcome('createNetwork', String(index), signal, () =>
        networks.set(index, new Set()),
      )
      return result.ok ? 'created' : 'failed'
    },
    removeNetwork(index, signal) {
      return outcome('removeNetwork', String(index), signal, () => {
        networks.delete(index)
      })
    },
    async attachDirector(index, director, signal) {
      const result = await outcome('attachDirector', `${index} ${director}`, signal, () =>
        networks.get(index)?.add(director),
      )
      return result.ok ? 'attached' : 'failed'
    },
    specOf: () => 'spec',
    homeOf: ({ spec }, owner) => (spec.home && owner ? `${owner.name}-home` : undefined),
    partsOf: () => 'image=1,memory=1',
  }
}
