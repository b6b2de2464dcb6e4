// Proof 13: a compose file with only the variables of the Container Director still works, with a warning. A resolver that answers
// every name does not lead a request to a foreign server.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { hostnameOf } from '../clients/arrival.ts'
import { send } from '../clients/http.ts'
import { signIn } from '../clients/people.ts'
import { expectProblem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { chooseGateway } from '../deployment/gateway.ts'
import { createEngine, defaultSocket } from '../engine/engine.ts'
import { startWildcardDns, type WildcardDns } from '../engine/wildcard-dns.ts'
import { eventually } from '../run/deadline.ts'

describe('proof 13: the least compose file', () => {
  let berth: Deployment
  let resolver: WildcardDns
  let stranger: Server
  let visits = 0
  before(async () => {
    const bridge = await createEngine(defaultSocket).get<{
      IPAM: { Config: { Gateway: string }[] }
    }>('/networks/bridge')
    const host = bridge.IPAM.Config[0]?.Gateway ?? ''
    resolver = await startWildcardDns(host, host)
    stranger = createServer((socket) => {
      visits += 1
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nstranger')
    }).listen(8080, host)
    await once(stranger, 'listening')
    const apache = (await chooseGateway()) === 'apache'
    berth = await deploy({
      name: 'seed',
      settings: { E2E_WILDCARD_DNS: host, GATEWAY_SECRET: '' },
      composeFiles: ['e2e/compose/seed.yml', ...(apache ? ['docker-compose.apache.yml'] : [])],
    })
    // Such a compose file has no health check of the spawner, so nothing has waited for it.
    await eventually('the spawner has started', 60_000, async () =>
      (await berth.logs('spawner')).includes('spawner started'),
    )
  })
  after(async () => {
    // Both would keep the process alive if the next line threw.
    resolver?.[Symbol.dispose]()
    stranger?.close()
    await berth?.[Symbol.asyncDispose]()
  })

  it('works with SPAWNER_HOST, CONTAINER_HOST_PREFIX, CONTAINER_PORT and INTERNAL_SECRET alone, and the director warns', async () => {
    const alice = await signIn(berth.site, 'alice')
    assert.equal(await hostnameOf(alice), berth.workspaceName('alice'))
    const words = await berth.logs('director')
    const warning = words.split('\n').find((line) => line.includes('GATEWAY_SECRET'))
    assert.ok(warning, 'the log mentions GATEWAY_SECRET')
    assert.match(warning, /"level":(?:"warn"|40)/)
  })

  it('still requires an identity', async () => {
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    const answer = await send({ url: new URL('/whoami', berth.site.origin), place })
    await expectProblem(answer, 401, 'identity_missing')
  })

  it('hazard: sends no request to a foreign server when a wildcard in DNS answers for a missing container', async () => {
    const bob = await signIn(berth.site, 'bob')
    const [spawner] = await berth.services('spawner')
    assert.ok(spawner)
    await berth.engine.post(`/containers/${spawner.Id}/kill`)
    await expectProblem(await bob.ask('/whoami'), 503, 'spawner_unreachable')
    assert.ok(resolver.asked.length > 0, 'the resolver was asked, and its answer was not followed')
    assert.equal(visits, 0)
  })
})
