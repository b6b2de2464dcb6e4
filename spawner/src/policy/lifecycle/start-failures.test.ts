import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Finding } from '@berth/shared/contract'
import type { Failure, Listener } from '../domain.ts'
import { begun, director, nameOf, type Scenario } from '../testing/scenario.ts'
import { explained, neverHealthy, neverReady, withListeners } from './start-failures.ts'

/** Its container runs, and the director probes it. */
function probed(): Scenario {
  const story = begun({ spec: { port: 9999, readyPath: '/' } })
  story.asks('ann')
  story.obeys('create-network', 'attach-director', 'pull-image')
  story.obeys('create-container', 'start-container')
  return story
}

function meets(story: Scenario, finding: Finding, status?: number): void {
  story.hears({
    type: 'probe-answered',
    director,
    workspace: nameOf('ann'),
    generation: story.workspace('ann').container?.generation ?? '',
    reachable: false,
    finding,
    ...(status === undefined ? {} : { status }),
  })
}

describe('a start timeout', () => {
  for (const [finding, status, words] of [
    ['refused', undefined, /nothing listens on port 9999/],
    ['unreachable', undefined, /port 9999 of the container took no connection/],
    ['silent', undefined, /\/ was not answered/],
    ['closed', undefined, /closed the connection to port 9999/],
    ['tls', undefined, /speaks only HTTPS on port 9999/],
    ['no_tls', undefined, /does not speak HTTPS on port 9999/],
    ['not_http', undefined, /does not speak HTTP\./],
    ['oversized', undefined, /headers .* are larger than Berth accepts\./],
    ['status', 503, /\/ on port 9999 was answered with status 503/],
  ] as const)
    it(`says what the last probe met: ${finding}`, () => {
      const story = probed()
      story.passes(60_000)
      assert.equal(story.phase('ann'), 'probing', 'the director has a moment to tell')
      meets(story, finding, status)
      story.obeys('stop-container', 'remove-container')
      const { failure } = story.workspace('ann')
      assert.equal(failure?.code, 'start_timeout')
      assert.equal(failure.obstacle, finding)
      assert.match(failure.detail, words)
    })

  it('does not wait for ever for a director that tells nothing', () => {
    const story = probed()
    story.passes(62_000)
    story.obeys('stop-container', 'remove-container')
    assert.equal(story.phase('ann'), 'failed')
    assert.equal(story.workspace('ann').failure?.obstacle, undefined)
  })

  it('is not explained by the exit code of the container that Berth stopped', () => {
    const story = probed()
    story.passes(62_000).obeys('stop-container', 'remove-container')
    assert.equal(story.workspace('ann').failure?.exitCode, undefined)
  })

  it('finds out where the container listens only if the connection was refused', () => {
    for (const [finding, finds] of [
      ['refused', true],
      ['closed', undefined],
    ] as const) {
      const story = probed()
      story.passes(60_000)
      meets(story, finding)
      const stop = story.orders.find(({ type }) => type === 'stop-container')
      assert.equal(stop?.type === 'stop-container' && stop.findsListeners, finds)
    }
  })

  it('tells that the container listens only inside', () => {
    const story = probed()
    story.passes(60_000)
    meets(story, 'refused')
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({
      type: 'container-stopped',
      workspace: nameOf('ann'),
      generation,
      exitCode: 137,
      listeners: [{ port: 9999, loopback: true }],
    })
    story.orders.length = 0
    assert.equal(story.workspace('ann').failure?.obstacle, 'loopback')
  })

  it('forgets what a probe met in an earlier start', () => {
    const story = probed()
    meets(story, 'refused')
    assert.equal(story.workspace('ann').met?.finding, 'refused')
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({ type: 'container-destroyed', generation })
    assert.equal(story.workspace('ann').met, undefined)
  })
})

describe('the listeners of a container whose probe was refused', () => {
  const refused = neverReady({ finding: 'refused' }, 9999, '/')
  for (const [what, listeners, obstacle, words] of [
    ['none', [], 'refused', /nothing listens on port 9999/],
    [
      'the port, inside only',
      [{ port: 9999, loopback: true }],
      'loopback',
      /only at the loopback address \(127\.0\.0\.1 or ::1\)/,
    ],
    [
      'the port, now or by IPv6',
      [{ port: 9999, loopback: false }],
      'late',
      /refused connections until the time was over/,
    ],
    [
      'other ports',
      [
        { port: 8888, loopback: false },
        { port: 80, loopback: true },
      ],
      'other_port',
      /listens on port 80, 8888/,
    ],
  ] as const satisfies readonly (readonly [string, readonly Listener[], string, RegExp])[])
    it(`are told: ${what}`, () => {
      const told = withListeners(refused, listeners, 9999)
      assert.equal(told.obstacle, obstacle)
      assert.match(told.detail, words)
    })

  it('explain no other failure', () => {
    assert.equal(withListeners(neverHealthy, [{ port: 1, loopback: true }], 1), neverHealthy)
  })
})

describe('what a container leaves behind', () => {
  const exited: Failure = {
    code: 'start_failed',
    detail: 'It exited with code 137.',
    exitCode: 137,
  }

  it('tells that the kernel killed it for memory', () => {
    const told = explained(exited, { log: ['last'], outOfMemory: 64 * 1024 ** 2 })
    assert.equal(told.obstacle, 'memory')
    assert.match(told.detail, /needed more than the 64 MiB of memory that it may use/)
    assert.deepEqual(told.log, ['last'])
  })

  it('tells of a program in it that was killed for memory, beside why it never got ready', () => {
    const told = explained(neverReady({ finding: 'refused' }, 80, '/'), { log: [], outOfMemory: 0 })
    assert.equal(told.obstacle, 'memory')
    assert.match(told.detail, /nothing listens on port 80.*A program in it needed memory/)
  })

  it('has the last words of its health check', () => {
    const told = explained(neverHealthy, { log: [], health: '/bin/sh: curl: not found' })
    assert.match(told.detail, /The check said last: \/bin\/sh: curl: not found$/)
    assert.equal(explained(exited, { log: [], health: 'x' }).detail, exited.detail)
  })

  for (const line of [
    's6-overlay-suexec: fatal: can only run as pid 1',
    'runit: fatal: must be run as process no 1.',
    'init: must be run as PID 1',
    'System has not been booted with systemd as init system (PID 1). Can’t operate.',
  ])
    it(`tells that its own program must be process 1: ${line}`, () => {
      assert.equal(explained(exited, { log: ['x', line, 'y'] }).obstacle, 'process_one')
    })

  it('tells that the machine cannot execute its program', () => {
    const log = ['exec /hello: exec format error']
    assert.equal(explained(exited, { log }).obstacle, 'not_executable')
    assert.equal(explained(neverHealthy, { log }).obstacle, 'unhealthy')
  })

  it('tells that what should run its program is not there', () => {
    const log = ['exec /entry.sh: no such file or directory']
    assert.equal(explained(exited, { log }).obstacle, 'no_interpreter')
    const other = ['cat: /x: no such file or directory']
    assert.equal(explained(exited, { log: other }).obstacle, undefined)
  })

  it('takes no other line about a process for that', () => {
    for (const line of ['[WARN tini (7)] Tini is not running as PID 1', 'started with pid 1'])
      assert.equal(explained(exited, { log: [line] }).obstacle, undefined)
  })
})
