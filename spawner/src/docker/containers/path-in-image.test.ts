import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BerthError } from '@berth/shared/problems'
import { EngineFault } from '../client/fault.ts'
import { aboutPath } from './path-in-image.ts'

const folder = '/var/lib/docker/overlay2/e7ab/merged'
const detailOf = (message: string): string => {
  const error = aboutPath(new EngineFault('broken', 'container-create', message))
  return error instanceof BerthError ? error.message : 'as it was'
}

describe('an error of the engine about a path in the image', () => {
  it('tells what the image has there, without the folder of the engine', () => {
    for (const [message, said] of [
      [`evalSymlinksInScope: too many links in ${folder}/home/me`, /\(\/home\/me\).*loop of links/],
      [`source ${folder}/home/me is not directory`, /\(\/home\/me\).*a file instead/],
      [`lstat ${folder}/home/a/me: not a directory`, /\(\/home\/a\/me\).*a file .* on the way/],
      ['extraction point is not a directory', /its place, because the image has a file/],
    ] as const) {
      assert.match(detailOf(message), said)
      assert.doesNotMatch(detailOf(message), /overlay2/)
    }
  })

  it('stays as it is if it is about something else', () => {
    assert.equal(detailOf('no space left on device'), 'as it was')
    const other = new Error('too many links in /x')
    assert.equal(aboutPath(other), other)
  })
})
