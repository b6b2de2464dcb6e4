// A lecture hall arrives: the real policy, with a virtual clock and a model of the engine, on paper as it were. Says how long
// people wait, and how many standbys keep that under a second. Draws docs/scale.svg.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chartOf } from '../report/chart.ts'
import { caseOf, type Case } from '../report/case.ts'
import type { Group } from '../run/bench.ts'
import { simulate, type Arrivals } from '../simulation/lecture-hall.ts'

const halls: readonly (Arrivals & { readonly name: string; readonly of: number })[] = [
  { name: '300 in 60 s, one engine', of: 300, people: 300, withinMs: 60_000 },
  { name: '3,000 in 10 min, ten engines', of: 3_000, people: 300, withinMs: 600_000 },
]
const standbys = [0, 20, 40, 80, 120, 160, 200, 240]
const mostWaitMs = 1_000

export const scale: Group = async ({ say }) => {
  const cases: Case[] = []
  const series = []
  for (const hall of halls) {
    const points = standbys.map((standby) => ({ standby, ...simulate({ ...hall, standby }) }))
    for (const { standby, p50Ms, p95Ms, mostMs, peakMemoryGiB } of points)
      say(
        `${hall.name}, ${standby} standbys: median ${seconds(p50Ms)}, p95 ${seconds(p95Ms)}, most ${seconds(mostMs)}; memory at most ${peakMemoryGiB.toFixed(0)} GiB`,
      )
    series.push({
      name: hall.name,
      points: points.map(({ standby, p95Ms }) => ({ x: standby, y: p95Ms / 1_000 })),
    })
    const fewest = fewestStandbys(hall)
    say(`${hall.name}: ${fewest} standbys keep the 95th percentile under a second`)
    const name = `scale-${hall.of}`
    const round = { ours: fewest, reference: hall.people }
    cases.push(caseOf(name, 'standbys', [round], { ratioAtMost: 1 }))
  }
  const chart = chartOf({
    title: 'How long people wait when a lecture hall arrives',
    x: 'standbys',
    y: '95th percentile of the wait, seconds',
    series,
  })
  await writeFile(join(import.meta.dirname, '../../docs/scale.svg'), chart)
  return cases
}

/** That keep the wait short. The reference is one for each person, which always does. */
function fewestStandbys(hall: Arrivals & { readonly people: number }): number {
  let [low, high] = [0, hall.people]
  while (low < high) {
    const middle = (low + high) >> 1
    if (simulate({ ...hall, standby: middle }).p95Ms <= mostWaitMs) high = middle
    else low = middle + 1
  }
  return low
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
