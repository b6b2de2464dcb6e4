import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { systemClock } from '@berth/shared/clock'
import type { ActivityCheckResult } from '@berth/shared/contract'
import { parseSubnetPool } from '@berth/shared/subnet-pool'
import { pino } from 'pino'
import { systemTimer } from '@berth/shared/timer'
import { readActivity } from './activity-answer.ts'
import { createActivityChecks } from './activity-check.ts'

const pool = parseSubnetPool('127.5.0.0/16')
assert(pool !== undefined)
const log = pino({ level: 'silent' })
const wall = Date.parse('2026-01-01T12:00:00Z')
const clock = { ...systemClock, wall: () => wall }
const ten = '2026-01-01T11:59:50.123456Z'
const forty = '2026-01-01T11:59:20+00:00'

type Answers = Readonly<Record<string, unknown>>

/** The result for an application that answers like this, and the requests that it received. */
async function ask(path: string, serve: http.RequestListener, deadlineMs = 2_000) {
  assert(pool !== undefined)
  const asked: string[] = []
  const server = http.createServer((req, res) => {
    asked.push(req.url ?? '')
    serve(req, res)
  })
  await once(server.listen(0, '127.5.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const told = Promise.withResolvers<Omit<ActivityCheckResult, 'director'>>()
  const keepAlive = setInterval(() => undefined, 1_000)
  await using activityChecks = createActivityChecks({
    clock,
    setTimer: systemTimer,
    pool,
    log,
    async post(result) {
      told.resolve(result)
      return true
    },
  })
  const address = { host: '127.5.0.1', port }
  activityChecks.send({ workspace: 'lab-alice', generation: 'g1', address, path, deadlineMs })
  const { workspace, generation, ...said } = await told.promise
  clearInterval(keepAlive)
  server.closeAllConnections()
  server.close()
  assert.deepEqual([workspace, generation], ['lab-alice', 'g1'])
  return { said, asked }
}

const json =
  (answers: Answers): http.RequestListener =>
  (req, res) => {
    const answer = answers[req.url ?? '']
    res.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer))
  }

const kernel = (execution_state: string, last_activity: string) => ({
  id: 'x',
  name: 'python3',
  execution_state,
  last_activity,
  connections: 0,
})

describe('the activity that an application reports', () => {
  for (const [what, answer, said] of [
    ['a busy kernel', [kernel('idle', ten), kernel('busy', forty)], { busy: true, ago: 9_877 }],
    ['idle kernels', [kernel('idle', forty), kernel('starting', ten)], { busy: false, ago: 9_877 }],
    ['no kernels', [], { busy: false }],
    ['terminals', [{ name: '1', last_activity: forty }], { busy: false, ago: 40_000 }],
    ['plain words', { busy: true, last_activity: forty, more: 1 }, { busy: true, ago: 40_000 }],
    ['plain words', { busy: false, lastActivityAgoMs: 7 }, { busy: false, ago: 7 }],
    ['plain words', { busy: false }, { busy: false }],
    ['a clock ahead', { last_activity: '2026-01-01T12:00:09Z' }, { ago: 0 }],
    ['long ago', { last_activity: '1971-01-01T00:00:00Z' }, { ago: 366 * 86_400_000 }],
    ['nothing', {}, {}],
    ['no activity', [{ name: 'x' }], {}],
    ['a number', 5, {}],
    ['nothing at all', undefined, {}],
    ['a text', 'busy', {}],
    ['half of it wrong', { busy: 'yes', lastActivityAgoMs: 5 }, {}],
    ['no date', { last_activity: 'yesterday' }, {}],
    ['no such date', { last_activity: '2026-13-45T00:00:00Z' }, {}],
    ['the future', { lastActivityAgoMs: -5 }, {}],
  ] as const)
    it(`${what}: ${JSON.stringify(answer)}`, () => {
      const { ago, ...rest } = said as { ago?: number; busy?: boolean }
      const expected = ago === undefined ? rest : { ...rest, lastActivityAgoMs: ago }
      assert.deepEqual(readActivity(answer, wall), expected)
    })
})

describe('activity checks', () => {
  const status = (kernels: number) => ({ connections: 3, kernels, last_activity: forty })

  it('ask which kernels are busy if Jupyter counts some, and do not count as activity themselves', async () => {
    const { said, asked } = await ask(
      '/user/api/status',
      json({
        '/user/api/status': status(1),
        '/user/api/kernels?no_track_activity=1': [kernel('busy', ten)],
      }),
    )
    assert.deepEqual(said, { busy: true, lastActivityAgoMs: 9_877 })
    assert.deepEqual(asked, ['/user/api/status', '/user/api/kernels?no_track_activity=1'])
  })

  it('ask no further if there are no kernels', async () => {
    const { said, asked } = await ask('/api/status', json({ '/api/status': status(0) }))
    assert.deepEqual(said, { busy: false, lastActivityAgoMs: 40_000 })
    assert.equal(asked.length, 1)
  })

  it('report nothing if there are kernels whose list is not available', async () => {
    const { said } = await ask('/api/status', json({ '/api/status': status(1) }))
    assert.deepEqual(said, { finding: 'status', status: 404 })
  })

  it('read a list that is the activity path itself', async () => {
    const path = '/api/terminals?no_track_activity=1'
    const { said } = await ask('/api/terminals', json({ [path]: [] }))
    assert.deepEqual(said, { busy: false })
  })

  for (const [what, serve, why] of [
    [
      'another status',
      (_req, res) => res.writeHead(302, { location: '/login' }).end('{}'),
      { finding: 'status', status: 302 },
    ],
    ['no JSON', (_req, res) => res.end('<html>'), { finding: 'not_json' }],
    ['other JSON', (_req, res) => res.end('{"ok":true}'), { finding: 'not_activity' }],
    [
      'an answer that breaks off',
      (_req, res) => void res.write('{"busy":true', () => res.destroy()),
      { finding: 'closed' },
    ],
    ['silence', () => undefined, { finding: 'silent' }],
    ['an answer without end', (_req, res) => void res.write('{"busy":true'), { finding: 'silent' }],
    [
      'more than it reads',
      (_req, res) => res.end(`{"busy":true}${' '.repeat(1024 * 1024)}`),
      { finding: 'not_json' },
    ],
  ] as const satisfies [string, http.RequestListener, object][])
    it(`report nothing after ${what}, and why`, async () => {
      assert.deepEqual((await ask('/busy', serve, 300)).said, why)
    })

  it('never connect to an address outside the pool', async () => {
    assert(pool !== undefined)
    let asked = 0
    await using activityChecks = createActivityChecks({
      clock,
      setTimer: systemTimer,
      pool,
      log,
      post: async () => true,
      async fetch() {
        asked += 1
        return { finding: 'silent' }
      },
    })
    const address = { host: '169.254.169.254', port: 80 }
    activityChecks.send({ workspace: 'w', generation: 'g', address, path: '/', deadlineMs: 100 })
    assert.equal(asked, 0)
  })
})
