// What the containers use: all are read together in one pass, often while somebody looks and rarely otherwise, a few at a
// time. The last hour is kept, a value for each minute.
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import { systemTimer, type SetTimer } from '@berth/shared/timer'
import type { Generation, State } from '../policy/domain.ts'
import { isUp } from '../policy/state/phases.ts'
import type { Engine, UsageReading } from './engine.ts'

export interface UsageNow {
  readonly memoryBytes: number
  /** In per cent of one processor; absent until there are two readings. */
  readonly cpuPercent?: number
}

export interface UsageHistory {
  readonly now: UsageNow
  /** One for each minute, oldest first, at most an hour. */
  readonly minutes: readonly UsageNow[]
}

export interface Usage extends AsyncDisposable {
  of(generation: Generation): UsageHistory | undefined
  /** Of all together; absent until the first pass. */
  total(): UsageHistory | undefined
  /** Somebody looks, until disposed. Calls back after each pass. */
  watch(seen: () => void): Disposable
}

const watchedEveryMs = 10_000
const unwatchedEveryMs = 60_000
const minuteMs = 60_000
const minutesKept = 60
const atOnce = 8
const passMs = 30_000

interface Known extends UsageHistory {
  readonly last: UsageReading
}

export function createUsage(deps: {
  engine: Pick<Engine, 'readUsage'>
  state: () => State
  clock: Clock
  log: Log
  setTimer?: SetTimer
}): Usage {
  const { engine, state, clock, log, setTimer = systemTimer } = deps
  const ends = new AbortController()
  const watchers = new Set<() => void>()
  let known: ReadonlyMap<Generation, Known> = new Map()
  let total: UsageHistory | undefined
  let minuteAt = Number.NEGATIVE_INFINITY
  let passedAt = Number.NEGATIVE_INFINITY
  let timer: Disposable | undefined
  let pass: Promise<void> | undefined

  function plan(): void {
    timer?.[Symbol.dispose]()
    if (ends.signal.aborted || pass !== undefined) return
    const everyMs = watchers.size > 0 ? watchedEveryMs : unwatchedEveryMs
    timer = setTimer(Math.max(0, passedAt + everyMs - clock.now()), run)
  }

  function run(): void {
    passedAt = clock.now()
    pass = look()
      .catch((error: unknown) => {
        if (!ends.signal.aborted) log.warn({ error }, 'usage could not be read')
      })
      .finally(() => {
        pass = undefined
        for (const seen of [...watchers]) seen()
        plan()
      })
  }

  async function look(): Promise<void> {
    if (!state().engine.reachable) return
    const running = [...state().workspaces.values()].flatMap(({ container }) =>
      isUp(container) ? [container.generation] : [],
    )
    const readings = await readAll(running)
    const isNewMinute = passedAt >= minuteAt + minuteMs - 1_000
    if (isNewMinute) minuteAt = passedAt
    known = new Map(
      [...readings].map(([generation, reading]) => [
        generation,
        following(known.get(generation), reading, isNewMinute),
      ]),
    )
    const now = sum([...known.values()].map((one) => one.now))
    total = { now, minutes: withMinute(total?.minutes, now, isNewMinute) }
  }

  async function readAll(
    generations: readonly Generation[],
  ): Promise<ReadonlyMap<Generation, UsageReading>> {
    const readings = new Map<Generation, UsageReading>()
    const signal = AbortSignal.any([ends.signal, abortAfter(passMs)])
    const left = generations.values()
    const work = async (): Promise<void> => {
      for (const generation of left) {
        if (signal.aborted) return
        const outcome = await engine.readUsage(generation, signal)
        if (outcome.ok) readings.set(generation, outcome.value)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    return readings
  }

  plan()
  return {
    of: (generation) => known.get(generation),
    total: () => total,
    watch(seen) {
      const watcher = (): void => seen()
      watchers.add(watcher)
      plan()
      return {
        [Symbol.dispose]() {
          watchers.delete(watcher)
          plan()
        },
      }
    },
    async [Symbol.asyncDispose]() {
      ends.abort()
      timer?.[Symbol.dispose]()
      await pass
    },
  }
}

function following(before: Known | undefined, last: UsageReading, isNewMinute: boolean): Known {
  const elapsedNs = before === undefined ? 0 : (last.at - before.last.at) * 1e6
  const usedNs = before === undefined ? 0 : last.cpuNs - before.last.cpuNs
  const cpu = elapsedNs > 0 && usedNs >= 0 ? { cpuPercent: (usedNs / elapsedNs) * 100 } : {}
  const now = { memoryBytes: last.memoryBytes, ...cpu }
  return { last, now, minutes: withMinute(before?.minutes, now, isNewMinute) }
}

function withMinute(
  minutes: readonly UsageNow[] = [],
  now: UsageNow,
  isNewMinute: boolean,
): readonly UsageNow[] {
  return isNewMinute ? [...minutes, now].slice(-minutesKept) : minutes
}

function sum(all: readonly UsageNow[]): UsageNow {
  const cpus = all.flatMap(({ cpuPercent }) => (cpuPercent === undefined ? [] : [cpuPercent]))
  const add = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
  return {
    memoryBytes: add(all.map(({ memoryBytes }) => memoryBytes)),
    ...(cpus.length === 0 ? {} : { cpuPercent: add(cpus) }),
  }
}
