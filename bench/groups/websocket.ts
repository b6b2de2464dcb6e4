// 10,000 WebSockets through one director: what each costs in memory while it is idle, and how long an echo takes while
// every tenth of them talks. The references are what Berth promises.
import { join } from 'node:path'
import { caseOf } from '../report/case.ts'
import { openSockets } from '../load/websockets.ts'
import { cores, type Group } from '../run/bench.ts'
import { headOf, startDirector } from '../run/director.ts'
import { privateMemory } from '../../e2e/run/process-memory.ts'
import { startPinned } from '../run/pinned.ts'
import { freePort } from '../../e2e/run/free-ports.ts'

const sockets = 10_000
const talking = 1_000
const people = 100
const perSecond = 1_000
const seconds = 5
const mostKiB = 20
const openWithinMs = 10_000
const mostP99Ms = 5
export const websocket: Group = async ({ say }) => {
  await using all = new AsyncDisposableStack()
  const port = await freePort()
  const application = join(import.meta.dirname, '../load/echo-server.ts')
  all.use(
    await startPinned(process.execPath, [application, String(port)], {
      cores: cores.beside,
      listensAt: { host: '127.0.0.1', port },
    }),
  )
  const upstream = { host: '127.5.0.1', port }
  const director = all.use(await startDirector({ cores: cores.measured, upstream }))
  const heads = Array.from({ length: people }, (_, index) => headOf(`person${index}`))
  const load = { core: cores.beside, heads, sockets, talking, perSecond, seconds }

  const before = await privateMemory(director.pid)
  await using through = await openSockets({ ...load, at: director.at })
  const each = ((await privateMemory(director.pid)) - before) / 1024 / sockets
  const echoes = await through.talk()
  say(
    `${sockets} opened in ${(through.openedInMs / 1_000).toFixed(1)} s, ${each.toFixed(1)} KiB each, echo p99 ${echoes.p99Ms.toFixed(2)} ms`,
  )
  return [
    caseOf('websocket-10k', 'KiB', [{ ours: each, reference: mostKiB }], { ratioAtMost: 1 }),
    caseOf('websocket-open', 'ms', [{ ours: through.openedInMs, reference: openWithinMs }], {
      ratioAtMost: 1,
    }),
    caseOf('websocket-echo-p99', 'ms', [{ ours: echoes.p99Ms, reference: mostP99Ms }], {
      ratioAtMost: 1,
    }),
  ]
}
