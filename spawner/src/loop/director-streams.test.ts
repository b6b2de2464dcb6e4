import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Command } from '@berth/shared/contract'
import { testTemplate } from '../templates/testing/test-template.ts'
import { createDirectorStreams } from './director-streams.ts'
import { routeOf } from './routes.ts'
import { createFakeTime } from '@berth/shared/testing/fake-time'

function createStreams() {
  const time = createFakeTime()
  let hosts: readonly string[] = []
  const streams = createDirectorStreams({
    routes: () => [routeOf(testTemplate('lab', { route: { hosts } }))],
    groups: ['admins'],
    submit: () => undefined,
    setTimer: time.setTimer,
  })
  const heard: Command[] = []
  streams.connect('d1', (command) => heard.push(command))
  streams.say({ type: 'introduce', director: 'd1' })
  const changeTo = (host: string): void => {
    hosts = [host]
    streams.routesChanged()
  }
  const told = () =>
    heard.map((command) => command.event === 'routes' && command.data.routes[0]?.hosts[0])
  return { time, streams, heard, changeTo, told }
}

describe('routes that change', () => {
  it('are sent at once', () => {
    const { changeTo, told } = createStreams()
    changeTo('a')
    assert.deepEqual(told(), [undefined, 'a'])
  })

  it('many times in a moment are sent twice, the second time as they are then: snapshots must not pile up', () => {
    const { time, changeTo, told } = createStreams()
    for (const host of ['a', 'b', 'c', 'd']) changeTo(host)
    assert.deepEqual(told(), [undefined, 'a'])
    time.advance(1_000)
    assert.deepEqual(told(), [undefined, 'a', 'd'])
    assert.equal(time.pending(), 0)
    changeTo('e')
    assert.deepEqual(told(), [undefined, 'a', 'd', 'e'])
  })

  it('come with the groups that decide something beside the templates', () => {
    const [command] = createStreams().heard
    assert.deepEqual(command?.event === 'routes' && command.data.groups, ['admins'])
  })

  it('are not sent any more after the end', () => {
    const { time, streams, changeTo, told } = createStreams()
    changeTo('a')
    changeTo('b')
    streams[Symbol.dispose]()
    time.advance(1_000)
    assert.deepEqual(told(), [undefined, 'a'])
  })
})
