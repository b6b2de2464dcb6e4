import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClock } from '@berth/shared/clock'
import { createCall, unlessDone, unlessGone } from './calls.ts'
import { asFault, EngineFault, isFault } from './fault.ts'
import { resultOf } from './engine-result.ts'

const answered = (statusCode: number, message = 'no') =>
  Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - ${message} `), {
    statusCode,
    json: { message },
  })

describe('a fault of the engine', () => {
  it('is "gone" for HTTP 404 and for nothing else', () => {
    assert.equal(asFault('x', answered(404)).kind, 'gone')
    assert.equal(asFault('x', answered(500, 'no such container')).kind, 'broken')
    assert.equal(asFault('x', answered(409)).kind, 'conflict')
    assert.equal(asFault('x', answered(304)).kind, 'unchanged')
    assert.equal(asFault('x', answered(400)).kind, 'refused')
  })

  it('is "unreachable" if the connection fails, and "broken" for an error of our own code', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    assert.equal(asFault('x', refused).kind, 'unreachable')
    assert.equal(asFault('x', AbortSignal.abort().reason).kind, 'unreachable')
    assert.equal(asFault('x', new TypeError('a bug')).kind, 'broken')
  })

  it('has the message of the engine', () => {
    assert.equal(asFault('x', answered(400, 'invalid mount path')).message, 'invalid mount path')
  })

  it('becomes a result: an engine that does not answer is retried, a refused order is not', async () => {
    const resultFor = (error: unknown) =>
      resultOf('start_failed', 'It failed', () => Promise.reject(asFault('x', error)))
    assert.deepEqual(await resultFor(Object.assign(new Error(), { code: 'ENOENT' })), {
      ok: false,
      failure: { code: 'engine_unreachable', detail: 'The container engine does not answer.' },
      retry: true,
    })
    assert.deepEqual(await resultFor(answered(400, 'bad')), {
      ok: false,
      failure: {
        code: 'start_failed',
        detail: 'It failed. An administrator finds the reason in the log of the spawner.',
        cause: 'bad',
      },
      retry: false,
    })
  })
})

describe('a call to the engine', () => {
  const told: string[] = []
  const call = createCall({
    clock: createClock(
      () => 0,
      () => 0,
    ),
    observer: { called: (name) => told.push(`called ${name}`), failed: (name) => told.push(name) },
  })
  const { signal } = new AbortController()

  it('ends at its deadline although the engine never answers', async () => {
    const never = call('hang', { signal, deadlineMs: 5 }, () => new Promise(() => undefined))
    await assert.rejects(never, (error) => isFault(error, 'unreachable'))
    assert.deepEqual(told.splice(0), ['hang', 'called hang'])
  })

  it('ends when the caller aborts it, and is not counted as a fault of the engine', async () => {
    const giveUp = new AbortController()
    const work = call('slow', { signal: giveUp.signal }, () => new Promise(() => undefined))
    giveUp.abort()
    await assert.rejects(work, EngineFault)
    assert.deepEqual(told.splice(0), ['called slow'])
  })

  it('counts "gone" and "unchanged" as success only where the caller says so', async () => {
    const fail = (code: number) => call('x', { signal }, () => Promise.reject(answered(code)))
    assert.equal(await unlessGone(fail(404)), undefined)
    await unlessDone(fail(304))
    await unlessDone(fail(404), 'gone')
    await assert.rejects(unlessDone(fail(404)), { kind: 'gone' })
    await assert.rejects(unlessGone(fail(500)), { kind: 'broken' })
  })
})
