// Proof 38: the second gateway for one template, as docs/operations.md writes it: the compose file of that page, with ports of
// this test. People sign in at an address with another port than that of PUBLIC_URL.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { signIn, type Person } from '../clients/people.ts'
import type { Site } from '../clients/sign-in.ts'
import { UpgradeRefused } from '../clients/web-socket.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { chooseGateway } from '../deployment/gateway.ts'
import { freePorts } from '../run/free-ports.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { surroundings } from '../run/surroundings.ts'

/** Unique on the engine. */
const prefix = `second${process.pid.toString(36)}`
const templates = `
templates:
  desktop: { prefix: ${prefix}, image: berth/hello, port: 8080, start: click, route: { port: 8443 } }
`

/** @returns the compose file that the page has, at another port of the machine */
async function documented(port: number): Promise<string> {
  const page = await readFile(join(surroundings.root, 'docs/operations.md'), 'utf8')
  const [, section = ''] = page.split('\n## A second gateway for one template\n')
  const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(section) ?? []
  assert.match(yaml, /gateway-desktop:/)
  return yaml
    .replace('127.0.0.1:4181:', `127.0.0.1:${port}:`)
    .replace('OAUTH2_PROXY_ALLOWED_GROUPS: desktop', 'OAUTH2_PROXY_ALLOWED_GROUPS: admins')
}

const proof = 'proof 38: a second gateway leads to one template, at an address of its own'
// The example is one of oauth2-proxy, which a run with Apache as the gateway need not have.
if ((await chooseGateway()) === 'oauth2-proxy')
  describe(proof, () => {
    let berth: Deployment
    let site: Site
    let folder: string
    let admin: Person
    const takeDown = takenDownAtTheEnd(async () => {
      await berth?.[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    })
    before(async () => {
      const [port = 0] = await freePorts(1)
      const origin = `http://desktop.localhost:${port}`
      folder = await mkdtemp(join(tmpdir(), 'second-gateway-'))
      const file = join(folder, 'docker-compose.desktop.yml')
      // The development provider has to know the callback of that address.
      const idp = `  idp: { environment: { PORTAL_URL: '${origin}' } }\n`
      await writeFile(file, `${await documented(port)}${idp}`)
      berth = await deploy({
        name: 'second',
        templates,
        settings: { OAUTH2_PROXY_SCOPE: 'openid email profile groups' },
        moreComposeFiles: [relative(surroundings.root, file)],
      })
      site = { ...berth.site, origin, placeOf: (url) => berth.site.placeOf(url) }
      admin = await signIn(site, 'admin')
    })
    after(takeDown)

    it('people sign in there, start their workspace by its button, and get that template', async () => {
      const page = await admin.navigate('/')
      assert.match(await page.text(), /desktop/)
      const pressed = await admin.press('start')
      assert.ok(pressed.status < 400, await pressed.text())
      const answer = await admin.ask('/whoami')
      assert.equal(answer.status, 200, await answer.text())
      assert.equal(answer.headers['hello-host'], `${prefix}-admin`)
    })

    it('the application sees the host and the port of that address, and no cookie of the gateway', async () => {
      const answer = await admin.ask('/echo')
      const { headers } = await answer.json<{ headers: [string, string][] }>()
      const valueOf = (name: string) =>
        headers.find(([spelling]) => spelling.toLowerCase() === name)?.[1]
      const { host } = new URL(site.origin)
      assert.equal(valueOf('host'), host)
      assert.equal(valueOf('x-forwarded-host'), host)
      assert.doesNotMatch(valueOf('cookie') ?? '', /oauth2/)
    })

    it('a WebSocket of a page of that address opens, and one of another address does not', async () => {
      const socket = await admin.webSocket('/ws?hello')
      const { headers } = JSON.parse(await socket.next()) as { headers: [string, string][] }
      assert.ok(headers.some(([name, value]) => /^origin$/i.test(name) && value === site.origin))
      socket.send('ping')
      assert.equal(await socket.next(), 'ping')
      socket.close()
      const foreign = admin.webSocket('/ws', { origin: berth.site.origin })
      await assert.rejects(
        foreign,
        (error) => error instanceof UpgradeRefused && error.status === 403,
      )
    })

    it('a person without the group of the second gateway does not get in, and the first gateway has its own template', async () => {
      await assert.rejects(signIn(site, 'alice'), /403/)
      const alice = await signIn(berth.site, 'alice')
      const answer = await alice.ask('/whoami')
      assert.equal(answer.headers['hello-host'], berth.workspaceName('alice'))
    })
  })
