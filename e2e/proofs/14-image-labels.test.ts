// Proof 14: images describe themselves by the labels of Orca; each label is tested with its default and another value.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asTheGateway, type GatewayLike } from '../clients/as-the-gateway.ts'
import { createApi } from '../clients/api.ts'
import { expectProblem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected } from '../engine/belongings.ts'
import { watchEngine } from '../engine/history.ts'
import { labelledImages, type LabelledImages } from '../engine/labelled-image.ts'
import { eventually } from '../run/deadline.ts'

/** In the order of Orca's table; what an image has besides the label that it is about. */
const images: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  secure: { 'orca.kind': 'ssh' },
  raw: { 'orca.kind': 'tcp' },
  unnamed: { 'orca.name': 'Notebook' },
  ported: { 'orca.port': '8080' },
  drained: { 'orca.timeout.session': '3s' },
  brief: { 'orca.timeout.inactive': '3s' },
  pairs: { 'orca.users.concurrent': '2' },
  own: { 'orca.users.concurrent': '1' },
  served: { 'orca.users.total': '2' },
  signalled: { 'orca.container.stopsignal': 'SIGUSR1' },
  leaving: { 'orca.users.concurrent': '2', 'orca.container.persistBetweenReconnects': 'false' },
  attached: { 'orca.connection.method': 'attach' },
  both: { 'orca.port': '8099', 'berth.image.port': '8080', 'berth.image.title': 'Ours wins' },
}

interface Offered {
  readonly name: string
  readonly title: string
}

describe('proof 14: images that describe themselves', () => {
  let berth: Deployment
  let made: LabelledImages
  let offered: readonly string[] = []
  before(async () => {
    const repository = `labels${process.pid}/`
    made = labelledImages('berth/hello', repository)
    berth = await deploy({
      name: 'labels',
      settings: { IMAGES_ALLOWED: `${repository}*`, API_TOKEN: 'a token of the tests alone' },
    })
    await Promise.all(
      Object.entries(images).map(async ([name, labels]) => {
        // Orca's port is 80, and that is where hello listens unless a label says otherwise.
        const port = name === 'ported' || name === 'both' ? '8080' : '80'
        await made.make(name, { 'orca.kind': 'web', ...labels }, { HELLO_PORT: port })
      }),
    )
    // Started anew, it reads them at once instead of at its next look.
    await berth.compose('restart', 'spawner')
    await berth.reconfigure({}, 'spawner')
    const api = await createApi(berth)
    const { templates } = await api.read<{ templates: readonly Offered[] }>('/api/v1/templates')
    offered = templates.map(({ name }) => name)
    const director = await at('both', 'ann')
    await eventually('the director has heard of them', 30_000, async () => {
      const answer = await director.ask('/.berth/status')
      answer.leave()
      return answer.status === 200
    })
  })
  after(async () => {
    await berth[Symbol.asyncDispose]()
    await made[Symbol.asyncDispose]()
  })

  async function at(name: string, user: string): Promise<GatewayLike> {
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    return asTheGateway(berth, place, user, { host: `${name}.localhost` })
  }
  /** The container that answers somebody, by its own word. */
  async function hostOf(name: string, user: string): Promise<string> {
    const answer = await (await at(name, user)).ask('/whoami')
    const text = await answer.text()
    assert.equal(answer.status, 200, `${name}, ${user}: ${text}`)
    return (JSON.parse(text) as { hostname: string }).hostname
  }

  it('offers images of the kinds web and ssh (proof 41 signs in to those), and logs which images it does not offer and why', async () => {
    for (const name of ['plain', 'notebook', 'both', 'attached', 'secure'])
      assert.ok(offered.includes(name), name)
    assert.ok(!offered.includes('raw'))
    const log = await berth.logs('spawner')
    assert.match(log, /raw:latest[^\n]*of kind tcp, and its labels cannot say who connects/)
    await expectProblem(await (await at('secure', 'ann')).ask('/'), 404, 'template_unknown')
  })

  it('names them by their repository, or by the label name', async () => {
    assert.match(await hostOf('plain', 'ann'), /^plain-shared--/)
    assert.match(await hostOf('notebook', 'ann'), /^notebook-shared--/)
    assert.ok(!offered.includes('unnamed'))
  })

  it('goes to port 80, or to the label port; ours wins over Orca’s', async () => {
    assert.ok(await hostOf('plain', 'ann'))
    assert.ok(await hostOf('ported', 'ann'))
    assert.ok(await hostOf('both', 'ann'))
  })

  it('admits any number of people at once, or as many as users.concurrent allows', async () => {
    const people = ['ann', 'ben', 'cleo', 'dan', 'eve']
    const plain = await Promise.all(people.map((user) => hostOf('plain', user)))
    assert.equal(new Set(plain).size, 1)
    const pairs: string[] = []
    for (const user of people) pairs.push(await hostOf('pairs', user))
    const [first, second, third] = [pairs[0], pairs[2], pairs[4]]
    assert.deepEqual(pairs, [first, first, second, second, third])
    assert.equal(new Set(pairs).size, 3)
    assert.equal(await hostOf('own', 'ann'), 'own-ann')
    assert.equal(await hostOf('own', 'ben'), 'own-ben')
  })

  it('serves any number of people in total, or as many as users.total allows', async () => {
    const hosts: string[] = []
    for (const user of ['ann', 'ben', 'cleo']) hosts.push(await hostOf('served', user))
    assert.equal(hosts[0], hosts[1])
    assert.notEqual(hosts[1], hosts[2])
    assert.equal(await hostOf('served', 'ann'), hosts[0], 'a person with a seat keeps it')
  })

  it('admits nobody new after timeout.session, which is a day by default', async () => {
    const first = await hostOf('drained', 'ann')
    const plain = await hostOf('plain', 'ann')
    await eventually('a new person gets another workspace', 60_000, async () => {
      const user = `new${Date.now()}`
      return (await hostOf('drained', user)) !== first
    })
    assert.equal(await hostOf('drained', 'ann'), first)
    assert.equal(await hostOf('plain', `new${Date.now()}`), plain)
  })

  it('ends a workspace that is unused for timeout.inactive, which is 15 minutes by default', async () => {
    await using history = await watchEngine(berth.engine)
    const name = await hostOf('brief', 'ann')
    await history.first('it ends', 60_000, (event) => event.name === name && event.action === 'die')
    const plain = await hostOf('plain', 'ann')
    assert.ok((await inspected(berth.engine, plain)).State.Running)
  })

  it('stops by the image’s own signal, or by container.stopsignal', async () => {
    const signalOf = async (name: string) => {
      const { Config } = await inspected(berth.engine, await hostOf(name, 'ann'))
      return (Config as { StopSignal?: string }).StopSignal ?? ''
    }
    assert.equal(await signalOf('plain'), '')
    assert.equal(await signalOf('signalled'), 'SIGUSR1')
  })

  it('keeps a seat between connections, unless persistBetweenReconnects is false', async () => {
    const full = await hostOf('pairs', 'ann')
    const [one, other] = [await hostOf('leaving', 'ann'), await hostOf('leaving', 'ben')]
    assert.equal(one, other)
    const api = await createApi(berth)
    await eventually('their seats have ended with their connections', 90_000, async () => {
      const { seats } = await api.read<{ seats: readonly unknown[] }>(`/api/v1/workspaces/${one}`)
      return seats.length === 0
    })
    assert.equal(await hostOf('leaving', 'cleo'), one, 'there is room for others')
    assert.notEqual(await hostOf('pairs', 'zoe'), full, 'there the seats are taken still')
  })
})
