// The time to the application, from the request at the director to the first byte, beside raw calls to the engine in turn.
// The application is busybox's web server, which is up at once, so that what is measured is Berth and the engine.
import { asTheGateway, type GatewayLike } from '../../e2e/clients/as-the-gateway.ts'
import { send } from '../../e2e/clients/http.ts'
import type { Place } from '../../e2e/clients/place.ts'
import { deploy, type Deployment } from '../../e2e/deployment/deployment.ts'
import { inspected, workspaceNetworksOf, workspacesOf } from '../../e2e/engine/belongings.ts'
import { buildImage } from '../../e2e/engine/image.ts'
import { eventually } from '../../e2e/run/deadline.ts'
import { createRawEngine, type RawEngine } from '../peers/raw-engine.ts'
import { caseOf, quantile, type Case, type Round } from '../report/case.ts'
import type { Group } from '../run/bench.ts'

const rounds = 8
const atOnce = 10
const standby = 2

export const start: Group = async ({ say }) => {
  await using all = new AsyncDisposableStack()
  await Promise.all([buildImage('bare'), buildImage('busybox')])
  const bench = all.use(await deployBench())
  const { berth } = bench
  const first = await bench.person('now')
  await first.ask()
  const engine = all.use(
    createRawEngine(berth.engine, await inspected(berth.engine, first.workspace)),
  )
  const slow = await bench.person('slow')
  await slow.ask()
  const slowEngine = all.use(
    createRawEngine(berth.engine, await inspected(berth.engine, slow.workspace)),
  )

  const cold = await inTurn(say, 'cold', async () => {
    const prepared = await engine.prepare()
    const person = await bench.person('now')
    return { ours: await person.ask(), reference: await prepared.coldStart() }
  })
  const coldSlow = await inTurn(say, 'cold, application after 1 s', async () => {
    const prepared = await slowEngine.prepare()
    const person = await bench.person('slow')
    return { ours: await person.ask(), reference: await prepared.coldStart() }
  })
  const stopped = await inTurn(say, 'stopped', () => again(bench, engine, 'stop'))
  const frozen = await inTurn(say, 'frozen', () => again(bench, engine, 'freeze'))
  const handed = await inTurn(say, 'standby', async () => {
    await bench.standbyReady()
    const person = await bench.person('ready')
    return { ours: await person.ask(), reference: 60 }
  })
  const connect = await inTurn(say, 'connect', async () => ({
    ours: await first.ask(),
    reference: await first.askDirectly(),
  }))
  const many = await inTurn(say, `${atOnce} at once`, () => together(bench, engine), 3)

  const cases: Case[] = [
    caseOf('cold', 'ms', cold, { moreByAtMost: 60 }),
    caseOf('cold-p95', 'ms', [slowest(cold)], { moreByAtMost: 120 }),
    caseOf('cold-1s', 'ms', coldSlow, { moreByAtMost: 60 }),
    caseOf('cold-10', 'ms', many, { ratioAtMost: 1.2 }),
    caseOf('stopped', 'ms', stopped, { moreByAtMost: 60 }),
    caseOf(
      'frozen',
      'ms',
      frozen.map(({ ours }) => ({ ours, reference: 80 })),
      { ratioAtMost: 1 },
    ),
    caseOf('standby', 'ms', handed, { ratioAtMost: 1 }),
    caseOf('connect', 'ms', connect, { moreByAtMost: 2 }),
  ]
  return cases
}

const slowest = (all: readonly Round[]): Round => ({
  ours: quantile(
    all.map(({ ours }) => ours),
    0.95,
  ),
  reference: quantile(
    all.map(({ reference }) => reference),
    0.95,
  ),
})

async function inTurn(
  say: (line: string) => void,
  what: string,
  measure: () => Promise<Round>,
  times = rounds,
): Promise<Round[]> {
  const measured: Round[] = []
  for (let round = 0; round < times; round += 1) measured.push(await measure())
  const shown = measured.map(
    ({ ours, reference }) => `${ours.toFixed(0)} (${reference.toFixed(0)})`,
  )
  say(`${what}: ${shown.join(', ')} ms`)
  return measured
}

async function again(
  bench: BenchDeployment,
  engine: RawEngine,
  how: 'stop' | 'freeze',
): Promise<Round> {
  const person = await bench.person(how === 'stop' ? 'now' : 'naps')
  await person.ask()
  const prepared = await engine.prepare()
  await prepared.coldStart()
  if (how === 'stop') {
    await person.stop()
    await prepared.stop()
    return { ours: await person.ask(), reference: await prepared.startAgain() }
  }
  await person.isPaused()
  await prepared.pause()
  return { ours: await person.ask(), reference: await prepared.wake() }
}

async function together(bench: BenchDeployment, engine: RawEngine): Promise<Round> {
  const people = await Promise.all(Array.from({ length: atOnce }, () => bench.person('now')))
  const prepared = []
  for (let at = 0; at < atOnce; at += 1) prepared.push(await engine.prepare())
  await bench.sparesReady()
  const ours = Math.max(...(await Promise.all(people.map((person) => person.ask()))))
  const reference = Math.max(...(await Promise.all(prepared.map((one) => one.coldStart()))))
  return { ours, reference }
}

