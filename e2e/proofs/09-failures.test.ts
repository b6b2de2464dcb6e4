// Proof 9: what can go wrong with a start is told, to people and to programs, and the button works once the cause is gone.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { arrive } from '../clients/arrival.ts'
import { keepScreenshot, openBrowser, openPage, signInWithBrowser } from '../clients/browser.ts'
import { statusOf } from '../clients/event-stream.ts'
import { signIn, type Person } from '../clients/people.ts'
import { expectProblem, type Problem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { workspacesOf } from '../engine/belongings.ts'
import { watchEngine } from '../engine/history.ts'
import { buildImage } from '../engine/image.ts'
import { startRegistry, type Registry } from '../engine/registry.ts'
import { attempt, run } from '../run/command.ts'
import { eventually, letPass } from '../run/deadline.ts'
import { surroundings } from '../run/surroundings.ts'

/** Runs the given command until a file exists, and hello from then on. */
const onlyWhenMended = (otherwise: string): string =>
  JSON.stringify([
    'sh',
    '-c',
    `if test -e /home/hello/mended; then exec node /opt/hello/src/main.ts; fi; ${otherwise}`,
  ])

describe('proof 9: failures', () => {
  let berth: Deployment
  let registry: Registry
  before(async () => {
    registry = await startRegistry()
    berth = await deploy({
      name: 'fail',
      settings: {
        IDP_PEOPLE: 'dora,emil,fred,gina,hugo,ines',
        CONTAINER_IMAGE: `${registry.name}/missing:1`,
        SUPPORT_URL: 'mailto:help@example.test',
      },
    })
  })
  after(async () => {
    await berth?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
  })

  it('reports a missing image, and starts once the image exists', async () => {
    const dora = await signIn(berth.site, 'dora')
    await expectFailure(dora, 'image_missing')
    await registry.publish('berth/hello', 'missing:1')
    await pressAndArrive(dora)
    await forget(`${registry.name}/missing:1`)
  })

  it('reports a registry that denies access, and starts once it allows it', async () => {
    await registry.publish('berth/hello', 'private:1')
    await registry.deny(true)
    await berth.reconfigure({ CONTAINER_IMAGE: `${registry.name}/private:1` }, 'spawner')
    const emil = await signIn(berth.site, 'emil')
    const problem = await expectFailure(emil, 'image_missing')
    assert.match(problem.detail, /den|credential|auth|access|permission/i)
    await registry.deny(false)
    await pressAndArrive(emil)
    await forget(`${registry.name}/private:1`)
  })

  it('shows the progress of a pull in per cent, and then the workspace', async () => {
    await makeLargeImage(registry)
    await berth.reconfigure({ CONTAINER_IMAGE: `${registry.slowName}/large:1` }, 'spawner')
    await using browser = await openBrowser()
    const page = await openPage(browser)
    const shown = new Set<string>()
    await page.exposeFunction('tellText', (text: string) => void shown.add(text))
    await page.addInitScript({ content: noteText })
    await signInWithBrowser(page, berth.site.origin, 'fred')
    await page.waitForSelector('body[data-phase=pulling]')
    await eventually('it shows per cent', 30_000, async () =>
      [...shown].some((text) => /[1-9]\d?\s*%/.test(text)),
    )
    await keepScreenshot(page, '09-pulling')
    await page.waitForSelector('#who')
    const numbers = [...shown].flatMap((text) => /(\d{1,3})\s*%/.exec(text)?.[1] ?? []).map(Number)
    assert.ok(new Set(numbers).size >= 3, `it showed ${numbers.join(', ')} per cent`)
    assert.deepEqual(
      numbers,
      numbers.toSorted((one, other) => one - other),
      'the percentage never decreases',
    )
    await forget(`${registry.slowName}/large:1`)
  })

  it('reports an image that exits at once, with its exit code and last output, and does not retry by itself', async () => {
    await berth.reconfigure(
      {
        CONTAINER_IMAGE: 'berth/hello',
        CONTAINER_COMMAND: onlyWhenMended(
          'echo first words; printf "\\033[31ma <b>bold</b> mistake & more\\033[0m\\n" >&2; exit 7',
        ),
      },
      'spawner',
    )
    await using history = await watchEngine(berth.engine)
    await using browser = await openBrowser()
    const page = await openPage(browser)
    await signInWithBrowser(page, berth.site.origin, 'gina')
    await page.waitForSelector('body[data-phase=failed]')
    await keepScreenshot(page, '09-exited-at-once')
    const text = await page.innerText('body')
    assert.match(text, /\b7\b/, 'the exit code')
    assert.match(text, /first words/)
    assert.match(text, /a <b>bold<\/b> mistake & more/, 'shown as text, not as markup')
    assert.ok(!text.includes('\u001b'))
    assert.equal(await page.locator('b:has-text("bold")').count(), 0)

    const gina = await signIn(berth.site, 'gina')
    await expectFailure(gina, 'start_failed')
    const name = berth.workspaceName('gina')
    const starts = (): number =>
      history.events.filter((event) => event.action === 'start' && event.name === name).length
    const before = starts()
    await page.reload()
    await letPass(3_000)
    assert.equal(starts(), before, 'the page with the failure starts nothing')
    assert.equal(before, 1)

    await mend(berth, 'gina')
    await page.click('form[action="/.berth/start"] button')
    await page.waitForSelector('#who')
    assert.match(await page.innerText('#who'), new RegExp(name))
  })

  it('reports an image that never listens, at its start timeout', async () => {
    await berth.reconfigure(
      {
        CONTAINER_COMMAND: onlyWhenMended('exec sleep 600'),
        // Long enough for the start that follows, even on a busy machine.
        CONTAINER_START_TIMEOUT: '12s',
        CONTAINER_STOP_TIMEOUT: '1s',
      },
      'spawner',
    )
    const hugo = await signIn(berth.site, 'hugo')
    const began = Date.now()
    await expectFailure(hugo, 'start_timeout')
    assert.ok(Date.now() - began >= 12_000)
    await mend(berth, 'hugo')
    await pressAndArrive(hugo)
  })

  it('names the setting for an image whose own program has to be process 1, and starts with it', async () => {
    const image = await buildImage('s6')
    await berth.reconfigure({ CONTAINER_IMAGE: image, CONTAINER_COMMAND: '' }, 'spawner')
    await using browser = await openBrowser()
    const page = await openPage(browser)
    await signInWithBrowser(page, berth.site.origin, 'ines')
    await page.waitForSelector('body[data-phase=failed]')
    await keepScreenshot(page, '09-process-one')
    const text = await page.innerText('body')
    assert.match(text, /has to be process 1 .*init: false \(CONTAINER_INIT=false\)/)
    assert.match(text, /init: fatal: can only run as pid 1/, 'what the image says itself')

    await berth.reconfigure({ CONTAINER_INIT: 'false' }, 'spawner')
    await page.click('form[action="/.berth/start"] button')
    await page.waitForSelector('#s6')
    const name = berth.workspaceName('ines')
    assert.equal((await run('docker', ['exec', name, 'cat', '/proc/1/comm'])).trim(), 's6-svscan')
    await berth.reconfigure({ CONTAINER_IMAGE: 'berth/hello', CONTAINER_INIT: '' }, 'spawner')
  })

  it('leaves nothing incomplete after these failures', async () => {
    const states = (await workspacesOf(berth.engine, berth.instance)).map(({ State }) => State)
    assert.ok(
      states.every((state) => state === 'running'),
      states.join(),
    )
  })

  it('refuses a person who is not allowed, with a page and a problem', async () => {
    await berth.reconfigure(
      { CONTAINER_ALLOWED_GROUPS: 'admins', CONTAINER_COMMAND: '', CONTAINER_START_TIMEOUT: '60s' },
      'spawner',
    )
    const alice = await signIn(berth.site, 'alice')
    await expectProblem(await alice.ask('/whoami'), 403, 'template_forbidden')
    const page = await alice.navigate('/')
    assert.equal(page.status, 403)
    assert.match(await page.text(), /<h1/)
    const admin = await signIn(berth.site, 'admin')
    // The director hears of the group soon after the spawner has started, and leaves out groups that no template names.
    await eventually('a member is let in', 20_000, async () => (await arrive(admin)).status === 200)
  })

  it("accepts state-changing calls from Berth's own pages only", async () => {
    const admin = await signIn(berth.site, 'admin')
    const foreign = await admin.ask('/.berth/start', {
      method: 'POST',
      headers: { origin: 'http://evil.example', 'content-length': '0' },
    })
    await expectProblem(foreign, 403, 'origin_refused')
    const form = await admin.ask('/.berth/start', {
      method: 'POST',
      body: new URLSearchParams({ to: '//evil.example/' }).toString(),
      headers: {
        origin: berth.site.origin,
        'content-type': 'application/x-www-form-urlencoded',
      },
    })
    const location = form.headers.location ?? '/'
    form.leave()
    assert.equal(new URL(location, berth.site.origin).origin, berth.site.origin, 'no open redirect')
  })
})

/** The failure is the same as a problem, as a page with a button, and on the event stream. */
async function expectFailure(person: Person, code: string): Promise<Problem> {
  const problem = await expectProblem(await person.ask('/whoami'), 502, code)
  const page = await person.navigate('/some/where?x=1')
  const html = await page.text()
  assert.equal(page.status, 502)
  assert.equal(page.headers['berth-phase'], 'failed', html.slice(0, 300))
  assert.match(page.headers['content-type'] ?? '', /^text\/html/)
  assert.match(page.headers['cache-control'] ?? '', /no-store/)
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/)
  assert.match(html, /data-phase="failed"/)
  assert.match(html, /<form[^>]+action="\/\.berth\/start"/)
  assert.match(html, /mailto:help@example\.test/)
  const stream = await person.events()
  const status = statusOf(await stream.first('a status', 10_000, ({ event }) => event === 'phase'))
  stream.close()
  assert.equal(status.phase, 'failed')
  assert.equal(status.problem?.code, code)
  return problem
}

