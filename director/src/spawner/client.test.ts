import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { createLog } from '@berth/shared/log'
import { parseUserName, type UserName } from '@berth/shared/names'
import { createProblem, type Problem } from '@berth/shared/problems'
import { Secret } from '@berth/shared/secret'
import { createSpawner } from './client.ts'

const user = { name: parseUserName('alice') as UserName, subject: 'u-alice', groups: [] }
const question = { user, template: 'lab', waitMs: 0, start: 'start', navigation: false } as const

/** A server that answers every request with that problem, and then closes the connection. */
async function spawnerThatSays(
  t: TestContext,
  problem: Problem,
  more: { readonly host?: string; readonly lookup?: LookupFunction } = {},
) {
  const { host = '127.0.0.1', ...rest } = more
  const server = http.createServer((_req, res) => {
    const headers = { 'content-type': 'application/problem+json', connection: 'close' }
    res.writeHead(problem.status, headers).end(JSON.stringify(problem))
  })
  t.after(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const spawner = createSpawner({
    origin: `http://${host}:${port}`,
    secret: new Secret('a-secret-of-this-test'),
    director: 'd1',
    log: createLog({ service: 'director', level: 'silent' }),
    ...rest,
  })
  t.after(() => spawner[Symbol.asyncDispose]())
  return spawner
}

describe('a spawner with another INTERNAL_SECRET', () => {
  it('counts as unreachable: no person who is signed in is told otherwise', async (t) => {
    const problem = createProblem(undefined, 'identity_missing', 'Directors only.')
    const spawner = await spawnerThatSays(t, problem)
    const signal = AbortSignal.timeout(5_000)
    assert.equal((await spawner.requestSeat(question, signal, 'request-1')).status, 'unreachable')
    await assert.rejects(spawner.openCommands(signal), /INTERNAL_SECRET/)
  })
})

describe('a spawner whose name cannot be resolved any more', () => {
  async function afterTheFirstAnswer(t: TestContext, code: string) {
    const problem = createProblem(undefined, 'engine_unreachable', 'The engine is gone.')
    let lookups = 0
    const spawner = await spawnerThatSays(t, problem, {
      host: 'spawner',
      lookup(_hostname, _options, callback) {
        if (++lookups === 1) callback(null, [{ address: '127.0.0.1', family: 4 }])
        else callback(Object.assign(new Error(code), { code }), [])
      },
    })
    const signal = AbortSignal.timeout(5_000)
    assert.equal((await spawner.requestSeat(question, signal, 'request-1')).status, 'refused')
    return spawner.requestSeat(question, signal, 'request-1')
  }

  it('is reached at its last address while DNS does not answer', async (t) => {
    const answer = await afterTheFirstAnswer(t, 'EAI_AGAIN')
    assert.equal(answer.status === 'refused' && answer.problem.code, 'engine_unreachable')
  })

  it('is not reached at its last address when DNS answers that the name is unknown', async (t) => {
    assert.equal((await afterTheFirstAnswer(t, 'ENOTFOUND')).status, 'unreachable')
  })
})