type Template = 'now' | 'slow' | 'naps' | 'ready'

interface Person {
  readonly workspace: string
  /** @returns ms to the head of the application's answer */
  ask(): Promise<number>
  askDirectly(): Promise<number>
  /** Resolves when Berth knows that it has stopped. */
  stop(): Promise<void>
  isPaused(): Promise<void>
}

interface BenchDeployment extends AsyncDisposable {
  readonly berth: Deployment
  /** Somebody who has not come before. */
  person(template: Template): Promise<Person>
  standbyReady(): Promise<void>
  sparesReady(): Promise<void>
}

async function deployBench(): Promise<BenchDeployment> {
  const own = process.pid.toString(36)
  const prefixes = { now: `n${own}`, slow: `s${own}`, naps: `f${own}`, ready: `r${own}` }
  const common = (template: Template) => `
    prefix: ${prefixes[template]}
    port: 8080
    user: '1000:1000'
    mem_limit: 64m
    route: { hosts: [${template}.localhost] }`
  const berth = await deploy({
    name: 'bench',
    templates: `
templates:
  now: ${common('now')}
    image: berth/e2e-bare
    idle: { freeze: 0, stop: 0 }
  slow: ${common('slow')}
    image: berth/e2e-busybox
    command: [/bin/sh, -c, '/bin/sleep 1; exec /bin/httpd -f -p 8080 -h /']
    idle: { freeze: 0, stop: 0 }
  naps: ${common('naps')}
    image: berth/e2e-bare
    idle: { freeze: 2s, stop: 0 }
  ready: ${common('ready')}
    image: berth/e2e-bare
    standby: ${standby}
    idle: { freeze: 0, stop: 0 }
`,
    settings: { MAX_STARTING: '0', MAX_WORKSPACES: '0', NETWORK_SPARES: String(atOnce + 2) },
  })
  const [place] = await berth.directorPlaces()
  if (place === undefined || !('host' in place)) throw new Error('there is no director')
  let came = 0

  async function phaseOf(gateway: GatewayLike): Promise<string> {
    const answer = await gateway.ask('/.berth/status')
    return (await answer.json<{ phase: string }>()).phase
  }

  /** As the spawner counts them in its metrics; those that are frozen or have stopped are not among them. */
  async function readyCount(): Promise<number> {
    const [spawner] = await berth.services('spawner')
    const host = spawner?.NetworkSettings.Networks[`${berth.instance}-internal`]?.IPAddress ?? ''
    const url = new URL(`http://${host}:9090/metrics`)
    const text = await (await send({ url, place: { host, port: 9090 } })).text()
    const lines = text.matchAll(/^berth_workspaces\{[^}]*phase="ready"[^}]*\} (\d+)$/gm)
    return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
  }

  return {
    berth,
    async person(template) {
      came += 1
      const user = `p${came}`
      const gateway = asTheGateway(berth, place, user, { host: `${template}.localhost` })
      const workspace = `${prefixes[template]}-${user}`
      return {
        workspace,
        ask: () => firstByte(() => gateway.ask('/')),
        async askDirectly() {
          const { NetworkSettings } = await inspected(berth.engine, workspace)
          const [network] = Object.values(NetworkSettings.Networks)
          const at: Place = { host: network?.IPAddress ?? '', port: 8080 }
          return firstByte(() => send({ url: new URL(`http://${at.host}:8080/`), place: at }))
        },
        async stop() {
          await berth.engine.post(`/containers/${workspace}/stop`, { t: 0 })
          await eventually(`${workspace} is known to have stopped`, 20_000, async () => {
            return (await phaseOf(gateway)) === 'stopped'
          })
        },
        async isPaused() {
          await eventually(`${workspace} is frozen`, 20_000, async () => {
            return (await inspected(berth.engine, workspace)).State.Status === 'paused'
          })
        },
      }
    },
    async standbyReady() {
      await eventually('standbys stand ready', 60_000, async () => {
        const listed = await workspacesOf(berth.engine, berth.instance)
        const mine = listed.filter(({ Names }) =>
          Names[0]?.startsWith(`/${prefixes.ready}-standby--`),
        )
        return mine.filter(({ State }) => State === 'running').length === standby
      })
      // One that runs may not be known to answer yet.
      await eventually('everything that runs is ready', 30_000, async () => {
        const all = await workspacesOf(berth.engine, berth.instance)
        return (await readyCount()) === all.filter(({ State }) => State === 'running').length
      })
    },
    async sparesReady() {
      await eventually('spare networks stand ready', 60_000, async () => {
        const networks = await workspaceNetworksOf(berth.engine, berth.instance)
        const used = await workspacesOf(berth.engine, berth.instance)
        return networks.length - used.length >= atOnce
      })
    },
    [Symbol.asyncDispose]: () => berth[Symbol.asyncDispose](),
  }
}

async function firstByte(
  ask: () => Promise<{ readonly status: number; leave(): void }>,
): Promise<number> {
  const began = performance.now()
  const answer = await ask()
  const took = performance.now() - began
  answer.leave()
  // Busybox has no page at the root: its own "not found" is an answer of the application.
  if (answer.status !== 404 && answer.status !== 200)
    throw new Error(`the answer was ${answer.status}`)
  return took
}
