import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { runInNewContext } from 'node:vm'
import { startWeb, type Answer, type TestWeb } from '../testing/server.ts'
import type { ViewChange } from '../testing/stand-in.ts'

const failed: ViewChange = {
  phase: 'failed',
  failure: {
    code: 'start_failed',
    detail: 'It exited with code 3.',
    exitCode: 3,
    log: ['one', 'two'],
  },
}
const refusedWith = (
  code:
    | 'queue_full'
    | 'limit_total'
    | 'limit_user'
    | 'limit_guests'
    | 'limit_guests_address'
    | 'template_forbidden'
    | 'identity_reused'
    | 'engine_unreachable'
    | 'name_taken',
): ViewChange => ({
  phase: 'absent',
  refusal: { failure: { code, detail: 'Because.' }, limit: 7 },
})

let web: TestWeb
before(async () => {
  web = await startWeb({
    settings: { siteTitle: 'Harbour', supportUrl: 'mailto:help@example.com' },
  })
})
after(() => web[Symbol.asyncDispose]())

async function pageFor(change: ViewChange, headers: Record<string, string> = {}): Promise<Answer> {
  web.workspaces.show(change)
  return web.ask('/internal/v1/page', { headers })
}

function bodyTag({ body }: Answer): string {
  return /<body[^>]*>/.exec(body)?.[0] ?? ''
}

