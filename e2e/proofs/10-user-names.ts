// Proof 10: a person with any name gets a valid container of their own, or a clear refusal. (The property test of the
// names proves for all names that two of them never lead to the same container.)
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { hostnameOf } from '../clients/arrival.ts'
import { signIn } from '../clients/people.ts'
import { expectProblem } from '../clients/problems.ts'
import type { Deployment } from '../deployment/deployment.ts'
import { inspect, volumesOf, workspacesOf } from '../engine/belongings.ts'

export const names = [
  "Jack.O'Neil",
  'müller',
  'a--b',
  'a-b',
  'x'.repeat(200),
  '../../etc',
  '-x',
  'Twin',
  'twin',
  'TWIN',
  'dot.dot',
  'dot-dot',
]

/** @param deployment has an identity provider that knows `names` */
export function userNames(deployment: () => Deployment): void {
  describe('proof 10: user names', () => {
    let berth: Deployment
    before(() => {
      berth = deployment()
    })

    it('gives each person a container and a home of their own', async () => {
      const hostnames = new Map<string, string>()
      const before = await countAll(berth)
      for (const name of names) {
        const person = await signIn(berth.site, name)
        const hostname = await hostnameOf(person)
        assert.match(hostname, /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, `${name} is ${hostname}`)
        assert.ok(hostname.startsWith(`${berth.prefix}-`))
        const other = [...hostnames].find(([, given]) => given === hostname)
        assert.equal(other, undefined, `${name} has the container of ${other?.[0]}`)
        hostnames.set(name, hostname)
        const saved = await person.ask('/files/owner', { method: 'PUT', body: name })
        assert.equal(saved.status, 201)
        await saved.text()
        const found = await inspect(berth.engine, hostname)
        assert.equal(found?.Config.Labels['berth.user'], name, 'the label has the exact name')
      }
      for (const name of names) {
        const person = await signIn(berth.site, name)
        assert.equal(await (await person.ask('/files/owner')).text(), name)
      }
      const after = await countAll(berth)
      assert.equal(after.workspaces - before.workspaces, names.length)
      assert.equal(after.homes - before.homes, names.length)
      assert.equal(hostnames.get('a-b'), berth.workspaceName('a-b'), 'a plain name is itself')
      assert.equal(hostnames.get('twin'), berth.workspaceName('twin'))
    })

    it('refuses invalid names with an explanation, and creates nothing', async () => {
      const [place] = await berth.directorPlaces()
      assert.ok(place)
      const before = (await workspacesOf(berth.engine, berth.instance)).length
      const long = 'y'.repeat(300)
      await expectProblem(await asTheGateway(berth, place, long).ask('/'), 403, 'identity_invalid')
      const reversed = Buffer.from('a\u202eb', 'utf8').toString('latin1')
      await expectProblem(
        await asTheGateway(berth, place, reversed).ask('/'),
        403,
        'identity_invalid',
      )
      assert.equal((await workspacesOf(berth.engine, berth.instance)).length, before)
    })

    it('does not give the home of a former person to another person with the same name', async () => {
      const alice = await signIn(berth.site, 'alice')
      await hostnameOf(alice)
      await (await alice.ask('/files/secret', { method: 'PUT', body: 'mine' })).text()
      await berth.reconfigure({ IDP_PEOPLE: 'successor;name=alice;sub=u-2' }, 'idp')
      const successor = await signIn(berth.site, 'successor')
      const problem = await expectProblem(
        await successor.ask('/files/secret'),
        403,
        'identity_reused',
      )
      assert.ok(!problem.detail.includes('u-'), 'the answer reveals nothing about the other person')
      const page = await successor.navigate('/')
      assert.equal(page.status, 403)
      assert.match(page.headers['content-type'] ?? '', /^text\/html/)
      await page.text()
      const own = await inspect(berth.engine, berth.workspaceName('alice'))
      assert.equal(own?.Config.Labels['berth.subject'] ?? 'u-alice', 'u-alice')
    })
  })
}

async function countAll(berth: Deployment): Promise<{ workspaces: number; homes: number }> {
  const homes = (await volumesOf(berth.engine, berth.instance)).filter(
    ({ Labels }) => Labels?.['berth.user'] !== undefined,
  )
  return {
    workspaces: (await workspacesOf(berth.engine, berth.instance)).length,
    homes: new Set(homes.map(({ Name }) => Name)).size,
  }
}

/** As the development provider reads its list: a backslash escapes the next character. */
export function escaped(name: string): string {
  return name.replaceAll(/[\\,;']/g, (character) => `\\${character}`)
}
