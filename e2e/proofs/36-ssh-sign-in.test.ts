// Proof 36: a person whose key nobody knows signs in from a terminal, in a real browser, and registers keys on the portal.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { expectFitOnEveryScreen } from '../clients/every-screen.ts'
import { createSshClient, type SshClient } from '../clients/ssh.ts'
import { deployPortal, type PortalSite } from '../deployment/portal-site.ts'

describe('proof 36: signing in from a terminal', () => {
  const prefix = `k${process.pid.toString(36)}`
  let site: PortalSite
  let host: string
  let ssh: SshClient
  let asks: SshClient

  const templates = `
templates:
  shell:
    prefix: ${prefix}
    image: berth/hello
    port: 8080
    user: '1000:1000'
    mem_limit: 256m
    route: { hosts: [hello.localhost] }
    ssh: { method: exec, shell: /bin/bash }
  console:
    prefix: c${prefix}
    title: Console
    description: A shell, and nothing else.
    image: berth/hello
    kind: ssh
    ssh: { method: exec, shell: /bin/bash }
    command: [sleep, infinity]
    allow: { users: [admin] }
`

  before(async () => {
    site = await deployPortal({ name: 'keys', templates, settings: { SSH_PORT: '2222' } })
    const [place] = await site.berth.directorPlaces()
    assert.ok(place && 'host' in place)
    host = place.host
    ssh = await createSshClient(host, 2222)
    asks = await createSshClient(host, 2222, { batch: false })
  })
  after(async () => {
    await ssh?.[Symbol.asyncDispose]()
    await asks?.[Symbol.asyncDispose]()
    await site?.[Symbol.asyncDispose]()
  })

  const addressIn = (text: string): string =>
    /http:\/\/portal\S+\/ssh\/[A-Z]{4}-[A-Z]{4}/.exec(text)?.[0] ?? ''
  /** The page of the sign-in that the terminal shows. */
  async function confirming(session: { until(pattern: RegExp): Promise<string> }, login: string) {
    const address = addressIn(await session.until(/\/ssh\/[A-Z]{4}-[A-Z]{4}/))
    const { pathname } = new URL(address)
    return { address, page: await site.open(login, pathname) }
  }

  it('refuses a client that may ask nothing, and names what it could try', async () => {
    const { code, stderr } = await ssh.run('alice', 'true')
    assert.equal(code, 255)
    assert.match(stderr, /Permission denied \(publickey,keyboard-interactive\)/)
  })

  it('shows an address in the terminal, and goes on by itself once the person has allowed it', async () => {
    using session = asks.begin('alice', [], { columns: 100, rows: 30 })
    const { page } = await confirming(session, 'alice')
    const [code = ''] = /[A-Z]{4}-[A-Z]{4}/.exec(page.url()) ?? []
    assert.equal(await page.locator(`dd:has-text("${code}")`).count(), 1)
    const fingerprint = /SHA256:\S{43}/.exec(session.text())?.[0] ?? 'none'
    assert.equal(await page.locator(`dd:has-text("${fingerprint}")`).count(), 1)
    await expectFitOnEveryScreen(page, 'ssh-terminal')
    await page.click('button:text-is("Allow")')
    await page.waitForSelector('text=Your terminal goes on by itself')
    await session.until(/\$ /)
    session.type('echo "I am $(id -u)"; exit 5\n')
    await session.until(/I am 1000/)
    assert.equal(await session.ended, 5)
    await page.context().close()
    const again = await ssh.run('alice', 'true')
    assert.equal(again.code, 255, 'the key was not remembered')
  })

  it('refuses the terminal where the person says so, and where they are somebody else', async () => {
    using session = asks.begin('alice', [], { columns: 100, rows: 30 })
    const { page } = await confirming(session, 'alice')
    const other = await site.open('bob', new URL(page.url()).pathname)
    assert.equal(await other.textContent('h1'), 'There is no such sign-in')
    await other.context().close()
    await page.click('button:text-is("Refuse")')
    await page.waitForSelector('text=The client was refused')
    await page.context().close()
    await session.until(/Permission denied/)
    assert.equal(await session.ended, 255)
  })

  it('remembers the key where the person says so, shows it, and forgets it when it is removed', async () => {
    using session = asks.begin('alice', ['true'], { columns: 100, rows: 30 })
    const { page } = await confirming(session, 'alice')
    await page.check('text=Remember this key')
    await page.click('button:text-is("Allow")')
    await page.waitForSelector('text=your key admits you from now on')
    await session.ended
    const later = await asks.run('alice', 'id -u')
    assert.equal(later.stdout.toString(), '1000\n', later.stderr)
    await page.goto(`${site.portal}/keys`)
    await page.waitForSelector('text=last used')
    await expectFitOnEveryScreen(page, 'ssh-keys')
    await page.click('button:has-text("Remove")')
    await page.waitForSelector('text=The key was removed')
    const removed = await asks.run('alice', 'true', { args: ['-o', 'BatchMode=yes'] })
    assert.match(removed.stderr, /Permission denied/)
    await page.context().close()
  })

  it('admits a key that is pasted on the portal, and says what is wrong with another text', async () => {
    const page = await site.open('alice', '/keys')
    await page.fill('#key', 'ssh-ed25519 nonsense')
    await page.click('button:text-is("Add the key")')
    await page.waitForSelector('.problem:has-text("damaged")')
    assert.equal(await page.inputValue('#key'), 'ssh-ed25519 nonsense')
    await expectFitOnEveryScreen(page, 'ssh-keys-refused')
    await page.fill('#key', ssh.publicKey)
    await page.click('button:text-is("Add the key")')
    await page.waitForSelector('text=The key was added')
    const { code, stdout, stderr } = await ssh.run('alice', 'id -u')
    assert.equal(code, 0, stderr)
    assert.equal(stdout.toString(), '1000\n')
    const stranger = await ssh.run('bob', 'true')
    assert.match(stranger.stderr, /Permission denied/)
    await page.context().close()
  })

  it('shows on the portal the command that leads into a workspace, which may have no other way in', async () => {
    const page = await site.open('admin', '/keys')
    await page.fill('#key', ssh.publicKey)
    await page.click('button:text-is("Add the key")')
    await page.waitForSelector('text=The key was added')
    await page.goto(`${site.portal}/`)
    const card = page.locator('[data-card=console]')
    assert.equal(await card.locator('[data-key=open]').count(), 0)
    assert.equal(await page.locator('[data-card=shell] [data-key=open]').count(), 1)
    const command = (await card.locator('code').textContent()) ?? ''
    assert.equal(command, 'ssh -p 2222 admin+console@localhost')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await card.locator('button:has-text("Copy")').click()
    await card.locator('button:text-is("Copied")').waitFor()
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), command)
    await expectFitOnEveryScreen(page, 'portal-ssh')
    const [, , , to = ''] = command.split(' ')
    const [name = ''] = to.split('@')
    const { stdout, stderr } = await ssh.run(name, 'hostname')
    assert.equal(stdout.toString(), `c${prefix}-admin\n`, stderr)
    await card.locator('.badge:text-is("Running")').waitFor()
    await page.context().close()
  })

  it('shows the address in a question, where the client hides everything else', async () => {
    using session = asks.begin('alice', ['-o', 'LogLevel=ERROR'], { columns: 100, rows: 30 })
    await session.until(/Confirm at http:\S+ and press Enter/)
    session.type('\u0003')
    await session.ended
  })
})
