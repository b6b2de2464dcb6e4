// How long one look at an engine with many workspaces takes the spawner, and how much memory it has then. Against the
// engine at DOCKER_HOST's default socket, under an instance of its own that is gone afterwards:
//   node bench/reconcile.ts [containers, 500]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../shared/src/clock.ts'
import { parseUserName, workspaceName } from '../shared/src/names.ts'
import { parseSubnetPool } from '../shared/src/subnet-pool.ts'
import { createDockerEngine } from '../spawner/src/docker/docker-engine.ts'
import { testTemplate } from '../spawner/src/templates/testing/test-template.ts'

const count = Number(process.argv[2] ?? 500)
const instance = `bench-${process.pid}`
const poolText = '10.216.0.0/16'
const pool = parseSubnetPool(poolText)
if (pool === undefined) throw new TypeError(poolText)
const template = testTemplate('bench', {
  spec: { image: 'debian:bookworm-slim', command: ['sleep', 'infinity'] },
})
const engine = createDockerEngine({
  dockerHost: 'unix:///var/run/docker.sock',
  instance,
  pool,
  clock: systemClock,
  observer: { called: () => undefined, failed: () => undefined },
})
const { signal } = new AbortController()
const people = Array.from({ length: count }, (_, index) => {
  const name = parseUserName(`p${index}`)
  if (name === undefined) throw new TypeError()
  return { name, subject: `u-p${index}`, groups: [] }
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function startOne(index: number): Promise<void> {
  const owner = people[index]
  if (owner === undefined) return
  await engine.createNetwork(index, signal)
  const workspace = workspaceName(template.prefix, owner.name)
  const made = await engine.createContainer({ workspace, template, owner, network: index }, signal)
  if (!made.ok) throw new Error(made.failure.detail)
  const started = await engine.startContainer(made.value.generation, index, signal)
  if (!started.ok) throw new Error(started.failure.detail)
}

async function inParallel(width: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function metric(opsPort: number, name: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${opsPort}/metrics`)
  const line = (await answer.text()).split('\n').find((text) => text.startsWith(`${name} `))
  return Number(line?.split(' ')[1] ?? Number.NaN)
}

async function measure(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'berth-bench-'))
  const [listenPort, opsPort] = [await freePort(), await freePort()]
  const main = join(import.meta.dirname, '../spawner/src/main.ts')
  const spawner = spawn(process.execPath, [main], {
    stdio: 'ignore',
    env: {
      ...process.env,
      INSTANCE: instance,
      INTERNAL_SECRET: 'a secret of the bench alone',
      CONTAINER_IMAGE: template.spec.image,
      CONTAINER_HOST_PREFIX: template.prefix,
      CONTAINER_PORT: String(template.spec.port),
      CONTAINER_COMMAND: 'sleep infinity',
      CONTAINER_IDLE_STOP: '0',
      CONTAINER_IDLE_REMOVE: '0',
      CONTAINER_START_TIMEOUT: '1h',
      MAX_WORKSPACES: '0',
      NETWORK_POOL: poolText,
      NETWORK_SPARES: '0',
      RECONCILE_EVERY: '2s',
      DATA_DIR: data,
      LISTEN_PORT: String(listenPort),
      OPS_PORT: String(opsPort),
      LOG_LEVEL: 'error',
    },
  })
  try {
    const looks = async (): Promise<number> =>
      metric(opsPort, 'berth_reconcile_duration_seconds_count').catch(() => 0)
    while ((await looks()) < 1) await sleep(200)
    const [firstSum, firstCount] = [
      await metric(opsPort, 'berth_reconcile_duration_seconds_sum'),
      await looks(),
    ]
    while ((await looks()) < firstCount + 10) await sleep(500)
    const sum = (await metric(opsPort, 'berth_reconcile_duration_seconds_sum')) - firstSum
    const passes = (await looks()) - firstCount
    const memory = await metric(opsPort, 'process_resident_memory_bytes')
    say(`look with ${count} containers: ${((sum / passes) * 1_000).toFixed(0)} ms (${passes})`)
    say(`first look, with all to be adopted: ${(firstSum * 1_000).toFixed(0)} ms (${firstCount})`)
    say(`memory of the spawner: ${(memory / 1024 ** 2).toFixed(0)} MiB resident`)
  } finally {
    spawner.kill('SIGTERM')
    await once(spawner, 'exit')
    await rm(data, { recursive: true, force: true })
  }
}

async function clearAway(): Promise<void> {
  const { containers, networks } = await engine.takeInventory(signal)
  const ids = containers.map(({ container }) => container.generation)
  let next = 0
  const remove = async (): Promise<void> => {
    while (next < ids.length) await engine.removeContainer(ids[next++] ?? '', signal)
  }
  await Promise.all(Array.from({ length: 4 }, remove))
  for (const { index } of networks) await engine.removeNetwork(index, signal)
}

try {
  const began = performance.now()
  await inParallel(4, startOne)
  say(`${count} containers started in ${((performance.now() - began) / 1_000).toFixed(0)} s`)
  await measure()
} finally {
  await clearAway()
  engine[Symbol.dispose]()
}
