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

test('a variable that has a value keeps it, and the text stays as it is', () => {
  const text = '# mine\nSECRET=mine\n'
  assert.deepEqual(fillIn(text, { SECRET: 'other' }), { text, added: [] })
})

test('an empty line is filled in where it stands', () => {
  assert.deepEqual(fillIn('# what it is\nSECRET=\nNEXT=1\n', { SECRET: 'made' }), {
    text: '# what it is\nSECRET=made\nNEXT=1\n',
    added: ['SECRET'],
  })
})

test('a commented default stays, with the value below it', () => {
  assert.equal(fillIn('#PORT=80\nNEXT=1\n', { PORT: '90' }).text, '#PORT=80\nPORT=90\nNEXT=1\n')
})

test('what the file does not know goes to its end', () => {
  assert.equal(fillIn('', { A: '1' }).text, 'A=1\n')
  assert.equal(fillIn('B=2', { A: '1' }).text, 'B=2\nA=1\n')
})

test('a name that is the end or the beginning of another is not taken for it', () => {
  const { text } = fillIn('MY_SECRET=\nSECRET_FILE=\n', { SECRET: 'made' })
  assert.equal(text, 'MY_SECRET=\nSECRET_FILE=\nSECRET=made\n')
})

test('a value with a dollar sign is written as it is', () => {
  assert.equal(
    fillIn('URL=\n', { URL: 'http://x:${PORT:-1}$&' }).text,
    'URL=http://x:${PORT:-1}$&\n',
  )
})

test('setting replaces what stands there, and comments out what is not wanted', () => {
  const text = 'IMAGE=theirs\nCOMMAND=run this\n#HOME=/x\n'
  assert.equal(
    setAll(text, { IMAGE: 'ours', COMMAND: undefined, HOME: '/home/ours', ABSENT: undefined }),
    'IMAGE=ours\n#COMMAND=run this\n#HOME=/x\nHOME=/home/ours\n',
  )
})