describe('the page for a navigation', () => {
  for (const [name, change, status, phase, retryAfter, kind] of [
    ['in the queue', { phase: 'queued' }, 503, 'queued', '5', 'loading'],
    ['while the image is pulled', { phase: 'pulling' }, 503, 'pulling', '3', 'loading'],
    ['while it is created', { phase: 'creating' }, 503, 'creating', '2', 'loading'],
    ['while it starts', { phase: 'starting' }, 503, 'starting', '2', 'loading'],
    ['while it is probed', { phase: 'probing' }, 503, 'probing', '1', 'loading'],
    ['while it wakes', { phase: 'frozen' }, 503, 'frozen', '1', 'loading'],
    ['while it stops', { phase: 'stopping' }, 503, 'stopping', '2', 'loading'],
    ['when it has become ready in the meantime', { phase: 'ready' }, 503, 'ready', '1', 'loading'],
    ['after a failed start', failed, 502, 'failed', undefined, 'failure'],
    [
      'after the end of its lifetime',
      { phase: 'stopped', ended: true },
      503,
      'stopped',
      undefined,
      'notice',
    ],
    [
      'after the kernel ended it for memory',
      { phase: 'stopped', outOfMemory: true },
      503,
      'stopped',
      undefined,
      'notice',
    ],
    ['when nothing is starting', { phase: 'absent' }, 503, 'absent', undefined, 'notice'],
    ['without access', refusedWith('template_forbidden'), 403, 'absent', undefined, 'notice'],
    [
      'under a user name that belonged to another person',
      refusedWith('identity_reused'),
      403,
      'absent',
      undefined,
      'notice',
    ],
    ['when the queue is full', refusedWith('queue_full'), 503, 'absent', '15', 'notice'],
    ['when all places are taken', refusedWith('limit_total'), 503, 'absent', '15', 'notice'],
    [
      'when the person has reached the limit',
      refusedWith('limit_user'),
      429,
      'absent',
      undefined,
      'notice',
    ],
    ['when there are too many guests', refusedWith('limit_guests'), 503, 'absent', '15', 'notice'],
    [
      'when there are too many guests of a network',
      refusedWith('limit_guests_address'),
      429,
      'absent',
      '15',
      'notice',
    ],
    ['when the name is taken', refusedWith('name_taken'), 409, 'absent', undefined, 'notice'],
    [
      'when the engine is unreachable',
      refusedWith('engine_unreachable'),
      503,
      'absent',
      '5',
      'notice',
    ],
    [
      'when the engine becomes unreachable during a start',
      { phase: 'pulling', failure: { code: 'engine_unreachable', detail: 'Away.' } },
      503,
      'pulling',
      '5',
      'notice',
    ],
  ] as const)
    it(`${name} is ${status}, ${phase}, ${kind}`, async () => {
      const answer = await pageFor(change)
      assert.equal(answer.status, status)
      assert.equal(answer.headers['berth-phase'], phase)
      assert.equal(answer.headers['retry-after'], retryAfter)
      assert.equal(answer.headers['cache-control'], 'no-store')
      assert.match(String(answer.headers['content-type']), /^text\/html/)
      assert.match(bodyTag(answer), new RegExp(`data-kind="${kind}"`))
      assert.match(bodyTag(answer), new RegExp(`data-phase="${phase}"`))
    })

  it('never starts a workspace', async () => {
    for (const change of [
      failed,
      { phase: 'absent' } as const,
      { ended: true, phase: 'stopped' } as const,
    ])
      await pageFor(change)
    assert.equal(
      web.workspaces.calls.some(({ name }) => name === 'requestStart'),
      false,
    )
  })

  it('says that a workspace ended for memory, also where it starts by a click', async () => {
    const offer = { description: 'Notebooks', icon: '', byClick: true }
    for (const more of [{}, { offer }]) {
      const { body } = await pageFor({ phase: 'stopped', outOfMemory: true, ...more })
      assert.match(body, /<h1>Your workspace ran out of memory<\/h1>/)
      assert.match(body, /needed more memory than there is for it, and was killed/)
      assert.match(body, /mem_limit/)
      assert.match(body, /Start again<\/button>/)
    }
  })

  it('shows the position in the queue in title and body', async () => {
    const answer = await pageFor({ phase: 'queued', position: 3, etaMs: 118_000 })
    assert.match(answer.body, /<title>Number 3 in the queue · JupyterLab<\/title>/)
    assert.match(bodyTag(answer), /data-position="3"/)
    assert.match(bodyTag(answer), /data-workspace="lab-alice"/)
    assert.match(answer.body, /You are number 3 in the queue/)
    assert.match(answer.body, /about 2 minutes/)
  })

  it('shows no estimate if none is known', async () => {
    const answer = await pageFor({ phase: 'queued', position: 3 })
    assert.match(answer.body, /id="estimate-fact" hidden/)
  })

  it('shows the progress of a pull in per cent, and never more than 100', async () => {
    assert.match((await pageFor({ phase: 'pulling', pullPercent: 37.4 })).body, /value="37"/)
    assert.match((await pageFor({ phase: 'pulling', pullPercent: 250 })).body, /value="100"/)
    assert.match(
      (await pageFor({ phase: 'pulling', pullPercent: Number.NaN })).body,
      /<progress[^>]* hidden>/,
    )
  })

  it('reloads without script, but only while something may change', async () => {
    const refresh = /<noscript><meta http-equiv="refresh" content="(\d+)"><\/noscript>/
    assert.equal(refresh.exec((await pageFor({ phase: 'starting' })).body)?.[1], '2')
    assert.equal(refresh.exec((await pageFor(refusedWith('engine_unreachable'))).body)?.[1], '5')
    for (const change of [failed, refusedWith('template_forbidden'), { phase: 'absent' } as const])
      assert.doesNotMatch((await pageFor(change)).body, refresh)
  })

  it('has a button to leave the queue only in the queue', async () => {
    const cancel =
      /<form class="actions" id="cancel" method="post" action="\/.berth\/cancel"( hidden)?>/
    assert.equal(cancel.exec((await pageFor({ phase: 'queued' })).body)?.[1], undefined)
    assert.equal(cancel.exec((await pageFor({ phase: 'starting' })).body)?.[1], ' hidden')
  })

  it('shows the reason, the exit code, the log, advice and a form to try again after a failure', async () => {
    const { body } = await pageFor(failed)
    assert.match(body, /It exited with code 3\./)
    assert.match(body, /<dt>Exit code<\/dt><dd>3<\/dd>/)
    assert.match(body, /one\ntwo/)
    assert.match(body, /What to try/)
    assert.match(
      body,
      /<form[^>]* method="post" action="\/.berth\/start">\s*<input type="hidden" name="to" value="\/lab\/tree\?a=1">/,
    )
    assert.match(body, /href="mailto:help@example.com"/)
  })

  it('has the address to lead back to in the address of each button, which is all that is left after a sign-in in between', async () => {
    const { body } = await pageFor(failed)
    assert.match(
      body,
      /<button type="submit" formaction="\/.berth\/start\?to=%2Flab%2Ftree%3Fa%3D1">/,
    )
    const { body: queued } = await pageFor({ phase: 'queued' })
    assert.match(
      queued,
      /formaction="\/.berth\/cancel\?to=%2F.berth%2F%3Fto%3D%252Flab%252Ftree%253Fa%253D1"/,
    )
  })

  it('lets a redirect after a form leave this origin: to the sign-in, or to where the application leads', async () => {
    const { headers } = await pageFor(failed)
    assert.match(String(headers['content-security-policy']), /form-action http: https:;/)
  })

  it('shows the signed-in person and a link to sign out', async () => {
    const { body } = await pageFor({ phase: 'queued' })
    assert.match(body, /Signed in as <strong>alice<\/strong>/)
    assert.match(body, /href="\/\.berth\/sign-out"/)
    assert.match(body, /class="site">Harbour</)
  })

  it('reports presence', async () => {
    const seen = web.workspaces.called('reportPresence')
    await pageFor({ phase: 'queued' })
    await seen
  })

  it('is a loading page before the first inventory, when the queue does not exist yet', async () => {
    await using early = await startWeb()
    early.workspaces.ready = () => false
    early.workspaces.show({ phase: 'absent' })
    const answer = await early.ask('/internal/v1/page')
    assert.equal(answer.headers['berth-phase'], 'queued')
    assert.equal(answer.headers['retry-after'], '5')
  })
})

