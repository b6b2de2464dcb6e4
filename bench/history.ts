// How long the history answers with many entries.
//   node bench/history.ts [entries, 100000]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHistoryFile } from '../spawner/src/sqlite/history-file.ts'
import { entriesFor, firstAt } from '../spawner/src/history/testing/entries.ts'

const count = Number(process.argv[2] ?? 100_000)
const atOnce = 500
const times = 20

const say = (line: string) => void process.stdout.write(`${line}\n`)

function measure(what: string, work: () => void): void {
  const spent = Array.from({ length: times }, () => {
    const began = performance.now()
    work()
    return performance.now() - began
  }).sort((a, b) => a - b)
  const [median = 0, slowest = 0] = [spent[times >> 1], spent.at(-1)]
  say(`${what.padEnd(52)} ${median.toFixed(2).padStart(8)} ms, at most ${slowest.toFixed(2)} ms`)
}

const dir = mkdtempSync(join(tmpdir(), 'berth-bench-'))
try {
  using file = openHistoryFile(dir)
  const began = performance.now()
  for (let from = 0; from < count; from += atOnce)
    file.append({ entries: entriesFor(Math.min(atOnce, count - from), from), samples: [] })
  say(`${count} entries, written in ${(performance.now() - began).toFixed(0)} ms`)
  const to = firstAt + count * 1_000
  const limit = 50
  const middle = { at: firstAt + count * 500, id: count >> 1 }
  measure('the first page', () => file.page({ limit }))
  measure('a page from the middle', () => file.page({ limit, after: middle }))
  measure('one person', () => file.page({ limit, person: 'p7' }))
  measure('one person who is not in it', () => file.page({ limit, person: 'nobody' }))
  measure('failed starts of one template', () =>
    file.page({ limit, template: 't3', type: 'start', outcome: 'failed' }),
  )
  measure('words that no entry has', () => file.page({ limit, search: 'not there' }))
  measure('the figures of a month', () =>
    file.figures({ from: to - 30 * 86_400_000, to, spanMs: 86_400_000 }),
  )
  measure('one step of removing what is old', () => file.prune(firstAt + count * 200))
} finally {
  rmSync(dir, { recursive: true })
}
