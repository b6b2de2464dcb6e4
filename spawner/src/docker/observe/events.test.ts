import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { translate } from './events.ts'

const event = (Action: string, more: Record<string, string> = {}) =>
  JSON.stringify({
    Action,
    Actor: { ID: 'abc', Attributes: { 'berth.workspace': 'lab-ann', ...more } },
  })

describe('an event of the engine', () => {
  it('is translated: a death with its exit code, a removal, a change of health', () => {
    assert.deepEqual(translate(event('die', { exitCode: '137' })), {
      type: 'container-died',
      generation: 'abc',
      exitCode: 137,
    })
    assert.deepEqual(translate(event('destroy')), {
      type: 'container-destroyed',
      generation: 'abc',
    })
    assert.deepEqual(translate(event('health_status: healthy')), {
      type: 'container-health',
      generation: 'abc',
      health: 'healthy',
    })
  })

  it('is ignored if it is about something else', () => {
    assert.equal(translate(event('start')), undefined)
    assert.equal(translate(event('health_status: none')), undefined)
    assert.equal(translate('garbage'), undefined)
    const director = {
      Action: 'die',
      Actor: { ID: 'abc', Attributes: { 'berth.role': 'director' } },
    }
    assert.equal(translate(JSON.stringify(director)), undefined)
  })
})
