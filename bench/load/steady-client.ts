// See steady.ts. Reads its options from standard input, and writes the times.
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { quantile } from '../report/case.ts'
import type { SteadyLoad, SteadyOptions } from './steady.ts'

const { at, heads, perSecond, seconds, connections } = JSON.parse(
  await text(process.stdin),
) as Omit<SteadyOptions, 'core'>
const pool = new Pool(`http://${at.host}:${at.port}`, { connections, pipelining: 1 })
const times: number[] = []
const warmUp = perSecond
const all = perSecond * seconds + warmUp
const everyMs = 1_000 / perSecond
const began = performance.now()
const sent: Promise<void>[] = []

async function send(index: number): Promise<void> {
  const due = began + index * everyMs
  const headers = heads[index % heads.length] ?? {}
  const { statusCode, body } = await pool.request({ path: '/', method: 'GET', headers })
  await body.dump()
  if (statusCode !== 200) throw new Error(`the answer was ${statusCode}`)
  if (index >= warmUp) times.push(performance.now() - due)
}

for (let index = 0; index < all;) {
  const due = Math.min(all, Math.floor((performance.now() - began) / everyMs))
  while (index < due) sent.push(send(index++))
  await sleep(1)
}
await Promise.all(sent)
await pool.close()
const result: SteadyLoad = { medianMs: quantile(times, 0.5), p99Ms: quantile(times, 0.99) }
process.stdout.write(JSON.stringify(result))
