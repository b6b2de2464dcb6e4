import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LabelledImage } from './from-image.ts'
import { joinTemplates, type JoinContext } from './join-templates.ts'
import { testTemplate } from './testing/test-template.ts'

const context: JoinContext = {
  instance: 'berth',
  maxMemoryBytes: 0,
  hosts: { public: 'berth.org', portal: 'portal.berth.org' },
  imagesAllowed: ['team/*'],
}
const image = (reference: string, labels: Record<string, string> = {}): LabelledImage => ({
  reference,
  id: `id of ${reference}`,
  labels: { 'orca.kind': 'web', ...labels },
})

function join(images: readonly LabelledImage[], given: Partial<JoinContext> = {}) {
  const described = [testTemplate('lab'), testTemplate('board', { route: { hosts: ['b.org'] } })]
  const { templates, leftOut } = joinTemplates(described, images, { ...context, ...given })
  return { names: [...templates.keys()], leftOut }
}

describe('the templates of all sources', () => {
  it('are those described and those of admitted images', () => {
    const { names, leftOut } = join([image('team/app:1'), image('else/x:1')])
    assert.deepEqual(names, ['lab', 'board', 'app'])
    assert.deepEqual(leftOut, [])
  })

  it('hold no image where none is allowed', () => {
    assert.deepEqual(join([image('team/app:1')], { imagesAllowed: [] }).names, ['lab', 'board'])
  })

  it('hold an image once, whatever names the engine has for it, in any order', () => {
    const [one, two] = [image('team/app:2'), { ...image('team/app:1'), id: 'id of team/app:2' }]
    assert.deepEqual(join([one, two]), join([two, one]))
    assert.deepEqual(join([one, two]), { names: ['lab', 'board', 'app'], leftOut: [] })
  })

  const leftOut: readonly [
    why: string,
    image: LabelledImage,
    word: RegExp,
    given?: Partial<JoinContext>,
  ][] = [
    [
      'has the name of one described',
      image('team/lab:1'),
      /team\/lab:1 is no template.*"lab" \(of CONTAINER_\*\) and "lab" \(of the image team\/lab:1\) have the same name/,
    ],
    [
      'is called like the instance',
      image('team/berth:1'),
      /berth\.image\.name "berth" must differ/,
    ],
    ['would be served on the portal', image('team/portal:1'), /has the portal’s host/],
    [
      'has a home that several would share',
      image('team/app:1', { 'berth.image.home': '/h' }),
      /berth\.image\.home is one person’s/,
    ],
    [
      'names a person in a shared command',
      image('team/app:1', { 'berth.image.command': 'x {user}' }),
      /berth\.image\.command names a person/,
    ],
    [
      'is of another kind',
      image('team/app:1', { 'orca.kind': 'ssh' }),
      /kind ssh, which is not offered yet/,
    ],
    [
      'has no bound on its memory',
      image('team/app:1', { 'berth.image.memory': '0' }),
      /berth\.image\.memory must be set/,
      { maxMemoryBytes: 2 ** 40 },
    ],
  ]
  for (const [why, wrong, word, given] of leftOut)
    it(`leave out an image that ${why}, say so, and keep the others`, () => {
      const { names, leftOut } = join([wrong, image('team/zz:1')], given)
      assert.deepEqual(names, ['lab', 'board', 'zz'])
      assert.equal(leftOut.length, 1)
      assert.match(leftOut[0] ?? '', word)
    })

  it('hold the first of two images of one name, and name both', () => {
    const { names, leftOut } = join([image('team/app:2'), image('team/app:1')])
    assert.deepEqual(names, ['lab', 'board', 'app'])
    assert.match(
      leftOut.join(),
      /image team\/app:2 is no template.*of the image team\/app:1\) and "app" \(of the image team\/app:2/,
    )
  })
})
