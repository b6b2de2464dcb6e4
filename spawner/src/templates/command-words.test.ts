import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseCommand } from './command-words.ts'

describe('a command', () => {
  const cases: readonly [text: string, words: readonly string[] | undefined][] = [
    ['', []],
    ['  start-notebook.py   --port=8888 ', ['start-notebook.py', '--port=8888']],
    [`sh -c 'echo "a b" $HOME'`, ['sh', '-c', 'echo "a b" $HOME']],
    [`sh -c "echo \\"a\\" \\n"`, ['sh', '-c', 'echo "a" \\n']],
    [`a\\ b c`, ['a b', 'c']],
    [`--x='' y`, ['--x=', 'y']],
    [`''`, ['']],
    [`don"'"t`, ["don't"]],
    [`'open`, undefined],
    [`"open`, undefined],
    ['["jupyter","lab","--x=a b"]', ['jupyter', 'lab', '--x=a b']],
    ['["jupyter", 1]', undefined],
    ['["jupyter"', undefined],
    ['[]', []],
  ]
  for (const [text, words] of cases)
    it(`reads ${text === '' ? 'nothing' : text} as ${JSON.stringify(words) ?? 'an error'}`, () => {
      assert.deepEqual(parseCommand(text), words)
    })
})
