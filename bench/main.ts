// `npm run bench`: measures Berth and its peers in turn, and compares with bench/baseline.json.
//   npm run bench                     everything
//   npm run bench -- proxy bulk       these groups
//   npm run bench -- --record proxy   also makes the ratios of these groups the ones to compare with
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bulk } from './groups/bulk.ts'
import { proxy } from './groups/proxy.ts'
import { start } from './groups/start.ts'
import { scale } from './groups/scale.ts'
import { ssh } from './groups/ssh.ts'
import { websocket } from './groups/websocket.ts'
import { worseThan, type Recorded } from './report/baseline.ts'
import type { Case } from './report/case.ts'
import { tableOf } from './report/table.ts'
import type { Group } from './run/bench.ts'
import { benchTools } from './run/tools.ts'

const groups: Readonly<Record<string, Group>> = { start, proxy, bulk, websocket, ssh, scale }
const baselineFile = join(import.meta.dirname, 'baseline.json')
const resultsFile = join(import.meta.dirname, 'results/latest.json')

const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function read<T>(file: string): Promise<readonly T[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]'
    throw error
  })
  return JSON.parse(text) as T[]
}

/** The cases that were not measured now stay as they are. */
async function update<T extends { readonly case: string }>(
  file: string,
  measured: readonly T[],
): Promise<void> {
  const others = (await read<T>(file)).filter(
    (known) => !measured.some((one) => one.case === known.case),
  )
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, `${JSON.stringify([...others, ...measured], null, 2)}\n`)
}

const asked = process.argv.slice(2)
const names = asked.filter((word) => !word.startsWith('--'))
const unknown = names.find((name) => !(name in groups))
if (unknown !== undefined)
  throw new Error(`there is no bench ${unknown}: there are ${Object.keys(groups).join(', ')}`)

const folder = await mkdtemp(join(tmpdir(), 'berth-bench-'))
try {
  const cases: Case[] = []
  for (const name of names.length === 0 ? Object.keys(groups) : names) {
    say(`\n${name}`)
    const group = groups[name]
    const bench = {
      tools: benchTools(process.env),
      folder,
      say: (line: string) => say(`  ${line}`),
    }
    if (group !== undefined) cases.push(...(await group(bench)))
  }
  say(`\n${tableOf(cases)}`)
  await update(resultsFile, cases)
  const worse = worseThan(await read<Recorded>(baselineFile), cases)
  for (const line of worse) say(line)
  if (asked.includes('--record'))
    await update<Recorded>(
      baselineFile,
      cases.map(({ case: name, ratio, spread }) => ({ case: name, ratio, spread })),
    )
  else if (worse.length > 0) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}
