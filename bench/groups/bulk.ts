// 1 GiB down and up through the director and through nginx, in turn, and the memory that the director takes for it.
import { chmod, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../e2e/run/command.ts'
import { startNginxApplication, startNginxProxy } from '../peers/nginx.ts'
import { caseOf, type Round } from '../report/case.ts'
import { cores, type Group } from '../run/bench.ts'
import { headOf, startDirector } from '../run/director.ts'
import { privatePeak } from '../../e2e/run/process-memory.ts'
import { freePort } from '../../e2e/run/free-ports.ts'

const gibibyte = 1024 ** 3
const rounds = 3
const mostMemoryMiB = 150

export const bulk: Group = async ({ tools, folder, say }) => {
  await using all = new AsyncDisposableStack()
  const file = join(folder, 'large')
  await writeFile(file, '')
  await truncate(file, gibibyte)
  // The worker of nginx runs as nobody.
  await chmod(folder, 0o755)
  const upstream = { host: '127.5.0.1', port: await freePort() }
  const common = { tools, folder, cores: cores.beside }
  all.use(await startNginxApplication({ ...common, listen: upstream, root: folder }))
  const nginx = { host: '127.0.0.1', port: await freePort() }
  all.use(await startNginxProxy({ tools, folder, cores: cores.measured, listen: nginx, upstream }))
  const director = all.use(await startDirector({ cores: cores.measured, upstream }))

  const down: Round[] = []
  const up: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    down.push({ ours: await download(director.at), reference: await download(nginx) })
    up.push({ ours: await upload(director.at, file), reference: await upload(nginx, file) })
    say(`down ${tell(down.at(-1))}, up ${tell(up.at(-1))}`)
  }
  const memory = (await privatePeak(director.pid)) / 1024 ** 2
  return [
    caseOf('bulk-nginx', 'MiB/s', down, { ratioAtLeast: 0.8 }),
    caseOf('bulk-nginx-up', 'MiB/s', up, { ratioAtLeast: 0.8 }),
    caseOf('bulk-memory', 'MiB', [{ ours: memory, reference: mostMemoryMiB }], { ratioAtMost: 1 }),
  ]
}

const tell = (round: Round | undefined) =>
  `${Math.round(round?.ours ?? 0)} MiB/s (nginx ${Math.round(round?.reference ?? 0)})`

interface At {
  readonly host: string
  readonly port: number
}

const download = ({ host, port }: At) => curl([`http://${host}:${port}/large`])

const upload = ({ host, port }: At, file: string) =>
  curl(['--request', 'POST', '--upload-file', file, `http://${host}:${port}/upload`])

/** @returns MiB per second */
async function curl(args: readonly string[]): Promise<number> {
  const headers = Object.entries(headOf('person')).flatMap(([name, value]) => [
    '--header',
    `${name}: ${value}`,
  ])
  const said = await run(
    'taskset',
    [
      ...['--cpu-list', cores.beside, 'curl', '--silent', '--show-error', '--fail'],
      ...['--output', '/dev/null', '--write-out', '%{time_total}'],
      ...headers,
      ...['--header', 'Expect:', ...args],
    ],
    { withinMs: 120_000 },
  )
  return 1024 / Number(said)
}
