// @ts-check
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { confirmReset } from './confirm-reset.mjs'
import { Failure } from './failure.mjs'

const found = { instance: 'berth', homes: ['berth-ann-home', 'berth-bob-home'], others: 5 }

/** @param {{ args?: string[], answer?: string, isTerminal?: boolean }} [given] */
const asked = async ({ args = [], answer = '', isTerminal = true } = {}) => {
  /** @type {string[]} */
  const questions = []
  const ask = async (/** @type {string} */ question) => {
    questions.push(question)
    return answer
  }
  const confirmed = await confirmReset({ ...found, args, isTerminal, ask })
  return { confirmed, questions }
}

describe('npm run reset', () => {
  it('asks, with the number of homes and the instance, and goes on when its name is typed', async () => {
    const { confirmed, questions } = await asked({ answer: 'berth' })
    assert.equal(confirmed, true)
    assert.equal(questions.length, 1)
    assert.match(questions[0] ?? '', /2 homes/)
    assert.match(questions[0] ?? '', /berth/)
  })

  it('removes nothing for any other answer', async () => {
    for (const answer of ['', 'y', 'yes', 'berth2', 'BERTH'])
      assert.equal((await asked({ answer })).confirmed, false, answer)
  })

  it('asks nothing with --yes', async () => {
    const { confirmed, questions } = await asked({ args: ['--yes'], isTerminal: false })
    assert.equal(confirmed, true)
    assert.deepEqual(questions, [])
  })

  it('refuses where nobody can answer, and says what a script has to pass', async () => {
    await assert.rejects(asked({ isTerminal: false }), (error) => {
      assert.ok(error instanceof Failure)
      assert.match(error.message, /2 homes/)
      assert.match(error.help ?? '', /npm run reset -- --yes/)
      return true
    })
  })

  it('asks nothing where there is nothing to remove', async () => {
    const ask = () => assert.fail('it asked')
    const empty = { instance: 'berth', homes: [], others: 0, args: [], isTerminal: true, ask }
    assert.equal(await confirmReset(empty), true)
  })

  it('refuses an argument that it does not know', async () => {
    await assert.rejects(asked({ args: ['--force'] }), /--force/)
  })
})
