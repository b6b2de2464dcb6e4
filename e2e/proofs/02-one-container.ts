// Proof 2: one person has one workspace, whatever the concurrency.
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { signIn } from '../clients/people.ts'
import type { Deployment } from '../deployment/deployment.ts'
import { inspected, volumesOf, workspacesOf } from '../engine/belongings.ts'
import { isOfWorkspace, watchEngine } from '../engine/history.ts'

/** @param deployment has two directors, and alice must not have a workspace in it yet */
export function oneContainer(deployment: () => Deployment): void {
  describe('proof 2: one container for one person', () => {
    let berth: Deployment
    before(() => {
      berth = deployment()
    })

    it('answers 100 concurrent first requests over two directors from one container, on one network, with one volume', async () => {
      await using history = await watchEngine(berth.engine)
      const alice = await signIn(berth.site, 'alice')
      const [first, second] = await berth.directorPlaces()
      assert.ok(first && second, 'two directors run')
      const ways = [
        alice,
        asTheGateway(berth, first, 'alice'),
        asTheGateway(berth, second, 'alice'),
      ]
      const asking = Array.from({ length: 100 / ways.length + 1 }, () => ways)
        .flat()
        .slice(0, 100)
        .map(async (way) => {
          const answer = await way.ask('/whoami')
          assert.equal(answer.status, 200)
          return (await answer.json<{ hostname: string }>()).hostname
        })
      const names = await Promise.all(asking)
      assert.equal(names.length, 100)
      assert.deepEqual([...new Set(names)], [berth.workspaceName('alice')])

      const workspaces = await workspacesOf(berth.engine, berth.instance)
      assert.equal(workspaces.length, 1)
      const { NetworkSettings, Mounts } = await inspected(berth.engine, workspaces[0]?.Id ?? '')
      assert.equal(
        Object.keys(NetworkSettings.Networks).length,
        1,
        'the workspace is on one network',
      )
      assert.equal(Mounts.length, 1)
      const homes = (await volumesOf(berth.engine, berth.instance)).filter(
        ({ Labels }) => Labels?.['berth.user'] !== undefined,
      )
      assert.equal(homes.length, 1)
      const ours = isOfWorkspace(berth)
      const made = history.events.filter((event) => ours(event) && event.action === 'create')
      assert.equal(made.length, 1, 'no other container was created meanwhile')
    })

    it('lets both directors forward to a workspace that one of them requested', async () => {
      const [first, second] = await berth.directorPlaces()
      assert.ok(first && second)
      for (const place of [first, second, first]) {
        const answer = await asTheGateway(berth, place, 'bob').ask('/whoami')
        const { hostname } = await answer.json<{ hostname: string }>()
        assert.equal(hostname, berth.workspaceName('bob'))
      }
    })
  })
}
