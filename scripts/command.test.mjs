// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowCommands, attempt, endCommands, run } from './command.mjs'
import { Failure } from './failure.mjs'

const node = process.execPath
/** @param {string} script */
const javascript = (script) => ['-e', script]

test('returns the whole output of a command, and passes it on line by line', async () => {
  /** @type {string[]} */
  const seen = []
  const { code, output } = await run(
    node,
    javascript('console.log("one"); process.stdout.write("two")'),
    {
      timeoutMs: 10_000,
      onLine: (line) => seen.push(line),
    },
  )
  assert.equal(code, 0)
  assert.equal(output, 'one\ntwo')
  assert.deepEqual(seen, ['one', 'two'])
})

test('reports a failing command with its last lines and what to do', async () => {
  await assert.rejects(
    run(node, javascript('console.error("it broke"); process.exit(3)'), {
      timeoutMs: 10_000,
      help: 'mend it',
    }),
    (error) =>
      error instanceof Failure &&
      error.message.endsWith('failed (exit code 3)') &&
      error.lines.includes('it broke') &&
      error.help === 'mend it',
  )
})

test('fails at once when the command does not exist', async () => {
  const { code } = await attempt('/nowhere/at-all', [], { timeoutMs: 10_000 })
  assert.equal(code, 127)
})

test('ends a command that takes too long, and the processes that it started', async () => {
  const { code } = await attempt('sh', ['-c', 'sleep 60 & wait'], { timeoutMs: 200 })
  assert.equal(code, -1)
})

test('ends a command that prints nothing in time; a command that prints has its whole time', async () => {
  const silent = await attempt('sleep', ['60'], { timeoutMs: 60_000, firstLineMs: 200 })
  assert.equal(silent.code, -1)
  const speaking = await attempt('sh', ['-c', 'echo here; sleep 0.5'], {
    timeoutMs: 60_000,
    firstLineMs: 400,
  })
  assert.equal(speaking.code, 0)
})

test('ends the commands when this program ends', async () => {
  const asked = attempt('sleep', ['60'], { timeoutMs: 60_000 })
  await endCommands()
  assert.notEqual((await asked).code, 0)

  const later = await attempt('true', [], { timeoutMs: 10_000 })
  assert.notEqual(later.code, 0, 'no command starts after that')
  const cleaning = await attempt('true', [], { timeoutMs: 10_000, evenWhenEnding: true })
  assert.equal(cleaning.code, 0, 'except for clean-up')
  allowCommands()
})
