import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Command, Use } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createUseQuestions } from './use-questions.ts'

const name = 'lab-ann' as WorkspaceName
const heartbeat: Use = {
  what: 'frame',
  method: 'GET',
  path: '/ws',
  count: 3,
  fewestBytes: 2,
  mostBytes: 4,
  firstAgoMs: 900,
  lastAgoMs: 300,
}

function setUp(directors: number) {
  const time = createFakeTime()
  const sent: Command[] = []
  const questions = createUseQuestions({
    send: (command) => {
      sent.push(command)
      return directors
    },
    setTimer: time.setTimer,
  })
  const question = (at: number): string => {
    const command = sent[at]
    assert.ok(command?.event === 'use')
    return command.data.question
  }
  return { time, questions, question }
}

describe('the question what counted as use', () => {
  it('is answered as soon as every director has reported, with what is alike counted together', async () => {
    const { questions, question } = setUp(2)
    const asked = questions.ask(name)
    const later = { ...heartbeat, path: '/later', lastAgoMs: 200 }
    questions.report({ director: 'd1', question: question(0), uses: [heartbeat] })
    const elsewhere = { ...heartbeat, count: 1, fewestBytes: 9, mostBytes: 9, lastAgoMs: 100 }
    questions.report({ director: 'd2', question: question(0), uses: [later, elsewhere] })
    assert.deepEqual(await asked, [{ ...heartbeat, count: 4, mostBytes: 9, lastAgoMs: 100 }, later])
  })

  it('is answered after two seconds with what was reported until then', async () => {
    const { time, questions, question } = setUp(2)
    const asked = questions.ask(name)
    questions.report({ director: 'd1', question: question(0), uses: [heartbeat] })
    time.advance(2_000)
    assert.deepEqual(await asked, [heartbeat])
    assert.equal(time.pending(), 0)
  })

  it('is answered at once if there is no director, and ignores answers to other questions', async () => {
    const none = setUp(0)
    const unanswered = none.questions.ask(name)
    none.time.advance(0)
    assert.deepEqual(await unanswered, [])
    const { time, questions, question } = setUp(1)
    const first = questions.ask(name)
    const second = questions.ask(name)
    questions.report({ director: 'd1', question: question(1), uses: [heartbeat] })
    assert.deepEqual(await second, [heartbeat])
    time.advance(2_000)
    assert.deepEqual(await first, [])
    questions.report({ director: 'd1', question: question(0), uses: [heartbeat] })
  })
})
