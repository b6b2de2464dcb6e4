import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { describeError } from './log.ts'

const module = new URL('./log.ts', import.meta.url).href

/** What a process that runs this code writes. */
function written(code: string): { readonly message: string; readonly time: string }[] {
  const script = `import { createLog } from '${module}'; const log = createLog({ service: 'test', level: 'info' }); ${code}`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script])
  const lines = String(stdout).split('\n')
  assert.equal(lines.pop(), '', 'the last line ends')
  return lines.map((line) => JSON.parse(line) as { message: string; time: string })
}

describe('the log of a process', () => {
  for (const [how, end] of [
    ['by itself', ''],
    ['at once', 'process.exit(0)'],
    ['by a fault', 'throw new Error()'],
    [
      'by its own signal, after a fatal line',
      "log.fatal('last'); process.kill(process.pid, 'SIGKILL')",
    ],
  ] as const)
    it(`has every line in order if the process ends ${how}`, () => {
      const lines = written(
        `for (let i = 0; i < 1000; i += 1) log.info('line ' + i); createLog({ service: 'other', level: 'info' }).info('other'); ${end}`,
      )
      const wanted = [...Array(1_000).keys()].map((index) => `line ${index}`)
      const messages = lines.map(({ message }) => message)
      assert.deepEqual(messages, [...wanted, 'other', ...(end.includes('last') ? ['last'] : [])])
    })

  it('has the time of each line', () => {
    const began = Date.now()
    const [first, second] = written(
      "log.info('a'); const until = Date.now() + 20; while (Date.now() < until); log.info('b')",
    ).map(({ time }) => Date.parse(time))
    assert.ok(first !== undefined && second !== undefined)
    assert.ok(first >= began && second >= first + 20 && second <= Date.now())
  })
})

describe('an error in the log', () => {
  it('has no stack if a connection was refused: the place in our code explains nothing', async () => {
    // No server listens on port 1 of loopback.
    const error = await new Promise((resolve) => connect(1, '127.0.0.1').once('error', resolve))
    assert.deepEqual(describeError(error), {
      type: 'Error',
      message: 'connect ECONNREFUSED 127.0.0.1:1',
      code: 'ECONNREFUSED',
    })
  })

  it('has a message also when several addresses were tried, for which Node gives none', () => {
    const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
    const { message } = describeError(error)
    assert.equal(message, 'ECONNREFUSED')
  })

  it('keeps its stack if it is a fault in the code', () => {
    const faults = [
      new TypeError('not a function'),
      Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }),
    ]
    for (const fault of faults) assert.match(describeError(fault).stack ?? '', /log\.test\.ts/)
  })
})