async function pressAndArrive(person: Person): Promise<void> {
  const pressed = await person.press('start')
  assert.ok(pressed.status < 400, `start is answered ${pressed.status}: ${await pressed.text()}`)
  const answer = await arrive(person)
  assert.equal(answer.status, 200, await answer.text())
}

/** Removes the image, so that the next start pulls it again. */
async function forget(image: string): Promise<void> {
  await attempt('docker', ['rmi', '--force', image])
}

/** Creates the file in a person's home that makes the command run hello. */
async function mend(berth: Deployment, user: string): Promise<void> {
  const volume = `${berth.instance}-${user}-home`
  await run('docker', [
    ...['run', '--rm', '--volume', `${volume}:/home/hello`, 'berth/hello'],
    ...['touch', '/home/hello/mended'],
  ])
}

/** hello with a layer of 60 MB that does not compress. Not by a build, whose cache would keep the layer. */
async function makeLargeImage(registry: Registry): Promise<void> {
  const name = `${surroundings.instance}-large`
  const ballast = 'head -c 60000000 /dev/urandom > /tmp/ballast'
  const command = 'CMD ["node", "/opt/hello/src/main.ts"]'
  await run('docker', ['run', '--name', name, 'berth/hello', 'sh', '-c', ballast])
  try {
    await run('docker', ['commit', '--change', command, name, name])
    await registry.publish(name, 'large:1')
  } finally {
    await run('docker', ['rm', '--force', name])
    await forget(name)
  }
}

/** Runs in the browser: reports the text of the page whenever it changes. */
const noteText = `
  document.addEventListener('DOMContentLoaded', () => {
    const note = () => tellText(document.body.innerText)
    note()
    new MutationObserver(note).observe(document.documentElement, {
      attributes: true, childList: true, subtree: true, characterData: true,
    })
  })
`
