import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { createLog } from '@berth/shared/log'
import { parseUserName, type UserName } from '@berth/shared/names'
import { createProblem } from '@berth/shared/problems'
import { Secret } from '@berth/shared/secret'
import { createSpawner } from './spawner.ts'

describe('a spawner with another INTERNAL_SECRET', () => {
  it('counts as one that cannot be asked: nobody who is signed in is told that they are not', async (t) => {
    const server = http.createServer((_req, res) => {
      const problem = createProblem(undefined, 'identity_missing', 'Directors only.')
      res.writeHead(401, { 'content-type': 'application/problem+json' })
      res.end(JSON.stringify(problem))
    })
    t.after(() => server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await using spawner = createSpawner({
      origin: `http://127.0.0.1:${port}`,
      secret: new Secret('not-the-spawners-secret'),
      director: 'd1',
      log: createLog({ service: 'director', level: 'silent' }),
    })
    const signal = AbortSignal.timeout(5_000)
    const user = { name: parseUserName('alice') as UserName, subject: 'u-alice', groups: [] }
    const question = {
      user,
      template: 'lab',
      waitMs: 0,
      start: 'start',
      navigation: false,
    } as const
    const answer = await spawner.askSeat(question, signal)
    assert.equal(answer.status, 'unreachable')
    await assert.rejects(spawner.openCommands(signal), /INTERNAL_SECRET/)
  })
})

describe('a spawner whose name nobody tells any more', () => {
  async function afterTheFirstAnswer(t: TestContext, code: string) {
    const server = http.createServer((_req, res) => {
      const problem = createProblem(undefined, 'engine_unreachable', 'The engine is gone.')
      res.writeHead(503, { 'content-type': 'application/problem+json', connection: 'close' })
      res.end(JSON.stringify(problem))
    })
    t.after(() => server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    let lookups = 0
    const spawner = createSpawner({
      origin: `http://spawner:${port}`,
      secret: new Secret('the-secret'),
      director: 'd1',
      log: createLog({ service: 'director', level: 'silent' }),
      lookup(_hostname, _options, callback) {
        if (++lookups === 1) callback(null, [{ address: '127.0.0.1', family: 4 }])
        else callback(Object.assign(new Error(code), { code }), [])
      },
    })
    t.after(() => spawner[Symbol.asyncDispose]())
    const user = { name: parseUserName('alice') as UserName, subject: 'u-alice', groups: [] }
    const question = {
      user,
      template: 'lab',
      waitMs: 0,
      start: 'start',
      navigation: false,
    } as const
    const signal = AbortSignal.timeout(5_000)
    assert.equal((await spawner.askSeat(question, signal)).status, 'refused')
    return spawner.askSeat(question, signal)
  }

  it('is where it was last while DNS does not answer', async (t) => {
    const answer = await afterTheFirstAnswer(t, 'EAI_AGAIN')
    assert.equal(answer.status === 'refused' && answer.problem.code, 'engine_unreachable')
  })

  it('is not sought where it was when DNS knows nothing of it', async (t) => {
    assert.equal((await afterTheFirstAnswer(t, 'ENOTFOUND')).status, 'unreachable')
  })
})
