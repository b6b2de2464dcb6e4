import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseUserName, type UserName } from '@berth/shared/names'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { targetOfAdoption } from './target-of-adoption.ts'

const ann = { name: parseUserName('ann') as UserName, subject: 'u-ann', groups: [] }
const lab = testTemplate('lab', {
  spec: {
    home: { path: '/home/me', volume: '{instance}-{user}-home' },
    volumes: [
      { kind: 'volume', source: '{user}-cache', target: '/cache', readOnly: false },
      { kind: 'volume', source: 'datasets', target: '/data', readOnly: false },
      { kind: 'shared', source: 'pool', target: '/pool', readOnly: false },
      { kind: 'bind', source: '/srv', target: '/srv', readOnly: true },
    ],
  },
})
const bare = testTemplate('bare')

describe('the volume that an earlier volume is copied into', () => {
  it('is the home, or the volume at the path, of the person or of several people', () => {
    const to = (path: string | undefined, person: typeof ann | undefined = ann) =>
      targetOfAdoption(lab, { path, person }, 'berth')
    assert.deepEqual(to(undefined), { to: 'berth-ann-home', owner: ann })
    assert.deepEqual(to('/cache'), { to: 'ann-cache', owner: ann })
    assert.deepEqual(to('/data'), { to: 'datasets', owner: undefined })
    assert.deepEqual(targetOfAdoption(lab, { path: '/pool', person: undefined }, 'berth'), {
      to: 'berth-shared-pool',
      owner: undefined,
    })
  })

  const refused = [
    [lab, undefined, undefined, /belongs to one person: name them by --user/],
    [lab, '/nowhere', ann, /has no volume at \/nowhere: its volumes are at \/home\/me, \/cache/],
    [lab, '/srv', ann, /has no volume at \/srv/],
    [bare, undefined, ann, /the template bare has no volume/],
  ] as const
  for (const [template, path, person, complaint] of refused)
    it(`is not found, with the reason ${complaint.source}`, () => {
      const target = targetOfAdoption(template, { path, person }, 'berth')
      assert.match('complaint' in target ? target.complaint : 'found', complaint)
    })
})
