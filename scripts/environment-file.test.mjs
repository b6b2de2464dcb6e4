// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillIn, parseEnvironment, setAll } from './environment-file.mjs'

test('reads names and values, without quotes and comments', () => {
  const text = [
    '# A=1',
    'PLAIN=one two',
    'export EXPORTED=yes',
    `SINGLE='a # b' # why`,
    'DOUBLE="c d"',
    'COMMENT=value # why',
    'HASH=a#b',
    'EMPTY=',
    'ONLY_COMMENT= # nothing',
    'EQUALS=a=b==',
  ].join('\n')
  assert.deepEqual(parseEnvironment(text), {
    PLAIN: 'one two',
    EXPORTED: 'yes',
    SINGLE: 'a # b',
    DOUBLE: 'c d',
    COMMENT: 'value',
    HASH: 'a#b',
    EMPTY: '',
    ONLY_COMMENT: '',
    EQUALS: 'a=b==',
  })
})

test('reads a file as Compose does: line ends of Windows, escapes, several lines, and a value that begins with #', () => {
  assert.deepEqual(
    parseEnvironment('\ufeffA=one\r\nB="two"\r\n\r\n# C=3\r\nexport D = four \r\n'),
    {
      A: 'one',
      B: 'two',
      D: 'four',
    },
  )
  const text = [
    'SECRET=#begins',
    `QUOTE="a\\"b\\nc"`,
    `SINGLE='it\\'s \\n'`,
    'LINES="one',
    'INSIDE=no"',
    'AFTER=yes\t#not a comment',
    'COLON: x',
    'A-B.c=1',
  ].join('\n')
  assert.deepEqual(parseEnvironment(text), {
    SECRET: '#begins',
    QUOTE: 'a"b\nc',
    SINGLE: "it's \\n",
    LINES: 'one\nINSIDE=no',
    AFTER: 'yes\t#not a comment',
    COLON: 'x',
    'A-B.c': '1',
  })
})

test('changes nothing in a file with line ends of Windows that has all values', () => {
  const text = 'SECRET=mine\r\nOTHER="mine"\r\n'
  assert.deepEqual(fillIn(text, { SECRET: 'new', OTHER: 'new' }), { text, added: [] })
})

test('keeps the value of a variable, and leaves the text unchanged', () => {
  const text = '# mine\nSECRET=mine\n'
  assert.deepEqual(fillIn(text, { SECRET: 'other' }), { text, added: [] })
})

test('fills in an empty value in its line', () => {
  assert.deepEqual(fillIn('# what it is\nSECRET=\nNEXT=1\n', { SECRET: 'made' }), {
    text: '# what it is\nSECRET=made\nNEXT=1\n',
    added: ['SECRET'],
  })
})

test('keeps a commented default, and adds the value below it', () => {
  assert.equal(fillIn('#PORT=80\nNEXT=1\n', { PORT: '90' }).text, '#PORT=80\nPORT=90\nNEXT=1\n')
})

test('adds a variable that the file does not have at its end', () => {
  assert.equal(fillIn('', { A: '1' }).text, 'A=1\n')
  assert.equal(fillIn('B=2', { A: '1' }).text, 'B=2\nA=1\n')
})

test('does not confuse a name with one that contains it', () => {
  const { text } = fillIn('MY_SECRET=\nSECRET_FILE=\n', { SECRET: 'made' })
  assert.equal(text, 'MY_SECRET=\nSECRET_FILE=\nSECRET=made\n')
})

test('writes a value with a dollar sign unchanged', () => {
  assert.equal(
    fillIn('URL=\n', { URL: 'http://x:${PORT:-1}$&' }).text,
    'URL=http://x:${PORT:-1}$&\n',
  )
})

test('replaces present values, and comments out the unwanted ones', () => {
  const text = 'IMAGE=theirs\nCOMMAND=run this\n#HOME=/x\n'
  assert.equal(
    setAll(text, { IMAGE: 'ours', COMMAND: undefined, HOME: '/home/ours', ABSENT: undefined }),
    'IMAGE=ours\n#COMMAND=run this\n#HOME=/x\nHOME=/home/ours\n',
  )
})
