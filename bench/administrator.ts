// How long the administrator's pages take with many workspaces and a long history, over HTTP, from the request to the last
// byte. The history is read on the same thread here, so its time is in the answer. Times are processor time, that of the
// client too: other work on the machine falsifies them less than time on the clock.
//   node bench/administrator.ts [workspaces, 500] [entries, 100000]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { entriesFor, firstAt } from '../spawner/src/history/testing/entries.ts'
import { flush } from '../spawner/src/loop/testing/test-loop.ts'
import { openHistoryFile } from '../spawner/src/sqlite/history-file.ts'
import { testTemplate } from '../spawner/src/templates/testing/test-template.ts'
import { startAdmin } from '../spawner/src/web/testing/admin.ts'

const workspaces = Number(process.argv[2] ?? 500)
const entries = Number(process.argv[3] ?? 100_000)
const atOnce = 500
const times = 30

const say = (line: string) => void process.stdout.write(`${line}\n`)

async function measure(what: string, ask: () => Promise<{ readonly body: string }>): Promise<void> {
  const spent: number[] = []
  let bytes = 0
  for (let turn = 0; turn < times; turn++) {
    const began = process.cpuUsage()
    const { body } = await ask()
    const { user, system } = process.cpuUsage(began)
    spent.push((user + system) / 1_000)
    bytes = Buffer.byteLength(body)
  }
  const [first = 0] = spent
  spent.sort((a, b) => a - b)
  const [median = 0, slowest = 0] = [spent[times >> 1], spent.at(-1)]
  const shown = [first, median, slowest].map((ms) => ms.toFixed(1).padStart(7))
  say(
    `${what.padEnd(44)} first ${shown[0]} ms, median ${shown[1]} ms, at most ${shown[2]} ms, ${(bytes / 1024).toFixed(0)} KiB`,
  )
}

const dir = mkdtempSync(join(tmpdir(), 'berth-bench-'))
try {
  using file = openHistoryFile(dir)
  await using site = await startAdmin({
    templates: [testTemplate('rstudio', { title: 'RStudio' })],
    kept: {
      keepMs: 30 * 86_400_000,
      page: async (query) => file.page(query),
      figures: async (query) => file.figures(query),
    },
  })
  const { loop } = site
  const later = loop.time.clock.wall() - (firstAt + entries * 1_000)
  for (let from = 0; from < entries; from += atOnce) {
    const written = entriesFor(Math.min(atOnce, entries - from), from)
    file.append({ entries: written.map((one) => ({ ...one, at: one.at + later })), samples: [] })
  }
  const { config } = loop.workspaces.state()
  loop.workspaces.reconfigure({ ...config, networkCount: workspaces + 16 })
  for (let at = 0; at < workspaces; at++) {
    void loop.requestSeat(`p${at}`, { template: at % 2 === 0 ? 'lab' : 'rstudio' })
    if (at % 20 === 19) await flush()
  }
  await flush()
  const ready = [...loop.workspaces.state().workspaces.values()].filter(
    ({ phase }) => phase === 'ready',
  )
  say(`${ready.length} workspaces run, ${entries} entries`)
  const pages = [
    ['what runs', '/admin'],
    ['what runs, of one person', '/admin?person=p77'],
    ['the history', '/admin/history'],
    ['the history of one person', '/admin/history?user=p7'],
    ['the charts of a day', '/admin/charts'],
    ['the charts of a month', '/admin/charts?range=month'],
    ['the API', '/api/v1/admin/workspaces'],
  ] as const
  for (const [what, path] of pages) await measure(what, () => site.ask(path))
  let turn = 0
  await measure('what runs, after one workspace was used', () => {
    void loop.requestSeat(`p${(turn += 2)}`)
    return site.ask('/admin')
  })
} finally {
  rmSync(dir, { recursive: true })
}
