// See websockets.ts. The first line of standard input has the options; each line `talk` measures; its end ends it.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { quantile } from '../report/case.ts'
import type { Echoes, SocketsOptions } from './websockets.ts'

type Options = Omit<SocketsOptions, 'core'>

/** Connections that are being opened at once: a browser's people do not come in one instant either. */
const opening = 200

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

function opened({ at, heads }: Options, index: number): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
  const { Host: host = '', ...headers } = heads[index % heads.length] ?? {}
  const socket = new WebSocket(`ws://${at.host}:${at.port}/`, {
    headers: { ...headers, host },
    perMessageDeflate: false,
  })
  socket.once('open', () => resolve(socket))
  socket.once('error', reject)
  return promise
}

async function openAll(options: Options): Promise<WebSocket[]> {
  const sockets: WebSocket[] = []
  let next = 0
  const work = async (): Promise<void> => {
    while (next < options.sockets) sockets.push(await opened(options, next++))
  }
  await Promise.all(Array.from({ length: opening }, work))
  return sockets
}

async function talk(
  sockets: readonly WebSocket[],
  { perSecond, seconds }: Options,
): Promise<Echoes> {
  const times: number[] = []
  const began = performance.now()
  const all = perSecond * seconds
  let answered = 0
  const over = Promise.withResolvers<void>()
  for (const socket of sockets)
    socket.on('message', (data: Buffer) => {
      times.push(performance.now() - Number(data.toString()))
      answered += 1
      if (answered === all) over.resolve()
    })
  for (let sent = 0; sent < all;) {
    const due = Math.min(all, Math.floor(((performance.now() - began) * perSecond) / 1_000))
    for (; sent < due; sent += 1)
      sockets[sent % sockets.length]?.send(String(began + (sent * 1_000) / perSecond))
    await sleep(1)
  }
  await over.promise
  for (const socket of sockets) socket.removeAllListeners('message')
  return { medianMs: quantile(times, 0.5), p99Ms: quantile(times, 0.99) }
}

let options: Options | undefined
let sockets: WebSocket[] = []
for await (const line of createInterface({ input: process.stdin })) {
  if (options === undefined) {
    options = JSON.parse(line) as Options
    const began = performance.now()
    sockets = await openAll(options)
    answer({ openedInMs: performance.now() - began })
  } else answer(await talk(sockets.slice(0, options.talking), options))
}
for (const socket of sockets) socket.terminate()
process.exit()
