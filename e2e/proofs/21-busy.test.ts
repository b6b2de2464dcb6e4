// Proof 21: a kernel that computes keeps its workspace, although no person uses it, and an open page is not interrupted.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { arrive } from '../clients/arrival.ts'
import { startKernel } from '../clients/jupyter.ts'
import { signIn, type Person } from '../clients/people.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { labTemplate } from '../deployment/templates.ts'
import { watchEngine } from '../engine/history.ts'
import { letPass } from '../run/deadline.ts'

const idleStopMs = 4_000
const computesMs = 20_000
/** The activity checks while it is busy, the lease, the margin and the time of the engine. */
const slackMs = 60_000

describe('proof 21: busy is not idle', () => {
  let berth: Deployment
  before(async () => {
    berth = await deploy({
      name: 'busy',
      template: labTemplate,
      settings: { CONTAINER_ACTIVITY_PATH: '/api/kernels', CONTAINER_IDLE_STOP: '4s' },
    })
  })
  after(() => berth[Symbol.asyncDispose]())

  it('keeps the workspace until the computation has ended, and stops it then', async () => {
    await using history = await watchEngine(berth.engine)
    const alice = await signIn(berth.site, 'alice')
    const kernel = await startKernel(alice)
    const began = Date.now()
    // The code writes nothing, so no message shows activity before the end.
    await kernel.leaveComputing(
      [
        'import time, pathlib',
        `until = time.time() + ${computesMs / 1_000}`,
        'while time.time() < until: pass',
        "pathlib.Path('/home/lab/done.txt').write_text(str(time.time()))",
      ].join('\n'),
    )
    const polling = new AbortController()
    const polled = poll(alice, polling.signal)
    const name = berth.workspaceName('alice')
    const end = await history.first(
      'it is stopped once the kernel is done',
      computesMs + idleStopMs + slackMs,
      (event) => event.type === 'container' && event.name === name && event.action === 'die',
    )
    polling.abort()
    const refusals = (await polled).filter(({ status }) => status === 503)
    await arrive(alice)
    const file = await alice.ask('/api/contents/done.txt?content=1')
    assert.equal(file.status, 200, 'the computation was cut off: it has left no file')
    const { content } = await file.json<{ content: string }>()
    const doneAt = Number(content) * 1_000
    assert.ok(doneAt - began >= computesMs, 'it computed for as long as it was told to')
    assert.ok(end.at > doneAt, `stopped ${doneAt - end.at} ms before the computation was done`)
    assert.deepEqual(
      refusals.filter(({ at }) => at < doneAt),
      [],
      'the open page is not interrupted while the kernel computes',
    )
  })
})

interface Polled {
  readonly at: number
  readonly status: number
}

/** What an open page asks for by itself. */
async function poll(person: Person, signal: AbortSignal): Promise<readonly Polled[]> {
  const answers: Polled[] = []
  while (!signal.aborted) {
    const answer = await person.fetch('/api/kernels')
    await answer.text()
    answers.push({ at: Date.now(), status: answer.status })
    await letPass(200)
  }
  return answers
}
