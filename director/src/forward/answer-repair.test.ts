import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MalformedAnswer } from './malformed-answer.ts'
import { repairHead } from './answer-repair.ts'

const repaired = (text: string): string | undefined =>
  repairHead(Buffer.from(text, 'latin1'))?.toString('latin1')
const closed = 'HTTP/1.1 200 OK\r\nConnection: close\r\n'

describe('what HTTP lets a proxy repair in the head of an answer', () => {
  for (const [what, head, seen] of [
    [
      'an interim answer, after which the connection goes on',
      'HTTP/1.1 103 Hints\nA: 1\n\n',
      'HTTP/1.1 103 Hints\r\nA: 1\r\n\r\n',
    ],
    ['line feeds alone', 'HTTP/1.1 200 OK\nA: 1\n\n', `${closed}A: 1\r\n\r\n`],
    ['one line feed alone', 'HTTP/1.1 200 OK\r\nA: 1\n\r\n', `${closed}A: 1\r\n\r\n`],
    [
      'a folded header',
      'HTTP/1.1 200 OK\r\nA: 1 \r\n \t2\r\n\t3\r\n\r\n',
      `${closed}A: 1 2 3\r\n\r\n`,
    ],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nA \t: 1\r\n\r\n', `${closed}A: 1\r\n\r\n`],
    [
      'a length twice',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: 1\r\ncontent-length:2\r\n\r\n',
      `${closed}Content-Length: 2\r\nA: 1\r\n\r\n`,
    ],
    [
      'a length twice in one line',
      'HTTP/1.1 200 OK\r\nContent-Length: 2, 2,2\r\n\r\n',
      `${closed}Content-Length: 2\r\n\r\n`,
    ],
  ] as const)
    it(`is ${what}`, () => assert.equal(repaired(head), seen))

  for (const head of [
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200\r\nA:\r\nB: \xe9: c\r\nContent-Length: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    // Not to be repaired: the parser refuses these, with a reason of its own.
    'HTTP/1.1 200 OK\r\n A: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: 1\rB: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: 1\r\n\r\n',
    'SSH-2.0\n\n',
  ])
    it(`is nothing in ${JSON.stringify(head)}`, () => assert.equal(repaired(head), undefined))

  for (const [head, reason] of [
    [
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n',
      /different lengths.*2.*3/,
    ],
    ['HTTP/1.1 200 OK\nContent-Length: 2, 3\n\n', /different lengths/],
    ['HTTP/1.1 200 OK\r\nContent-Length: 02\r\nContent-Length: 2\r\n\r\n', /different lengths/],
    ['HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n', /length is not a number.*\+2/],
    ['HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n 3\r\n\r\n', /length is not a number/],
    [
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding : chunked\r\n\r\n',
      /length and chunks/,
    ],
  ] as const)
    it(`hazard: ${JSON.stringify(head)} could be read in two ways, and is refused`, () => {
      assert.throws(
        () => repaired(head),
        (error) => error instanceof MalformedAnswer && reason.test(error.message),
      )
    })
})
