// How long one decision takes with many workspaces and as many people in the queue.
//   node bench/decide.ts [workspaces, 2000] [seconds for each kind of event, 2]
// Times are processor time: other work on the machine falsifies them less than time on the clock.
import { decide } from '../spawner/src/policy/decide.ts'
import type { Event, State } from '../spawner/src/policy/domain.ts'
import { nameOf, person, Scenario, seatRequest } from '../spawner/src/policy/testing/scenario.ts'

const count = Number(process.argv[2] ?? 2_000)
const secondsEach = Number(process.argv[3] ?? 2)

const say = (line: string) => void process.stdout.write(`${line}\n`)

const limits = { maxWorkspaces: count }
const config = { networkCount: count + 16, presenceMs: 1e9 }
const policy = { idleStopMs: 1e9, idleRemoveMs: 1e9 }

/** The first inventory finds the workspaces running, as after a restart. Then as many people ask and have to wait. */
function crowded(): State {
  const story = new Scenario({ limits, config, policy })
  const { now } = story
  const names = Array.from({ length: count }, (_, at) => `p${at}`)
  story.looks({
    startedAt: now,
    networks: names.map((_, index) => ({ index, egress: 'internet', attached: ['d1'] })),
    containers: names.map((name, network) => ({
      workspace: nameOf(name),
      template: 'lab',
      kind: 'private',
      owner: person(name),
      network,
      container: {
        generation: `g-${name}`,
        spec: 'spec-1',
        status: 'running',
        startedAt: now - 600_000,
        address: `10.213.${network >> 4}.${(network & 15) * 16 + 2}`,
      },
    })),
  })
  story.connects()
  story.orders.length = 0
  let { state } = story
  for (let at = 0; at < count; at++) {
    const event: Event = { type: 'seat-requested', request: seatRequest(`w${at}`) }
    state = decide(state, event, now).state
  }
  return state
}

interface Measurement {
  readonly what: string
  readonly start: State
  readonly eventOf: (turn: number) => Event
  /** Each decision begins from the state before the first, not from the state after the last. */
  readonly fresh?: boolean
}

function measure({ what, start, eventOf, fresh = false }: Measurement): void {
  const now = 1_000_001
  let state = start
  let turn = 0
  const run = (seconds: number): number => {
    const began = process.cpuUsage()
    const usedMs = () => {
      const { user, system } = process.cpuUsage(began)
      return (user + system) / 1_000
    }
    let done = 0
    while (usedMs() < seconds * 1_000) {
      for (let batch = 0; batch < 10; batch++) {
        const { state: after } = decide(state, eventOf(turn), now)
        if (!fresh) state = after
        turn++
        done++
      }
    }
    return usedMs() / done
  }
  run(secondsEach / 4)
  state = start
  say(`${what.padEnd(52)} ${run(secondsEach).toFixed(4).padStart(9)} ms`)
}

const state = crowded()
const { places } = state.tally
say(`${places} workspaces that hold a place, ${state.queue.length} people in the queue`)
measure({
  what: 'a seat in a workspace that is ready',
  start: state,
  eventOf: (turn) => ({ type: 'seat-requested', request: seatRequest(`p${turn % count}`) }),
})
measure({
  what: 'a new person who has to wait',
  start: state,
  eventOf: (turn) => ({ type: 'seat-requested', request: seatRequest(`n${turn}`) }),
  fresh: true,
})
measure({
  what: 'a person in the queue asks again',
  start: state,
  eventOf: (turn) => ({
    type: 'seat-requested',
    request: seatRequest(`w${turn % count}`),
    since: 1,
  }),
})
measure({
  what: 'a report of activity, of one seat',
  start: state,
  eventOf: (turn) => ({
    type: 'activity-reported',
    id: turn,
    director: 'd1',
    seats: [
      {
        workspace: nameOf(`p${turn % count}`),
        user: person(`p${turn % count}`).name,
        lastUseAgoMs: 0,
        connections: 1,
      },
    ],
  }),
})
measure({
  what: 'a tick when nothing is due',
  start: state,
  eventOf: () => ({ type: 'tick' }),
})
measure({
  what: 'a container that ended, and the next in the queue',
  start: state,
  eventOf: (turn) => ({
    type: 'container-died',
    generation: `g-p${turn % count}`,
    exitCode: 0,
  }),
  fresh: true,
})
measure({
  what: 'a tick when something is due: all are looked at',
  start: { ...state, dueAt: 0 },
  eventOf: () => ({ type: 'tick' }),
  fresh: true,
})
