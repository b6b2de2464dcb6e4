import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseEnvFile } from './env-file.ts'
import type { Variables } from './interpolate.ts'

const variables: Variables = (name) => ({ value: name === 'TZ' ? 'UTC' : undefined })

describe('an env_file', () => {
  const read: readonly [written: string, pairs: readonly (readonly [string, string])[]][] = [
    ['', []],
    ['# a comment\n\n  # another\r\n', []],
    [
      'A=1.10\r\nB=\nexport C = c d \n',
      [
        ['A', '1.10'],
        ['B', ''],
        ['C', 'c d'],
      ],
    ],
    ['A=\'$TZ "x" # y\'\n', [['A', '$TZ "x" # y']]],
    ['A="$TZ # x\\n\\"y\\" \\$TZ \\\\" # note', [['A', 'UTC # x\n"y" $TZ \\']]],
    [
      "A='one\ntwo'\nB=3",
      [
        ['A', 'one\ntwo'],
        ['B', '3'],
      ],
    ],
    [
      '\ufeffA=x # note\nB=x#y\nC=# none\nD=#x\nE=x\t#y',
      [
        ['A', 'x'],
        ['B', 'x#y'],
        ['C', '# none'],
        ['D', '#x'],
        ['E', 'x\t#y'],
      ],
    ],
    [
      'A=$TZ/$$\nB=${A}!',
      [
        ['A', 'UTC/$'],
        ['B', 'UTC/$!'],
      ],
    ],
    ['my.var-x={"a": [1]}', [['my.var-x', '{"a": [1]}']]],
  ]
  for (const [written, pairs] of read)
    it(`has ${JSON.stringify(pairs)} if its text is ${JSON.stringify(written)}`, () => {
      assert.deepEqual(parseEnvFile(written, false, variables), { value: pairs })
    })

  it('is taken as it is in the format raw', () => {
    const text = `A='$TZ' # x\n# comment\nB="\n`
    assert.deepEqual(parseEnvFile(text, true, variables), {
      value: [
        ['A', "'$TZ' # x"],
        ['B', '"'],
      ],
    })
  })

  const refused: readonly [written: string, complaint: RegExp][] = [
    ['A=1\nB', /has in row 2 no NAME=value/],
    ["A=1\n\nB='open", /has in row 3 no NAME=value, or a quote that is not closed/],
    ['A="x" y', /has in row 1 no/],
    ['=x', /has in row 1 no/],
    ['A=1\nB=$NONE', /has in row 2 B, which has the variable NONE, which is not set/],
  ]
  for (const [written, complaint] of refused)
    it(`is refused with the row: ${JSON.stringify(written)}`, () => {
      const result = parseEnvFile(written, false, variables)
      assert.match('complaint' in result ? result.complaint : 'accepted', complaint)
    })
})
