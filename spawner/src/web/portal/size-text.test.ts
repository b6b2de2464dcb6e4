import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sizeText } from './size-text.ts'

describe('a size for people', () => {
  for (const [bytes, text] of [
    [0, 'less than 1 MiB'],
    [2 ** 20 - 1, 'less than 1 MiB'],
    [2 ** 20, '1 MiB'],
    [3.5 * 2 ** 20, '3.5 MiB'],
    [999 * 2 ** 20, '999 MiB'],
    [1_000 * 2 ** 20, '1 GiB'],
    [120 * 2 ** 30, '120 GiB'],
    [5_000 * 2 ** 40, '5000 TiB'],
  ] as const)
    it(`of ${bytes} bytes is ${text}`, () => assert.equal(sizeText(bytes), text))
})
