// How many decisions a second, with ten thousand workspaces and ten thousand people waiting. Run: node bench/decide.ts
import { decide } from '../spawner/src/policy/decide.ts'
import type { Event, State } from '../spawner/src/policy/domain.ts'
import { nameOf, person, Scenario, seatRequest } from '../spawner/src/policy/testing/scenario.ts'

const count = Number(process.argv[2] ?? 10_000)
const secondsEach = Number(process.argv[3] ?? 2)

const say = (line: string) => void process.stdout.write(`${line}\n`)

const limits = { maxWorkspaces: count }
const config = { networkCount: count + 16, presenceMs: 1e9 }
const policy = { idleStopMs: 1e9, idleRemoveMs: 1e9 }

/** Found running by the first look, as after a restart; then as many ask who have to wait. */
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

function measure(
  what: string,
  start: State,
  eventOf: (turn: number) => Event,
  chained = true,
): void {
  const now = 1_000_001
  let state = start
  let turn = 0
  const run = (seconds: number): number => {
    const began = performance.now()
    let done = 0
    while (performance.now() - began < seconds * 1_000) {
      for (let batch = 0; batch < 10; batch++) {
        const { state: after } = decide(state, eventOf(turn), now)
        if (chained) state = after
        turn++
        done++
      }
    }
    return done / ((performance.now() - began) / 1_000)
  }
  run(secondsEach / 4)
  state = start
  const perSecond = run(secondsEach)
  const micros = 1e6 / perSecond
  say(
    `${what.padEnd(58)} ${Math.round(perSecond).toLocaleString('en').padStart(9)} /s ${micros.toFixed(1).padStart(9)} µs`,
  )
}

const state = crowded()
const { places } = state.tally
say(`${places} workspaces that hold a place, ${state.queue.length} people waiting`)
measure('a seat in a workspace that is ready', state, (turn) => ({
  type: 'seat-requested',
  request: seatRequest(`p${turn % count}`),
}))
measure(
  'somebody new, who has to wait',
  state,
  (turn) => ({
    type: 'seat-requested',
    request: seatRequest(`n${turn}`),
  }),
  false,
)
measure('somebody new, who has to wait (the queue grows)', state, (turn) => ({
  type: 'seat-requested',
  request: seatRequest(`n${turn}`),
}))
measure('a sign of somebody who waits', state, (turn) => ({
  type: 'seat-requested',
  request: seatRequest(`w${turn % count}`),
  since: 1,
}))
measure('a report of use, of one seat', state, (turn) => ({
  type: 'activity-reported',
  director: 'd1',
  seats: [
    {
      workspace: nameOf(`p${turn % count}`),
      user: person(`p${turn % count}`).name,
      lastUseAgoMs: 0,
      connections: 1,
    },
  ],
}))
measure('a tick when nothing is due', state, () => ({ type: 'tick' }))
measure('a container that ended, and who comes next', state, (turn) => ({
  type: 'container-died',
  generation: `g-p${turn % count}`,
  exitCode: 0,
}))
measure(
  'a whole pass: everything looked at once more',
  { ...state, dueAt: 0 },
  () => ({ type: 'tick' }),
  false,
)
