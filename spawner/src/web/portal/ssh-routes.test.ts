import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@berth/shared/clock'
import { createLog } from '@berth/shared/log'
import { systemTimer } from '@berth/shared/timer'
import { createRegisteredKeys, type RegisteredKey } from '../../ssh/keys.ts'
import { createTerminalSignIns } from '../../ssh/terminal-sign-ins.ts'
import { serveWeb, startWeb, type Ask } from '../testing/server.ts'
import { createStandIn } from '../testing/stand-in.ts'
import { userOf } from '../../loop/testing/test-loop.ts'

const portalUrl = 'http://portal.localhost:4180'
const log = createLog({ service: 'test', level: 'silent' })
const line =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g ann@laptop'
const fingerprint = /SHA256:[A-Za-z0-9+/]{43}/

async function start(keyForges?: readonly string[]) {
  const saved = new Map<string, RegisteredKey>()
  const terminalSignIns = createTerminalSignIns({ clock: systemClock, setTimer: systemTimer })
  const alice = { ...userOf('alice'), subject: 'u-alice' }
  const keys = createRegisteredKeys({
    store: {
      keysOf: (user) => [...saved.values()].filter((key) => key.user === user),
      saveKey: (key) => void saved.set(key.key, key),
      removeKey: (_user, key) => void saved.delete(key),
    },
    signIns: { last: () => ({ person: alice, at: 0 }) },
    clock: systemClock,
    log,
  })
  const web = await serveWeb({
    settings: { portalUrl, ...(keyForges === undefined ? {} : { keyForges }) },
    workspaces: createStandIn(),
    keys,
    terminalSignIns,
  })
  const ask = (path: string, options: Ask = {}) =>
    web.ask(`/internal/v1/portal${path}`, {
      ...options,
      headers: {
        accept: 'text/html',
        'x-forwarded-host': 'portal.localhost:4180',
        ...options.headers,
      },
    })
  const tokenOn = async (path: string) =>
    /name="token" value="([^"]+)"/.exec((await ask(path)).body)?.[1] ?? ''
  const press = async (path: string, fields: Record<string, string>, page = '/keys') =>
    ask(path, {
      method: 'POST',
      headers: {
        origin: portalUrl,
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token: await tokenOn(page), ...fields }).toString(),
    })
  /** As a director does. */
  const tell = async (method: string, path: string, body?: object) => {
    const answer = await web.ask(path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify({ director: 'd', ...body }) }),
    })
    return { status: answer.status, json: JSON.parse(answer.body) as Record<string, unknown> }
  }
  const begin = (more: object = { key: line }) =>
    tell('POST', '/internal/v1/terminal-sign-ins', {
      user: 'alice',
      address: '192.0.2.7',
      program: 'OpenSSH_9.2',
      ...more,
    })
  return {
    keys,
    terminalSignIns,
    ask,
    press,
    tell,
    begin,
    async [Symbol.asyncDispose]() {
      terminalSignIns[Symbol.dispose]()
      await web[Symbol.asyncDispose]()
    },
  }
}

describe('the portal’s page of SSH keys', () => {
  it('adds a key, shows it, and removes it; the director hears of it at once', async () => {
    await using portal = await start()
    const admits = async () => {
      const key = line.split(' ')[1]
      const asked = { user: 'alice', key, proven: false }
      return (await portal.tell('POST', '/internal/v1/keys', asked)).json
    }
    assert.match((await portal.ask('/keys')).body, /You have no keys here yet/)
    assert.deepEqual(await admits(), { admits: false })
    const added = await portal.press('/keys/add', { key: `${line}\n`, name: '<b>mine</b>' })
    assert.equal(added.status, 303)
    assert.equal(added.headers.location, '/keys?notice=added')
    const { body } = await portal.ask('/keys?notice=added')
    assert.match(body, /role="alert">The key was added/)
    assert.match(body, /&lt;b&gt;mine&lt;\/b&gt;/)
    assert.match(body, /not used yet/)
    assert.deepEqual(await admits(), { admits: true })
    const [print = ''] = fingerprint.exec(body) ?? []
    const removed = await portal.press('/keys/remove', { fingerprint: print })
    assert.equal(removed.headers.location, '/keys?notice=removed')
    assert.deepEqual(await admits(), { admits: false })
  })

  it('says what is wrong with a key, and keeps what was typed', async () => {
    await using portal = await start()
    const answer = await portal.press('/keys/add', { key: 'ssh-ed25519 AAAA', name: 'mine' })
    assert.equal(answer.status, 400)
    assert.match(answer.body, /The key is damaged/)
    assert.match(answer.body, />ssh-ed25519 AAAA<\/textarea>/)
    assert.match(answer.body, /value="mine"/)
  })

  it('hazard: a form without the token, or of another site, changes nothing', async () => {
    await using portal = await start()
    const expired = await portal.press('/keys/add', { key: line, token: 'x' })
    assert.equal(expired.headers.location, '/keys?notice=expired')
    const foreign = await portal.ask('/keys/add', {
      method: 'POST',
      headers: {
        origin: 'http://lab.localhost:4180',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ key: line }).toString(),
    })
    assert.equal(foreign.status, 403)
    assert.deepEqual(portal.keys.of({ ...userOf('alice'), subject: 'u-alice' }), [])
  })

  it('offers to fetch keys from allowed forges alone', async () => {
    await using none = await start()
    assert.doesNotMatch((await none.ask('/keys')).body, /Fetch/)
    await using portal = await start(['https://forge.test'])
    assert.match((await portal.ask('/keys')).body, /https:\/\/forge\.test\/your-name\.keys/)
    const answer = await portal.press('/keys/import', { address: 'https://evil.test/a.keys' })
    assert.equal(answer.status, 400)
    assert.match(answer.body, /Write an address such as https:\/\/forge\.test\/your-name\.keys/)
  })

  it('is where the path of a workspace leads, since scripts of its application have that origin', async () => {
    await using web = await startWeb({ settings: { portalUrl } })
    const answer = await web.ask('/.berth/keys')
    assert.equal(answer.headers.location, `${portalUrl}/keys`)
    await using without = await startWeb()
    assert.equal((await without.ask('/.berth/keys')).status, 404)
  })
})