describe('hostile texts on a page', () => {
  const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>\u001b[31m`

  it('are escaped everywhere', async () => {
    const changes: ViewChange[] = [
      { phase: 'queued', title: hostile },
      {
        ...failed,
        failure: { code: 'image_missing', detail: hostile, log: [hostile] },
        title: hostile,
      },
      { phase: 'absent', refusal: { failure: { code: 'template_forbidden', detail: hostile } } },
      { phase: 'starting', failure: { code: 'engine_unreachable', detail: hostile } },
    ]
    const headers = {
      'berth-user': encodeURIComponent(`x${hostile.slice(0, -5)}`),
      'berth-target': encodeURIComponent(`/"><script>alert(1)</script>`),
    }
    for (const change of changes) {
      const { body } = await pageFor(change, headers)
      const own = /<script>addEventListener\('error',.*<\/script>/
      const rest = body.replace(own, '')
      assert.doesNotMatch(rest, /<script>|<img|\u001b/)
      assert.equal(rest.match(/<script/g)?.length, 1)
      const markup = body.replace(/"[^"]*"/g, '""').match(/<[^>]*>/g) ?? []
      assert.doesNotMatch(markup.join(''), /\s(?:on\w+|style)=/)
    }
  })

  it('are limited in length', async () => {
    const huge = '<'.repeat(5_000_000)
    const log = Array.from({ length: 10_000 }, () => '<'.repeat(1_000))
    const change: ViewChange = {
      phase: 'failed',
      title: huge,
      failure: { code: 'start_failed', detail: huge, log },
    }
    const { body } = await pageFor(change)
    assert.ok(body.length < 1_000_000, `${body.length} characters`)
  })

  it('cannot lead to another origin: the front page replaces such a target', async () => {
    for (const target of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example/',
      'javascript:alert(1)',
    ]) {
      const { body } = await pageFor(failed, { 'berth-target': encodeURIComponent(target) })
      assert.match(body, /name="to" value="\/"/)
      assert.doesNotMatch(body, /evil|javascript:/)
    }
  })
})

