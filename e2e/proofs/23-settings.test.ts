// Proof 23: wrong settings are found before a service is replaced, and a start with wrong settings is not a success.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asTheGateway, type GatewayLike } from '../clients/as-the-gateway.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected } from '../engine/belongings.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'

const templates = `
templates:
  quay: { image: berth/hello, port: 8080, route: { hosts: [quay.localhost] } }
`

describe('proof 23: settings are checked before services are replaced', () => {
  let berth: Deployment
  let ann: GatewayLike
  const takeDown = takenDownAtTheEnd(async () => berth?.[Symbol.asyncDispose]())
  before(async () => {
    berth = await deploy({ name: 'settings', templates })
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    ann = asTheGateway(berth, place, 'ann', { host: 'localhost' })
    const answer = await ann.ask('/whoami')
    assert.equal(answer.status, 200, await answer.text())
  })
  after(takeDown)

  const check = ['run', '--rm', '--no-TTY', 'spawner', 'check']
  const idsOf = async () => {
    const all = await Promise.all([berth.services('director'), berth.services('spawner')])
    return all.flat().map(({ Id }) => Id)
  }

  it('names the templates when the settings are in order', async () => {
    const { code, stdout, stderr } = await berth.tryCompose({}, ...check)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^template quay \(file\): berth\/hello$/m)
    assert.match(stdout, /^the settings are in order$/m)
  })

  it('names everything that is wrong with spawner, director and templates file, and replaces no service', async () => {
    const before = await idsOf()
    await berth.writeTemplates(
      `${templates}  pier: { image: berth/hello, port: 8080, cpus: many }\n`,
    )
    const changes = { MAX_STARTING: 'lots', LOADING_PAGE_AFTER: 'soon', MAX_WORKSPACE: '3' }
    const { code, stderr } = await berth.tryCompose(changes, ...check)
    await berth.writeTemplates(templates)
    assert.equal(code, 1, stderr)
    for (const problem of [
      'MAX_STARTING "lots" must be',
      'LOADING_PAGE_AFTER "soon" must be',
      'MAX_WORKSPACE is not a setting of Berth. Did you mean MAX_WORKSPACES?',
      'TEMPLATES_FILE /etc/berth/templates.yml:4:49 templates.pier.cpus must be',
    ])
      assert.ok(stderr.includes(problem), `${problem}\n${stderr}`)
    assert.deepEqual(await idsOf(), before)
    const still = await ann.ask('/whoami')
    assert.equal(still.status, 200, await still.text())
  })

  it('names the workspaces that a changed NETWORK_POOL would cut off', async () => {
    const name = berth.workspaceName('ann')
    const { code, stderr } = await berth.tryCompose({ NETWORK_POOL: '10.250.0.0/24' }, ...check)
    assert.equal(code, 1, stderr)
    assert.match(stderr, /NETWORK_POOL is 10\.250\.0\.0\/24, but 1 running workspace/)
    assert.ok(stderr.includes(name), stderr)
    assert.equal((await inspected(berth.engine, name)).State.Running, true)
  })

  it('up --wait fails for a setting that keeps the spawner from starting', async () => {
    const wrong = { MAX_STARTING: 'lots' }
    const up = ['up', '--detach', '--no-build', '--wait']
    const { code, stderr } = await berth.tryCompose(wrong, ...up)
    assert.notEqual(code, 0, stderr)
    assert.match(await berth.logs('spawner'), /MAX_STARTING "lots" must be/)
  })
})
