import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { interpolate, type Variables } from './interpolate.ts'

const variables: Variables = (name) => {
  if (name === 'API_TOKEN') return { complaint: 'is a secret' }
  return { value: { TZ: 'UTC', EMPTY: '', tz_2: 'low' }[name] }
}

describe('the variables in a text', () => {
  const filled: readonly [written: string, filled: string][] = [
    ['', ''],
    ['plain {user} } text', 'plain {user} } text'],
    ['$TZ', 'UTC'],
    ['a$TZ/b', 'aUTC/b'],
    ['${TZ}x$tz_2', 'UTCxlow'],
    ['$EMPTY|', '|'],
    ['$$', '$'],
    ['$$TZ and $${TZ}', '$TZ and ${TZ}'],
    ['$$$TZ', '$UTC'],
    ['${TZ:-x}${EMPTY:-x}${NONE:-x}', 'UTCxx'],
    ['${TZ-x}${EMPTY-x}${NONE-x}', 'UTCx'],
    ['${NONE:-}${NONE-}', ''],
    ['${TZ:+x}${EMPTY:+x}${NONE:+x}', 'x'],
    ['${TZ+x}${EMPTY+x}${NONE+x}', 'xx'],
    ['${TZ:?why}${TZ?why}${EMPTY?why}', 'UTCUTC'],
    ['${NONE:-${TZ}}', 'UTC'],
    ['${NONE:-a ${EMPTY:-$tz_2} {user} $$}', 'a low {user} $'],
    ['${NONE:-{user}}', '{user}'],
  ]
  for (const [written, is] of filled)
    it(`are filled in as in Compose: ${written} is ${is}`, () => {
      assert.deepEqual(interpolate(written, variables), { value: is })
    })

  const refused: readonly [written: string, complaint: RegExp][] = [
    ['$NONE', /has the variable NONE, which is not set.*\$\{NONE:-\}.*\$\$NONE/],
    ['${NONE}', /NONE, which is not set/],
    ['${NONE:-${OTHER}}', /OTHER, which is not set/],
    ['${NONE:?say when}', /has the variable NONE: say when/],
    ['${EMPTY:?}', /has the variable EMPTY, which must not be empty/],
    ['${NONE?say when}', /say when/],
    ['$1', /has a \$ that begins no variable.*\$\$/],
    ['a$', /begins no variable/],
    ['$ x', /begins no variable/],
    ['${}', /begins no variable/],
    ['${TZ', /begins no variable/],
    ['${TZ:x}', /begins no variable/],
    ['${TZ/a/b}', /begins no variable/],
    ['${NONE:-${TZ}', /begins no variable/],
    ['$API_TOKEN', /has the variable API_TOKEN, which is a secret/],
    ['${API_TOKEN:-x}', /API_TOKEN, which is a secret/],
  ]
  for (const [written, complaint] of refused)
    it(`are refused by name: ${written}`, () => {
      const result = interpolate(written, variables)
      assert.match('complaint' in result ? result.complaint : 'accepted', complaint)
    })
})