describe('the portal’s page of a sign-in from a terminal', () => {
  it('shows who asks, and the terminal hears of the answer; the key is remembered only if the person says so', async () => {
    await using portal = await start()
    const { status, json } = await portal.begin()
    assert.equal(status, 201)
    const { code, url } = json as { code: string; url: string }
    assert.equal(url, `${portalUrl}/ssh/${code}`)
    const { body } = await portal.ask(`/ssh/${code}`)
    assert.match(body, new RegExp(`<code>${code}</code>`))
    assert.match(body, /192\.0\.2\.7/)
    assert.match(body, /OpenSSH_9\.2/)
    assert.match(body, fingerprint)
    const state = portal.tell('GET', `/internal/v1/terminal-sign-ins/${code}`)
    const answer = await portal.press(`/ssh/${code}`, { act: 'allow' })
    assert.equal(answer.headers.location, `/ssh/${code}?done=allowed`)
    assert.deepEqual((await state).json, { state: 'allowed' })
    assert.match((await portal.ask(`/ssh/${code}?done=allowed`)).body, /Your terminal goes on/)
    assert.deepEqual(portal.keys.of({ ...userOf('alice'), subject: 'u-alice' }), [])

    const second = (await portal.begin()).json['code'] as string
    const fields = { act: 'allow', remember: 'yes' }
    const kept = await portal.press(`/ssh/${second}`, fields)
    assert.equal(kept.headers.location, `/ssh/${second}?done=remembered`)
    const [key] = portal.keys.of({ ...userOf('alice'), subject: 'u-alice' })
    assert.equal(key?.name, 'from 192.0.2.7')
  })

  it('refuses the client where the person says so', async () => {
    await using portal = await start()
    const code = (await portal.begin({})).json['code'] as string
    assert.doesNotMatch((await portal.ask(`/ssh/${code}`)).body, /Remember this key/)
    const answer = await portal.press(`/ssh/${code}`, { act: 'refuse' })
    assert.equal(answer.headers.location, `/ssh/${code}?done=refused`)
    const { json } = await portal.tell('GET', `/internal/v1/terminal-sign-ins/${code}`)
    assert.deepEqual(json, { state: 'refused' })
  })

  it('hazard: it is another person’s, over, or answered without a token: it shows and allows nothing', async () => {
    await using portal = await start()
    const code = (await portal.begin({ user: 'bob' })).json['code'] as string
    const page = await portal.ask(`/ssh/${code}`)
    assert.equal(page.status, 404)
    assert.match(page.body, /for another user name/)
    const answer = await portal.press(`/ssh/${code}`, { act: 'allow' })
    assert.equal(answer.headers.location, `/ssh/${code}?done=gone`)
    const own = (await portal.begin()).json['code'] as string
    const forged = await portal.press(`/ssh/${own}`, { act: 'allow', token: 'x' })
    assert.equal(forged.headers.location, `/ssh/${own}?notice=expired`)
    assert.equal(portal.terminalSignIns.find(own, userOf('alice'))?.state, 'waiting')
    await portal.tell('DELETE', `/internal/v1/terminal-sign-ins/${own}`)
    assert.equal((await portal.ask(`/ssh/${own}`)).status, 404)
  })
})
