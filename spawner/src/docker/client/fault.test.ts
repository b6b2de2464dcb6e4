import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCall, unlessDone, unlessGone } from './calls.ts'
import { asFault, EngineFault, isFault } from './fault.ts'
import { outcomeOf } from './engine-result.ts'

const answered = (statusCode: number, message = 'no') =>
  Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - ${message} `), {
    statusCode,
    json: { message },
  })

describe('what goes wrong with the engine', () => {
  it('is gone with a 404 and with nothing else', () => {
    assert.equal(asFault('x', answered(404)).kind, 'gone')
    assert.equal(asFault('x', answered(500, 'no such container')).kind, 'broken')
    assert.equal(asFault('x', answered(409)).kind, 'conflict')
    assert.equal(asFault('x', answered(304)).kind, 'unchanged')
    assert.equal(asFault('x', answered(400)).kind, 'refused')
  })

  it('is unreachable when the connection fails, and broken when we are', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    assert.equal(asFault('x', refused).kind, 'unreachable')
    assert.equal(asFault('x', AbortSignal.abort().reason).kind, 'unreachable')
    assert.equal(asFault('x', new TypeError('a bug')).kind, 'broken')
  })

  it('is told in the engine’s own words', () => {
    assert.equal(asFault('x', answered(400, 'invalid mount path')).message, 'invalid mount path')
  })

  it('becomes an outcome: the engine away is tried again, a refused order is not', async () => {
    const outcome = (error: unknown) =>
      outcomeOf('start_failed', 'It failed', () => Promise.reject(asFault('x', error)))
    assert.deepEqual(await outcome(Object.assign(new Error(), { code: 'ENOENT' })), {
      ok: false,
      failure: { code: 'engine_unreachable', detail: 'The container engine does not answer.' },
      retry: true,
    })
    assert.deepEqual(await outcome(answered(400, 'bad')), {
      ok: false,
      failure: { code: 'start_failed', detail: 'It failed: bad' },
      retry: false,
    })
  })
})

describe('a call to the engine', () => {
  const told: string[] = []
  const call = createCall({
    clock: { now: () => 0, wall: () => 0 },
    observer: { called: (name) => told.push(`called ${name}`), failed: (name) => told.push(name) },
  })
  const { signal } = new AbortController()

  it('ends at its deadline although the engine never answers', async () => {
    const never = call('hang', { signal, deadlineMs: 5 }, () => new Promise(() => undefined))
    await assert.rejects(never, (error) => isFault(error, 'unreachable'))
    assert.deepEqual(told.splice(0), ['hang', 'called hang'])
  })

  it('ends when its asker gives up, which is no fault of the engine', async () => {
    const giveUp = new AbortController()
    const work = call('slow', { signal: giveUp.signal }, () => new Promise(() => undefined))
    giveUp.abort()
    await assert.rejects(work, EngineFault)
    assert.deepEqual(told.splice(0), ['called slow'])
  })

  it('takes gone and unchanged for an answer where they are one', async () => {
    const fail = (code: number) => call('x', { signal }, () => Promise.reject(answered(code)))
    assert.equal(await unlessGone(fail(404)), undefined)
    await unlessDone(fail(304))
    await unlessDone(fail(404), 'gone')
    await assert.rejects(unlessDone(fail(404)), { kind: 'gone' })
    await assert.rejects(unlessGone(fail(500)), { kind: 'broken' })
  })
})
