// @ts-check
// The spawner refuses variables that look like settings and are none, so it has to know the names of all of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { otherSettingNames } from '@berth/shared/setting-names'
import { furtherVariables } from './configuration-sections.ts'

test('the list of further settings has each that the reference names', () => {
  const named = furtherVariables
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('OAUTH2_PROXY_') && !name.includes('<'))
  assert.deepEqual(
    named.filter((name) => !otherSettingNames.includes(name)),
    [],
  )
})