describe('a page', () => {
  it('allows only our own files, and forbids frames', async () => {
    const { headers } = await pageFor({ phase: 'queued' })
    const policy = String(headers['content-security-policy'])
    assert.match(
      policy,
      /^default-src 'none'; style-src 'self'; script-src 'self' 'sha256-[\w+/=]+';/,
    )
    assert.match(policy, /frame-ancestors 'none'$/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['x-powered-by'], undefined)
  })

  it('loads itself again if its script does not load, as it does without script', async () => {
    const guard = /<script>([^]*?)<\/script>/
    const { headers, body } = await pageFor({ phase: 'starting' })
    const inline = guard.exec(body)?.[1] ?? ''
    const hash = createHash('sha256').update(inline).digest('base64')
    assert.ok(String(headers['content-security-policy']).includes(`'sha256-${hash}'`))
    assert.ok(body.indexOf(inline) < body.indexOf('<script type="module"'))

    assert.match(body, /<script type="module" src="[^"]*" data-refresh="2"><\/script>/)

    // What a browser calls when the module, or one that it imports, was not loaded.
    const did: unknown[] = []
    runInNewContext(inline, {
      addEventListener: (type: string, fail: (event: object) => void, capture: boolean) => {
        assert.deepEqual([type, capture], ['error', true])
        fail({ target: { dataset: {} } })
        fail({ target: {} })
        assert.deepEqual(did, [])
        fail({ target: { dataset: { refresh: '2' } } })
        fail({ target: { dataset: { refresh: '5;url=/.berth/?to=%2Flab' } } })
      },
      setTimeout: (work: () => void, ms: number) => {
        did.push(ms)
        work()
      },
      location: {
        reload: () => did.push('reload'),
        replace: (url: string) => did.push(url),
      },
    })
    assert.deepEqual(did, [2_000, 'reload', 5_000, '/.berth/?to=%2Flab'])
  })

  it('has no such script where nothing changes by itself', async () => {
    assert.doesNotMatch((await pageFor(failed)).body, /<script>/)
  })

  it('lets its forms send their origin (no-referrer would send null)', async () => {
    const { headers } = await pageFor({ phase: 'queued' })
    assert.equal(headers['referrer-policy'], 'same-origin')
  })

  it('allows frames of FRAME_ANCESTORS, and a mistake there does not end the policy', async () => {
    await using framed = await startWeb({
      settings: { frameAncestors: "'self' https://portal.example; script-src *" },
    })
    const { headers } = await framed.ask('/internal/v1/page')
    assert.match(
      String(headers['content-security-policy']),
      /frame-ancestors 'self' https:\/\/portal\.example {2}script-src \*$/,
    )
  })

  it('says who a guest is, and offers a guest neither the portal nor a way to sign out', async () => {
    const settings = { portalUrl: 'https://portal.example', signOutUrl: '/.berth/sign-out' }
    await using portal = await startWeb({ settings })
    portal.workspaces.show({ phase: 'queued', position: 2 })
    const bodyFor = async (user: string) =>
      (await portal.ask('/internal/v1/page', { headers: { 'berth-user': user } })).body
    assert.match(await bodyFor('alice'), /Signed in as <strong>alice<[^]*Sign out/)
    const ofGuest = await bodyFor('guest--0abcdefghi')
    assert.match(ofGuest, /You are the guest <strong>guest--0abcdefghi</)
    assert.doesNotMatch(ofGuest, /Signed in|Sign out|All workspaces/)
  })

  it('links to the portal, if there is one', async () => {
    await using portal = await startWeb({ settings: { portalUrl: 'https://portal.example' } })
    const link = /<a href="https:\/\/portal\.example\/">All workspaces<\/a>/
    for (const change of [
      { phase: 'queued', position: 2 },
      { phase: 'probing' },
      { phase: 'failed', failure: { code: 'start_failed', detail: 'x' } },
      { phase: 'absent', refusal: { failure: { code: 'queue_full', detail: 'x' } } },
    ] as const) {
      portal.workspaces.show(change)
      assert.match((await portal.ask('/internal/v1/page')).body, link)
    }
    assert.doesNotMatch((await pageFor({ phase: 'queued' })).body, /All workspaces/)
  })

  it('leaves out links that a mistake in the settings would make dangerous', async () => {
    await using slipped = await startWeb({
      settings: { signOutUrl: 'javascript:alert(1)', supportUrl: 'data:text/html,x' },
    })
    const { body } = await slipped.ask('/internal/v1/page')
    assert.doesNotMatch(body, /javascript:|data:text/)
    assert.doesNotMatch(body, /Sign out|Help/)
  })
})
